"""What a sweep costs beside training: ratios between sizes, side by side, never absolute times."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bench
import tasks
from bench.core.errors import InputError
from bench.plan.jobs import Cell, Job, Selection, Settings, cells_of, make_plan, record_keys
from bench.sweep.workers.pool import AHEAD, LocalExecutor
from tasks.drawing import Draws
from tools.speed.parts import overheads

ROOT = Path(__file__).parents[3]
SEEDS = (0, 1, 2, 3, 4)


def cells(number: int) -> list[Cell]:
    widths = tuple(f"mlp(width={8 + i})" for i in range(number // 20))
    names = tuple(f"sine-1d(instance={i})" for i in range(4))
    return cells_of([Selection(names, widths, ("none", "layer@first", "layer@last", "layer@all", "rms@all"))], "2")


def seconds(function: Callable[[], object]) -> float:
    """Processor time, the least of three: what it takes when nobody disturbs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def test_planning_costs_in_proportion_to_records() -> None:
    few, many = cells(400), cells(4000)
    digests = [frozenset(make_plan(some, SEEDS, ()).digests) for some in (few, many)]
    assert [len(d) for d in digests] == [2_000, 20_000]
    assert not make_plan(many, SEEDS, digests[1]).jobs
    small = seconds(lambda: make_plan(few, SEEDS, digests[0]))
    large = seconds(lambda: make_plan(many, SEEDS, digests[1]))
    assert large < 30 * small  # ten times as much; a square would be a hundred times


def test_every_draw_is_loaded_once_however_many_cells_a_task_has(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, int]] = []
    load = Draws.raw

    def counting(draws: Draws, draw: int) -> tasks.RawTask:
        raw = load(draws, draw)
        loaded.append((raw.train.inputs.tobytes().hex()[:64], draw))
        return raw

    monkeypatch.setattr(Draws, "raw", counting)
    some = cells(100)
    assert len(make_plan(some, SEEDS, ()).digests) == 500
    assert len(loaded) == len(set(loaded)) == len({cell.task for cell in some}) * len(SEEDS)


def test_a_plan_names_every_record_and_leaves_out_what_is_finished() -> None:
    some = cells_of([Selection(("sine-1d",), ("mlp(width=8)", "mean"), ("none", "layer@first"))], "quick")
    keys = [key for cell in some for key in record_keys(cell, SEEDS)]
    plan = make_plan(some, SEEDS, {keys[0].digest(), keys[7].digest()})
    assert list(plan.digests) == [key.digest() for key in keys]
    assert len(keys) == 15  # the mean has five, too, under no norm
    assert len({key.data_hash for key in keys}) == len(SEEDS)
    assert len({key.cell for key in keys}) == 3
    left = [key for job in plan.jobs for key in job.keys]
    assert left == [key for place, key in enumerate(keys) if place not in (0, 7)]
    assert make_plan(some, SEEDS, plan.digests).jobs == ()


def test_a_long_sweep_is_handed_out_little_by_little() -> None:
    jobs = make_plan(cells_of([Selection(("sine-1d", "linear-1d"), ("mean", "ridge"))], "quick"), (0,), ()).jobs
    wanted = 5 * jobs
    taken = 0

    def one_by_one() -> Iterator[Job]:
        nonlocal taken
        for job in wanted:
            taken += 1
            yield job

    answered = 0
    with LocalExecutor(1, Settings()) as executor:
        for together in executor.run(one_by_one()):
            answered += len(together)
            assert taken <= answered + AHEAD
            assert all(outcome.record.status == "ok" for _, outcomes in together for outcome in outcomes)
    assert answered == taken == len(wanted)


def test_what_ends_quickly_is_answered_together() -> None:
    jobs = make_plan(cells_of([Selection(("sine-1d", "linear-1d"), ("mean", "ridge"))], "quick"), (0,), ()).jobs
    with LocalExecutor(1, Settings()) as executor:
        batches = [len(together) for together in executor.run(10 * jobs)]
    assert sum(batches) == 40
    assert len(batches) < 40


@pytest.mark.parametrize("kind", ["tasks", "protocols", "norms"])
def test_cards_are_listed_without_numpy(kind: str) -> None:
    listed = f"from bench.cli import main\nassert main(['list', {kind!r}]) == 0\n"
    program = f"import sys\n{listed}assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_the_server_that_workers_come_from_ends_without_a_word(tmp_path: Path) -> None:
    program = (
        "import os, bench\n"
        "from multiprocessing import forkserver\n"
        f"bench.run(tasks=['sine-1d'], architectures=['mean'], seeds=1, protocol='quick', "
        f"wandb='disabled', out={str(tmp_path)!r})\n"
        "server = forkserver._forkserver\n"
        "os.close(server._forkserver_alive_fd)\n"
        "assert os.waitpid(server._forkserver_pid, 0)[1] == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""


def test_the_process_that_coordinates_never_loads_torch(tmp_path: Path) -> None:
    program = (
        "import sys, bench\n"
        "results = bench.run(tasks=['sine-1d'], architectures=['mlp(width=8, depth=1)', 'mean'], seeds=1,"
        f" protocol='quick', out={str(tmp_path)!r})\n"
        "assert results.counts == {'ok': 2}, results.counts\n"
        "assert not {'torch', 'sklearn', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_results_say_how_it_went_without_reading_a_record(tmp_path: Path) -> None:
    results = bench.run(tasks=["sine-1d"], architectures=["mean", "ridge"], seeds=1, protocol="quick", out=tmp_path)
    results.store.unlink()
    assert (len(results.records), results.counts, results.complete) == (2, {"ok": 2}, True)
    with pytest.raises(InputError, match="no store"):
        list(results.records)


def test_the_measurement_of_overheads_runs() -> None:
    found = list(overheads.measure(records=500, cells=4, repeats=1))
    assert len(found) == overheads.FIGURES
    assert all(one.processor > 0 for one in found[:-1])
    text = overheads.table(found)
    assert all(one.name in text for one in found)
