"""Real sweeps in real worker processes."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.cell.outcome import Outcome
from bench.core.errors import InputError
from bench.plan.jobs import Job, Selection, cells_of
from leaderboard.records.record import Record
from leaderboard.records.store.store import Store, store_lock

SMALL = "mlp(width=8, depth=1)"

FAULTY = """
import os, signal, time
import torch
from torch import nn
from architectures import register_architecture

class Faulty(nn.Module):
    def __init__(self, fault):
        super().__init__()
        self.fault = fault
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        if x.device.type == "meta":
            return self.linear(x)
        FAULTS[self.fault]()
        if self.fault == "nan":
            return self.linear(x) * float("nan")
        if self.fault == "far-nan":
            return torch.where(x.abs() > 1000, torch.nan, self.linear(x))
        return self.linear(x)

def oops():
    raise RuntimeError("this network is broken")

FAULTS = {
    "raises": oops,
    "exits": lambda: os._exit(7),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hangs": lambda: time.sleep(600),
    "system-exit": lambda: (_ for _ in ()).throw(SystemExit(3)),
    "eats-memory": lambda: torch.ones(2**33),
    "nan": lambda: None,
    "far-nan": lambda: None,
}

@register_architecture("faulty", inputs=("features",))
def faulty(problem, norm, fault: str = "raises"):
    return Faulty(fault)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "faulty.py"
    path.write_text(FAULTY)
    return path


def values(record: Record) -> dict[str, object]:
    """All that does not measure time."""
    return {name: getattr(record, name) for name in Record.__dataclass_fields__ if name not in ("seconds", "created")}


def test_a_sweep_resumes_and_never_recomputes(tmp_path: Path) -> None:
    def sweep(out: str, seeds: str) -> bench.Results:
        return bench.run(
            tasks=["double-well"],
            architectures=[SMALL, "mean"],
            norms=["none", "layer@first"],
            seeds=seeds,
            protocol="quick",
            out=tmp_path / out,
        )

    first = sweep("a", "1")
    assert (first.fresh, first.counts, first.complete) == (3, {"ok": 3}, True)
    more = sweep("a", "3")
    assert more.fresh == 6  # two more seeds of two schemes and of the mean, which has a record a draw
    again = sweep("a", "3")
    assert again.fresh == 0
    assert [values(r) for r in again.records] == [values(r) for r in more.records]
    whole = sweep("b", "3")
    # a record does not depend on the other seeds that train beside it; float32 rounding may differ in a stack, and the
    # task takes few enough steps that training does not make more of it
    with Store(whole.store) as here, Store(more.store) as there:
        for one, other in zip(whole.records, more.records, strict=True):
            assert one.key == other.key
            assert one.id_error == pytest.approx(other.id_error, rel=1e-3)
            for curve in ("curve.train", "curve.validation"):
                mine, theirs = (store.details(one.key, curve).get(curve) for store in (here, there))
                assert mine == (theirs and pytest.approx(theirs, rel=1e-5))
    frame = whole.frame()
    assert len(frame) == 9
    trained = [r for r in whole.records if r.key.architecture != "mean"]
    # forwards 2·(16 + 8) operations a row; backwards the weights' gradients and the head's input gradient
    assert {r.step_operations for r in trained} == {256 * (2 * 24 + 2 * 24 + 2 * 8)}
    assert frame["far_error"].notna().all()


def test_two_schemes_start_from_the_same_weights_and_a_bounded_one_stays_bounded(tmp_path: Path) -> None:
    results = bench.run(
        tasks=["linear-1d"],
        architectures=["mlp(width=32)"],
        norms=["none", "layer@first"],
        seeds=2,
        protocol="quick",
        out=tmp_path,
    )
    by_norm = {norm: [r for r in results.records if r.key.norm == norm] for norm in ("none", "layer@first")}
    for free, bounded in zip(by_norm["none"], by_norm["layer@first"], strict=True):
        assert free.exponent == pytest.approx(1.0, abs=0.01)
        assert bounded.exponent == pytest.approx(0.0, abs=0.01)
        assert free.far_error is not None
        assert bounded.far_error is not None
        assert free.far_error < bounded.far_error < 1.0  # the truth grows: the bounded network must lose
        for record in (free, bounded):
            assert record.far_kind == "distance"
            assert {s.beyond for s in record.sets if s.role == "far"} == {1.0}
            assert [r for r, _ in record.worst_growth] == [10, 100, 1e4]
            for r, worst in record.worst_growth:
                growth = record.growth_at(r)
                assert worst is not None
                assert growth is not None
                assert worst >= growth * (1 - 1e-12), f"the search at {r} missed what a ray found"


@pytest.mark.parametrize(
    ("fault", "status", "reason", "code"),
    [
        ("raises", "failed", "RuntimeError: this network is broken", "error"),
        ("exits", "failed", "exit code 7", "exited"),
        ("killed", "failed", "SIGKILL", "killed"),
        ("hangs", "timeout", "longer than", "time_limit"),
        ("system-exit", "failed", "SystemExit", "error"),
        ("eats-memory", "failed", "emory", "out_of_memory"),
        ("nan", "diverged", "every learning rate diverged", "diverged"),
    ],
)
def test_every_fault_becomes_a_record_and_the_sweep_goes_on(
    tmp_path: Path, plugin: Path, fault: str, status: str, reason: str, code: str
) -> None:
    results = bench.run(
        tasks=["sine-1d"],
        architectures=[f"faulty(fault={fault})", "mean"],
        seeds=2,
        protocol="quick",
        out=tmp_path / "out",
        plugins=[plugin],
        timeout=4 if fault == "hangs" else 60,
        memory_limit=24 if fault == "eats-memory" else None,
        workers=1,
    )
    statuses = [r.status for r in results.records]
    assert statuses == [status, status, "ok", "ok"]
    assert reason in (results.records[0].reason or "")
    assert results.records[0].reason_code == code
    assert results.records[0].id_error is None
    assert results.complete == (status == "diverged")


def test_a_network_that_was_too_large_runs_once_the_limit_is_raised(tmp_path: Path) -> None:
    def sweep(**more: int | bool) -> bench.Results:
        return bench.run(
            tasks=["linear-1d", "diabetes"],
            architectures=SMALL,
            seeds=1,
            protocol="quick",
            out=tmp_path,
            wandb="disabled",
            **more,
        )

    small, refused = sweep(max_parameters=50).records
    assert small.status == "ok"
    assert (refused.status, "more than the 50 allowed" in (refused.reason or "")) == ("failed", True)
    assert [record.status for record in sweep(retry=True).records] == ["ok", "ok"]


def test_the_program_is_recorded_and_can_be_chosen(tmp_path: Path) -> None:
    def trained_by(program: str | None, out: str) -> tuple[str, str | None]:
        (record,) = bench.run(
            tasks="linear-1d",
            architectures=SMALL,
            seeds=1,
            protocol="quick",
            out=tmp_path / out,
            wandb="disabled",
            program=program,
        ).records
        return record.status, record.program

    assert trained_by(None, "chosen") == ("ok", "chain")
    assert trained_by("loop", "loop") == ("ok", "loop")
    with pytest.raises(InputError, match="chain, vmap or loop"):
        trained_by("lop", "none")


def test_estimators_alone_take_no_norm() -> None:
    with pytest.raises(InputError, match=r"estimators take no norm \[layer@all for ridge, mean\]: none"):
        cells_of([Selection(("linear-1d",), ("ridge", "mean"), ("layer@all",))], "2")
    mixed = cells_of([Selection(("linear-1d",), ("ridge", "mlp"), ("layer@all",))], "2")
    assert [cell.norm for cell in mixed] == ["none", "layer@all"]


def test_retry_runs_what_failed_and_nothing_else(tmp_path: Path, plugin: Path) -> None:
    def sweep(retry: bool) -> bench.Results:
        return bench.run(
            tasks=["sine-1d"],
            architectures=["faulty", "mean"],
            seeds=1,
            protocol="quick",
            out=tmp_path / "out",
            plugins=[plugin],
            retry=retry,
        )

    assert sweep(False).fresh == 2
    assert sweep(False).fresh == 0
    assert sweep(True).fresh == 1


def test_a_network_that_is_undefined_far_away_only_is_counted_not_repaired(tmp_path: Path, plugin: Path) -> None:
    (record,) = bench.run(
        tasks=["sine-1d"],
        architectures=["faulty(fault=far-nan)"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        plugins=[plugin],
    ).records
    assert record.status == "ok"
    assert record.id_error is not None
    assert record.max_growth == math.inf
    assert record.exponent is None
    assert record.nonfinite[0] == 0
    assert record.nonfinite[-1] == 2
    assert record.growth[-1] is None


def test_what_a_family_cannot_take_is_unsupported_in_a_product_and_bad_input_alone(tmp_path: Path) -> None:
    results = bench.run(
        tasks=["sine-1d"],
        architectures=[SMALL, "transformer"],
        norms=["layer@pre"],
        seeds=1,
        protocol="quick",
        out=tmp_path,
    )
    assert [r.status for r in results.records if r.key.architecture.startswith("mlp")] == ["unsupported"]
    with pytest.raises(InputError, match="pre"):
        bench.run(tasks=["sine-1d"], architectures=[SMALL], norms=["layer@pre"], seeds=1, out=tmp_path)


def test_a_second_sweep_on_one_store_is_turned_away(tmp_path: Path) -> None:
    with store_lock(tmp_path / "records.sqlite"), pytest.raises(InputError, match="writing to this store"):
        bench.run(tasks=["sine-1d"], architectures=["mean"], seeds=1, protocol="quick", out=tmp_path)


def test_records_are_stored_before_anybody_hears_of_them(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Watching:
        def begin(self, jobs: list[Job], finished: int) -> None:
            assert (len(jobs), finished) == (1, 0)

        def done(self, job: Job, outcomes: list[Outcome]) -> None:
            with Store(tmp_path / "records.sqlite") as store:
                seen.append(all(o.record.key in store for o in outcomes))

    bench.run(
        tasks=["sine-1d"], architectures=["ridge"], seeds=1, protocol="quick", out=tmp_path, watchers=[Watching()]
    )
    assert seen == [True]


def test_weights_are_kept_on_request_and_give_the_recorded_error(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    import architectures
    import tasks
    from architectures.building import build
    from bench.cell.probing import evaluate, network_predict

    (record,) = bench.run(
        tasks=["sine-1d"], architectures=[SMALL], seeds=1, protocol="quick", out=tmp_path, keep_weights=True
    ).records
    (file,) = (tmp_path / "weights").glob("*.safetensors")
    task = tasks.resolve("sine-1d").load()
    module = build(architectures.resolve(SMALL), architectures.parse_scheme("none"), task.problem, 0)
    module.load_state_dict(load_file(file))
    assert evaluate(network_predict(module), task)[0].relative_error == pytest.approx(record.id_error, rel=1e-9)


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError):
        bench.run(tasks=["sine-1d"], architectures=["mean"], seeds=1, protocol="quick", out=blocked)


SCRIPT = """
import bench
from torch import nn
from architectures import register_architecture

@register_architecture("scripted", inputs=("features",))
def scripted(problem, norm):
    return nn.Linear(problem.size, 1)

results = bench.run(tasks="sine-1d", architectures=["mean", "scripted"], protocol="quick", seeds=1, wandb="disabled")
print(sorted(r.status for r in results.records))
"""


@pytest.mark.parametrize("from_stdin", [False, True])
def test_a_script_needs_no_guard(tmp_path: Path, from_stdin: bool) -> None:
    code = SCRIPT.replace(', "scripted"]', "]") if from_stdin else SCRIPT  # workers cannot read stdin again
    (tmp_path / "script.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-" if from_stdin else "script.py"],
        input=code if from_stdin else None,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout == ("['ok']\n" if from_stdin else "['ok', 'ok']\n"), done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    plugin = tmp_path / "shy.py"
    plugin.write_text("import multiprocessing\nassert multiprocessing.parent_process() is None, 'not in a worker'\n")
    results = bench.run(
        tasks=["sine-1d"], architectures=["mean"], out=tmp_path, protocol="quick", wandb="disabled", plugins=[plugin]
    )
    assert [r.status for r in results.records] == ["failed"] * 5
    assert "a worker could not start" in (results.records[0].reason or "")
    assert "not in a worker" in (results.records[0].reason or "")
