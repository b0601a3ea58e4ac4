"""Seed k uses draw k: what draws of a task share, and what they do not."""

import numpy as np
import pytest

import tasks
from bench.core.errors import InputError
from bench.core.seeding import edition_of, generator
from bench.core.signature import takes
from tasks.registry import REGISTRY

NAMES = tasks.list_tasks()


def row_set(rows: tasks.Rows) -> set[bytes]:
    return {row.tobytes() for row in rows.inputs}


@pytest.mark.parametrize("task_name", NAMES)
def test_draws_of_every_task(here: tasks.Task) -> None:
    task = here
    first, second = task.load_raw(0), task.load_raw(1)
    hashes = task.data_hashes((0, 1))
    assert hashes == task.data_hashes((0, 1))
    assert hashes[0] != hashes[1]
    assert edition_of(hashes[0]) == edition_of(hashes[1])
    assert abs(len(first.train) - len(second.train)) <= 0.06 * len(first.train)  # clusters differ in size
    assert [far.name for far in first.far] == [far.name for far in second.far]
    for raw in (first, second):
        assert not row_set(raw.train) & row_set(raw.test)
        assert not row_set(raw.train) & row_set(raw.validation)
    shared = row_set(first.train) & row_set(second.train)
    if takes(task.card.build, "draw"):
        assert len(first.train) == len(second.train)
        assert not shared
        assert not row_set(first.test) & row_set(second.test)
        assert not any(row_set(a.rows) & row_set(b.rows) for a, b in zip(first.far, second.far, strict=True))
        assert min(len(first.validation), len(first.test)) >= 200
    else:
        assert 0.5 * len(row_set(first.train)) < len(shared) < len(row_set(first.train))
        whole = [row_set(r.train) | row_set(r.validation) | row_set(r.test) for r in (first, second)]
        if task.card.kind != "features":  # columns are imputed by the training rows of the split
            assert whole[0] == whole[1]
    if first.truth_function is not None and second.truth_function is not None:
        points = np.concatenate([first.train.inputs, second.far[-1].rows.inputs])
        np.testing.assert_array_equal(first.truth_function(points), second.truth_function(points))


@pytest.mark.parametrize("name", ["sine-1d", "friedman1-8d(instance=3)"])
def test_test_and_far_targets_are_the_truth_and_the_noise_of_draws_is_one(name: str) -> None:
    deviations = []
    for draw in range(4):
        raw = tasks.resolve(name).load_raw(draw)
        assert raw.truth_function is not None
        for rows in (raw.test, *(far.rows for far in raw.far)):
            np.testing.assert_array_equal(rows.targets, raw.truth_function(rows.inputs))
        noise = [rows.targets - raw.truth_function(rows.inputs) for rows in (raw.train, raw.validation)]
        deviations += [float(error.std()) for error in noise]
    assert max(deviations) < 1.5 * min(deviations)
    assert min(deviations) > 0


def test_shells_lie_around_the_rows_of_their_own_draw() -> None:
    for draw in range(3):
        task = tasks.resolve("quadratic-1d").load(draw)
        for far, (inner, outer) in zip(task.far, ((1, 2), (2, 5), (5, 10)), strict=True):
            distance = task.distance(far.rows.inputs)
            assert inner - 1e-9 <= distance.min() < distance.max() <= outer + 1e-9


def test_data_of_the_world_are_built_once_for_all_their_draws(forget: None) -> None:
    built = []

    def rows(sides: int = 2) -> tasks.Samples:
        built.append(sides)
        x = generator("world").standard_normal((300, sides))
        return tasks.Samples(tasks.Rows(x, x[:, 0]), (tasks.FarSet("away", tasks.Rows(x + 50, x[:, 0])),))

    tasks.register_task("world", target="x", truth="growing", far_rule="away")(rows)
    try:
        task = tasks.resolve("world(sides=3)")
        hashes = task.data_hashes(range(5))
        assert built == [3]
        assert [task.load(draw).data_hash for draw in range(5)] == list(hashes)
        assert len(set(hashes)) == 5
        assert built == [3, 3]
        assert task.load(4).draw == 4
    finally:
        REGISTRY.remove("world")


def test_a_draw_is_no_option_and_has_a_number() -> None:
    def waves(frequency: float = 1.0, *, draw: int = 0) -> tasks.Samples:
        x = generator("waves", draw).uniform(-1, 1, (200, 1))
        return tasks.Samples(tasks.Rows(x, np.sin(frequency * x[:, 0])), truth=lambda x: np.sin(frequency * x[:, 0]))

    tasks.register_task("drawn-waves", target="the wave", truth="bounded", far_rule="shells")(waves)
    try:
        task = tasks.resolve("drawn-waves(frequency=2)")
        assert not row_set(task.load_raw(0).train) & row_set(task.load_raw(3).train)
        with pytest.raises(InputError, match="unknown option 'draw'"):
            tasks.resolve("drawn-waves(draw=1)")
        with pytest.raises(InputError, match="draw -1"):
            task.load(-1)
    finally:
        REGISTRY.remove("drawn-waves")


def test_parts_that_a_builder_gives_may_not_share_rows() -> None:
    x = generator("shared").standard_normal((100, 1))
    rows = tasks.Rows(x, x[:, 0])
    with pytest.raises(InputError, match="together"):
        tasks.Samples(rows, test=rows)

    def same() -> tasks.Samples:
        return tasks.Samples(rows, truth=lambda x: x[:, 0], validation=rows.take(np.arange(3)), test=rows)

    tasks.register_task("shared-rows", target="x", truth="growing", far_rule="shells")(same)
    try:
        with pytest.raises(InputError, match="in common"):
            tasks.resolve("shared-rows").load()
    finally:
        REGISTRY.remove("shared-rows")
