"""Physical systems, against other solvers and against what is known of them."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import tasks
from tasks.families.dynamics import burgers, motion

BUILDERS = {
    "double-well": motion.double_well,
    "damped-pendulum": motion.damped_pendulum,
    "burgers-speed": burgers.burgers_speed,
    "burgers-slope": burgers.burgers_slope,
}
TRUTHS = {
    "double-well": motion.double_well_end,
    "damped-pendulum": motion.damped_pendulum_end,
    "burgers-speed": burgers.speed_at_probe,
    "burgers-slope": burgers.slope_of_shock,
}
MOTIONS = {
    "double-well": (motion.double_well_end, 30.0, lambda x, v: x - x**3 - v / 2),
    "damped-pendulum": (motion.damped_pendulum_end, 20.0, lambda x, v: -np.sin(x) - v / 2),
}


@pytest.mark.parametrize("name", list(MOTIONS))
@pytest.mark.parametrize("distance", [1.0, 10.0])
def test_motion_ends_where_an_adaptive_solver_says(name: str, distance: float) -> None:
    end, time, acceleration = MOTIONS[name]
    begin = distance * BUILDERS[name]().domain.inputs[:60]

    def change(_: float, state: np.ndarray) -> np.ndarray:
        place, speed = np.split(state, 2)
        return np.concatenate([speed, acceleration(place, speed)])

    solved = solve_ivp(change, (0, time), begin.T.reshape(-1), "DOP853", rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(end(begin), solved.y[:60, -1], atol=2e-3)


def test_the_wells_are_alike_and_nearly_everything_rests_in_one() -> None:
    begin = motion.double_well().domain.inputs
    end = motion.double_well_end(begin)
    np.testing.assert_array_equal(motion.double_well_end(-begin), -end)
    assert np.mean(np.abs(np.abs(end) - 1) < 0.05) > 0.99
    assert 0.45 < np.mean(end > 0) < 0.55
    assert np.mean((end > 0) != (begin[:, 0] > 0)) > 0.2  # the border is no straight line
    assert motion.double_well_end(np.zeros((1, 2))) == 0


def test_a_pendulum_forgets_turns_it_has_made_and_rests_at_multiples_of_them() -> None:
    begin = motion.damped_pendulum().domain.inputs
    end = motion.damped_pendulum_end(begin)
    np.testing.assert_allclose(motion.damped_pendulum_end(begin + np.array([2 * np.pi, 0])), end + 2 * np.pi, atol=1e-6)
    turns = np.round(end / (2 * np.pi))
    assert np.mean(np.abs(end - 2 * np.pi * turns) < 0.2) > 0.95
    assert set(turns) == {-2.0, -1.0, 0.0, 1.0, 2.0}
    fast = motion.damped_pendulum_end(np.array([[0.0, 50.0]]))
    assert fast[0] == pytest.approx(100.0, abs=2 * np.pi)  # friction alone stops it after x'/γ


@pytest.mark.parametrize(
    ("a", "b", "reynolds", "n"),
    [(1.0, 0.0, 2.0, 64), (1.5, 0.5, 20.0, 512), (0.5, -0.5, 20.0, 256), (0.8, 0.3, 40.0, 768)],
)
def test_burgers_equation_is_solved(a: float, b: float, reynolds: float, n: int) -> None:
    """A Fourier method on n places with an adaptive solver in time finds the same speeds and slopes."""
    x = 2 * np.pi * np.arange(n) / n
    wave = np.fft.rfftfreq(n, 1 / n)

    def change(_: float, u: np.ndarray) -> np.ndarray:
        flux = np.fft.rfft(u**2 / 2)
        flux[wave > n / 3] = 0  # products alias beyond
        return np.asarray(np.fft.irfft(-1j * wave * flux - wave**2 / reynolds * np.fft.rfft(u), n))

    begin = a * np.sin(x) + b * np.sin(2 * x)
    end = solve_ivp(change, (0, burgers.TIME), begin, "RK45", rtol=1e-7, atol=1e-9).y[:, -1]
    slopes = np.fft.irfft(1j * wave * np.fft.rfft(end), n)
    inputs = np.array([[a, b, reynolds]])
    for place in (0, n // 6, 2 * n // 5, n // 2, 4 * n // 5):
        speed, slope = burgers.solution(inputs, x[place])
        assert speed[0] == pytest.approx(end[place], abs=1e-5)
        assert slope[0] == pytest.approx(slopes[place], abs=2e-4 * np.abs(slopes).max())


def test_the_probes_are_those_of_the_solution_and_a_shock_grows_with_falling_viscosity() -> None:
    inputs = np.array([[1.0, 0.2, 75.0], [1.0, 0.2, 150.0]])
    np.testing.assert_array_equal(burgers.speed_at_probe(inputs), burgers.solution(inputs, 2.5)[0])
    slope = burgers.slope_of_shock(inputs)
    np.testing.assert_array_equal(slope, -burgers.solution(inputs, np.pi)[1])
    assert slope[1] / slope[0] == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("name", list(BUILDERS))
def test_draws_are_of_one_function(name: str) -> None:
    first, second = (BUILDERS[name](draw=draw) for draw in (0, 1))
    truth, errors = TRUTHS[name], []
    for samples in (first, second):
        assert samples.truth is (None if samples.far else truth)
        assert samples.validation is not None
        assert samples.test is not None
        noisy = (samples.domain, samples.validation)
        errors += [(rows.targets - truth(rows.inputs)).std() for rows in noisy]
        for exact in (samples.test, *(far.rows for far in samples.far)):
            np.testing.assert_allclose(exact.targets, truth(exact.inputs), rtol=1e-12)
        assert errors[-1] / samples.domain.targets.std() == pytest.approx(0.02, rel=0.2)
    np.testing.assert_allclose(errors, errors[0], rtol=0.1)
    assert not np.isin(first.domain.inputs, second.domain.inputs).any()
    for one, other in zip(first.far, second.far, strict=True):
        assert not np.isin(one.rows.inputs, other.rows.inputs).any()
    np.testing.assert_array_equal(first.domain.targets, BUILDERS[name]().domain.targets)


@pytest.mark.parametrize("task_name", list(BUILDERS))
def test_truth_kind_is_what_the_far_sets_show(task: tasks.StandardizedTask) -> None:
    assert min(len(task.validation), len(task.test)) >= 200
    reach = [float(np.abs(far.rows.targets).max()) / task.target_max for far in task.far]
    if task.card.truth == "growing":
        assert reach[0] > 1.5
        assert sorted(reach) == reach
    else:
        assert max(reach) < 2
    assert all((task.distance(far.rows.inputs) > 1).all() for far in task.far)
