"""Known functions, and how their growth reads: the table in ``docs/method.md`` is this one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import tasks
from bench.cell import probing
from bench.cell.directions import axis_directions, directions
from leaderboard.records import metrics
from tasks.data.samples import StandardizedTask

DOCS = Path(__file__).parents[3] / "docs" / "method.md"
Function = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Of the distance r and of u, the input along one direction; both of shape (n,)."""


@dataclass(frozen=True)
class Known:
    """A function, the kind of growth that it has, and what is read of it: exponent and local exponent."""

    name: str
    function: Function
    truth: str
    exponent: float
    local: float
    reads: str

    @property
    def row(self) -> str:
        """Of the table in the docs."""
        wrong = " (misread)" if self.truth != self.reads else ""
        numbers = " | ".join("not finite" if v == np.inf else f"{v:.2f}" for v in (self.exponent, self.local))
        return f"| {self.name} | {self.truth} | {numbers} | {self.reads}{wrong} |"


def noise(r: np.ndarray, u: np.ndarray) -> np.ndarray:
    waves = np.random.default_rng(0).normal(0, 3, size=(400, 2))
    return sum(np.sin(w * u + phase) for w, phase in waves) / 20  # type: ignore[return-value]


KNOWN = (
    Known("0", lambda r, u: 0 * r, "bounded", 0.0, 0.0, "bounded"),
    Known("a constant", lambda r, u: 0 * r + 2, "bounded", 0.0, 0.0, "bounded"),
    Known("sin(u)", lambda r, u: np.sin(u), "bounded", 0.0, 0.0, "bounded"),
    Known("sin(3 u) + sin(u + 1)", lambda r, u: np.sin(3 * u) + np.sin(u + 1), "bounded", 0.0, 0.0, "bounded"),
    Known("tanh(u)", lambda r, u: np.tanh(u), "bounded", 0.0, 0.0, "bounded"),
    Known("a step: 1 where u > 0", lambda r, u: (u > 0) * 1.0, "bounded", 0.0, 0.0, "bounded"),
    Known("u clamped to ±3", lambda r, u: np.clip(u, -3, 3), "bounded", 0.0, 0.0, "bounded"),
    Known("1 / (1 + r)", lambda r, u: 1 / (1 + r), "bounded", 0.0, 0.0, "bounded"),
    Known("r until 1e3, then flat", lambda r, u: np.minimum(r, 1e3), "bounded", 0.0, 0.0, "bounded"),
    Known("r until 1e3, then 0", lambda r, u: np.where(r < 1e3, r, 0), "bounded", 0.0, 0.0, "bounded"),
    Known("r / √(r² + 1e8), as an eps in a norm", lambda r, u: r / np.hypot(r, 1e4), "bounded", 0.0, 0.87, "bounded"),
    Known("r", lambda r, u: r, "linear", 1.0, 1.0, "linear"),
    Known("u", lambda r, u: u, "linear", 1.0, 1.0, "linear"),
    Known("1 + 1e-4 r", lambda r, u: 1 + 1e-4 * r, "linear", 1.0, 0.25, "linear"),
    Known("u sin(u)", lambda r, u: u * np.sin(u), "linear", 1.0, 1.0, "linear"),
    Known("√r", lambda r, u: np.sqrt(r), "sublinear", 0.5, 0.5, "sublinear"),
    Known("√r sin(u)", lambda r, u: np.sqrt(r) * np.sin(u), "sublinear", 0.5, 0.5, "sublinear"),
    Known("log(1 + r)", lambda r, u: np.log1p(r), "sublinear", 0.06, 0.12, "sublinear"),
    Known("r²", lambda r, u: r**2, "superlinear", 2.0, 2.0, "superlinear"),
    Known("r log(1 + r)", lambda r, u: r * np.log1p(r), "superlinear", 1.06, 1.12, "superlinear"),
    Known("exp(r)", lambda r, u: np.exp(r), "superlinear", np.inf, np.inf, "superlinear"),
    Known("10 + log(1 + r)", lambda r, u: 10 + np.log1p(r), "sublinear", 0.04, 0.06, "bounded"),
    Known("log(1 + log(1 + r))", lambda r, u: np.log1p(np.log1p(r)), "sublinear", 0.02, 0.05, "bounded"),
    Known("r^0.97", lambda r, u: r**0.97, "sublinear", 0.97, 0.97, "linear"),
    Known("1 + 1e-6 r", lambda r, u: 1 + 1e-6 * r, "linear", 0.89, 0.0, "sublinear"),
    Known("r until 1e7, then flat", lambda r, u: np.minimum(r, 1e7), "bounded", 0.5, 1.0, "sublinear"),
)  # fmt: skip
NAMES = ("sine-1d", "norm-8d")


DRAWS = range(3)


@cache
def loaded(name: str, draw: int = 0) -> StandardizedTask:
    return tasks.resolve(name).load(draw)


def predicting(task: StandardizedTask, function: Function) -> probing.Predict:
    along = np.random.default_rng(0).normal(size=task.problem.shape)
    along /= np.linalg.norm(along)

    def predict(inputs: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            return function(task.distance(inputs), inputs @ along)

    return predict


def read(name: str, function: Function, draw: int = 0) -> probing.Beyond:
    task = loaded(name, draw)
    return probing.probe_beyond(predicting(task, function), task, directions(task), axis_directions(task))


@pytest.mark.parametrize("task", NAMES)
@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_a_known_function_reads_as_the_docs_say(task: str, known: Known) -> None:
    """The verdict at every draw, the slopes at the median of them: one decade of a wave depends on the rays."""
    every = [read(task, known.function, draw) for draw in DRAWS]
    for seen in every:
        slopes = (seen.exponent, seen.axis_exponent)
        larger = np.inf if None in slopes else max(s for s in slopes if s is not None)
        assert metrics.GROWTH_KINDS[metrics.growth_kind(larger)] == known.reads
        assert (seen.nonfinite > 0) == (known.exponent == np.inf)
    beyond, local = ([np.inf if s is None else s for s in found] for found in _slopes(every))
    assert np.median(beyond) == pytest.approx(known.exponent, abs=0.03)
    assert np.median(local) == pytest.approx(known.local, abs=0.03)


def _slopes(every: list[probing.Beyond]) -> tuple[list[float | None], list[float | None]]:
    return [seen.exponent for seen in every], [seen.local_exponent for seen in every]


def test_the_table_in_the_docs_is_this_one() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [known.row for known in KNOWN if known.row not in text] == []


def test_what_is_like_noise_along_a_ray_reads_little_more_than_bounded() -> None:
    """Peaks that are rare go on to be found: the docs name this."""
    assert 0 <= (read("sine-1d", noise).exponent or 0) < 0.12
    assert 0 <= (read("norm-8d", noise).exponent or 0) < 0.12


def test_the_exponent_is_scipy_s_slope_of_the_running_maximum_and_knows_no_scale() -> None:
    random = np.random.default_rng(3)
    radii = metrics.probe_radii(metrics.FAR_SPAN, random)
    growth = np.exp(random.normal(0, 1, len(radii))) * radii**0.3
    highest = [max(growth[: place + 1]) for place in range(len(growth))]
    slope = stats.theilslopes(np.log(highest), np.log(radii)).slope
    assert metrics.exponent(radii, growth) == pytest.approx(slope, rel=1e-12)
    assert metrics.exponent(radii, 1e3 * growth) == pytest.approx(slope, rel=1e-9)
    assert slope >= 0
    assert metrics.exponent(radii, growth / growth.max() * 1e-7) == 0.0, "all of it lies below the floor"
    assert metrics.exponent(radii, [*growth[:-1], np.inf]) is None


@pytest.mark.parametrize("span", [metrics.FAR_SPAN, metrics.LOCAL_SPAN])
def test_radii_stand_between_rungs_of_1_2_and_5_a_decade(span: tuple[float, float]) -> None:
    radii = metrics.probe_radii(span, np.random.default_rng(0))
    decades = round(np.log10(span[1] / span[0]))
    edges = np.array([m * span[0] * 10.0**d for d in range(decades) for m in (1, 2, 5)] + [span[1]])
    assert np.histogram(radii, edges)[0].tolist() == [metrics.RADII_A_RUNG] * (3 * decades)
    assert (np.diff(radii) > 0).all()


def test_what_is_drawn_depends_on_the_task_alone() -> None:
    seen: list[np.ndarray] = []

    def record(inputs: np.ndarray) -> np.ndarray:
        seen.append(inputs)
        return inputs.sum(axis=1)

    lengths = []
    for _ in range(2):
        task = tasks.resolve("norm-8d").load()
        probing.probe_beyond(record, task, directions(task), axis_directions(task))
        lengths.append(len(seen))
    assert lengths[1] == 2 * lengths[0]
    assert all((a == b).all() for a, b in zip(seen[: lengths[0]], seen[lengths[0] :], strict=True))
    assert not np.array_equal(axis_directions(loaded("norm-8d"))[-5:], axis_directions(loaded("product-8d"))[-5:])
