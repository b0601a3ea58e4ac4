"""Verifies a bundle: looks at all that needs no code, then trains sampled cells anew, confined, and compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bench.core.errors import InputError
from bench.core.origin import VERSIONED
from bench.submitting.agreement import Difference, Pair, compare, compare_instances, logarithm
from bench.submitting.bundle import Bundle
from bench.submitting.checks import Check, check_bundle
from bench.submitting.confined.layers import LAYERS, Layer, available
from bench.submitting.confined.remote import Allowance
from bench.submitting.measuring import UNSTEADY, Measured, Trial, measure
from bench.submitting.sampling import Draw, Sampled, disguised_trial, instances_trial, new_nonce, plain_trial
from leaderboard.publishing.entry import Entry
from leaderboard.publishing.packing import make_entry
from leaderboard.records.record import Record
from tasks import resolve

CELLS = 4
SEEDS = 5
_LEAST_SEEDS = 2
Say = Callable[[str], None]


@dataclass(frozen=True)
class How:
    """How a bundle is verified.

    Args:
        nonce: the verifier's, unknown to who hands in; drawn where it is not given.
        cells: how many are trained anew; None for all.
        seeds: fresh seeds of each question.
        layer: around the code; the outermost that works where it is not given.
        unsafe: run with nothing but limits where no layer works.
        allowance: of a confined process.
        accept_signs: somebody has read the lines that signs name.
    """

    nonce: str = field(default_factory=new_nonce)
    cells: int | None = CELLS
    seeds: int = SEEDS
    layer: Layer | None = None
    unsafe: bool = False
    allowance: Allowance = field(default_factory=Allowance)
    accept_signs: bool = False

    def __post_init__(self) -> None:
        if self.cells is not None and self.cells < 1:
            raise InputError(f"{self.cells} cells", where="--cells", hint="at least 1, or --all")
        if self.seeds < _LEAST_SEEDS:
            raise InputError(f"{self.seeds} seeds", where="--seeds", hint=f"at least {_LEAST_SEEDS}")
        if self.layer is not None and self.layer not in LAYERS:
            raise InputError(f"no layer {self.layer!r}", where="--layer", hint=f"one of {', '.join(LAYERS)}")

    def chosen_layer(self) -> Layer:
        """The layer that is taken.

        Raises:
            InputError: it does not work here, or none does and ``unsafe`` was not said.
        """
        there = available()
        chosen = self.layer or there[0]
        if chosen not in there:
            raise InputError(f"{chosen} does not work here", where="--layer", hint=f"there is {', '.join(there)}")
        if chosen == "limits" and not self.unsafe:
            hint = "install bubblewrap, or say --unsafe on a machine that you can lose"
            raise InputError("nothing here confines the code but limits", where="farfield verify", hint=hint)
        return chosen


@dataclass(frozen=True)
class Ran:
    """What came of one cell that was trained anew.

    Args:
        title: of the cell.
        question: ``plain``, ``disguised`` or ``instances``.
        statuses: of the fresh records.
        reason: why one is not ``ok``.
        unsteady: the largest relative difference of two answers for one point.
    """

    title: str
    question: str
    statuses: tuple[str, ...]
    reason: str
    unsteady: float


@dataclass(frozen=True)
class Verification:
    """Everything that was found of a bundle.

    Args:
        bundle: which.
        nonce: with which cells and seeds were drawn; empty where nothing ran.
        layers: what held around the code, in words.
        checks: those that need no code, then those of what ran.
        ran: the cells that were trained anew.
        differences: every test of claimed against fresh numbers, by question.
        cells, of: how many cells were trained anew, of how many.
        entry: the bundle with the numbers that were measured here; None unless every cell was.
    """

    bundle: Bundle
    nonce: str = ""
    layers: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    ran: tuple[Ran, ...] = ()
    differences: tuple[tuple[str, Difference], ...] = ()
    cells: int = 0
    of: int = 0
    entry: Entry | None = None

    @property
    def suspicious(self) -> bool:
        """Something was found that must not be."""
        return any(check.state == "found" for check in self.checks) or any(d.suspicious for _, d in self.differences)


def look(bundle: Bundle, accept_signs: bool = False) -> Verification:
    """All that needs no code of the bundle's."""
    return Verification(bundle, checks=tuple(check_bundle(bundle.entry, bundle.records, accept_signs)))


def verify(bundle: Bundle, how: How, say: Say = lambda text: None) -> Verification:
    """Look, then train sampled cells anew.

    A bundle that is found wrong by looking is not run.

    Args:
        bundle: which.
        how: it is done.
        say: told what is being done.

    Raises:
        InputError: nothing confines the code here.
    """
    looked = look(bundle, how.accept_signs)
    if looked.suspicious:
        return looked
    layer = how.chosen_layer()
    draw = Draw(bundle.entry.digest, how.nonce)
    every = draw.sample(bundle.records, None)
    here = [cell for cell in every if _has_data(cell.key.task)]
    if how.cells is None and len(here) < len(every):
        missing = ", ".join(sorted({cell.key.task for cell in every} - {cell.key.task for cell in here}))
        hint = "farfield show task says where data are from; or leave out --all"
        raise InputError(f"the data of {missing} are not here", where="--all", hint=hint)
    sampled = here if how.cells is None else here[: how.cells]
    results: list[tuple[Sampled, str, Trial, Measured]] = []
    for place, cell in enumerate(sampled):
        for question, trial in _trials(cell, draw, bundle, how.seeds):
            say(f"cell {place + 1} of {len(sampled)}, {question}: {cell.title}")
            searched = question == "plain" and how.cells is None
            results.append((cell, question, trial, measure(trial, layer, how.allowance, searched)))
    held = dict.fromkeys(result.held.words for *_, result in results if result.held)
    return replace(
        looked,
        nonce=how.nonce,
        layers=tuple(held) or (layer,),
        checks=(*looked.checks, *_checks(results)),
        ran=tuple(_ran(cell, question, result) for cell, question, _, result in results),
        differences=tuple(_differences(results)),
        cells=len(sampled),
        of=len(every),
        entry=_verified(bundle, results) if how.cells is None else None,
    )


def _has_data(task: str) -> bool:
    try:
        resolve(task).load()
    except InputError:
        return False
    return True


def _trials(cell: Sampled, draw: Draw, bundle: Bundle, seeds: int) -> Iterator[tuple[str, Trial]]:
    yield "plain", plain_trial(cell, draw, bundle.plugins, seeds)
    if cell.claimed[0].origin in VERSIONED:
        return  # code that FarField vouches for knows no task
    yield "disguised", disguised_trial(cell, draw, bundle.plugins, seeds)
    others = instances_trial(cell, draw, bundle.plugins, seeds)
    if others is not None:
        yield "instances", others


def _ran(cell: Sampled, question: str, result: Measured) -> Ran:
    reasons = [record.reason for record in result.records if record.reason]
    statuses = tuple(record.status for record in result.records)
    return Ran(cell.title, question, statuses, reasons[0] if reasons else "", result.unsteady)


def _checks(results: Sequence[tuple[Sampled, str, Trial, Measured]]) -> Iterator[Check]:
    """What the runs themselves show."""
    named: tuple[tuple[str, Callable[[Sampled, Measured], str]], ...] = (
        ("every cell trains here as it is claimed to", _trains),
        ("the code that ran is what the records name", _is_named),
        ("answers do not depend on what else was asked, or how often", _steady),
        ("networks are as large as claimed", _sized),
    )
    for name, found in named:
        faults = [f"{cell.title}: {what}" for cell, _, _, result in results if (what := found(cell, result))]
        yield Check(name, "found" if faults else "ok", "; ".join(dict.fromkeys(faults))[:1000])


def _trains(cell: Sampled, result: Measured) -> str:
    claimed = {record.status for record in cell.claimed}
    odd = [record for record in result.records if record.status not in {*claimed, "diverged"}]
    if odd:
        return f"{odd[0].status}: {odd[0].reason}"
    diverged = sum(record.status == "diverged" for record in result.records)
    if "diverged" not in claimed and 2 * diverged > len(result.records):
        return f"{diverged} of {len(result.records)} fresh seeds diverged, and none of those claimed"
    return ""


def _is_named(cell: Sampled, result: Measured) -> str:
    for name in ("architecture", "source_hash", "norm", "norm_hash"):
        if result.told and result.told.get(name) != getattr(cell.key, name):
            return f"{name} is {str(result.told.get(name))[:80]!r}, not {getattr(cell.key, name)[:80]!r}"
    return ""


def _steady(cell: Sampled, result: Measured) -> str:
    moved = result.unsteady
    return f"two answers for one point differ by {moved:.1e} of their size" if moved > UNSTEADY else ""


def _sized(cell: Sampled, result: Measured) -> str:
    fresh = {record.parameters for record in result.records if record.status == "ok"}
    claimed = {record.parameters for record in cell.claimed if record.status == "ok"}
    return f"{fresh} parameters, not {claimed}" if fresh and claimed and fresh != claimed else ""


def _differences(results: Sequence[tuple[Sampled, str, Trial, Measured]]) -> Iterator[tuple[str, Difference]]:
    """Claimed against fresh; fresh against disguised; fresh and claimed against other instances."""
    measured = {(cell.key, question): result.records for cell, question, _, result in results if result.told}
    claimed, disguised, instances = [], [], []
    for cell in dict.fromkeys(cell for cell, *_ in results):
        plain = measured.get((cell.key, "plain"))
        if plain is None:
            continue
        pair = partial(_pair, cell)
        claimed += [pair(name, cell.claimed, plain) for name in ("id_error", "far_error", "growth")]
        if hidden := measured.get((cell.key, "disguised")):
            disguised += [pair(name, plain, hidden) for name in ("id_error", "far_error")]
        if others := measured.get((cell.key, "instances")):
            instances.append(pair("far_error", plain, others))
    yield from (("claimed", found) for found in compare(claimed, "claimed"))
    yield from (("disguised", found) for found in compare(disguised, "disguised"))
    yield from (("instances", found) for found in compare_instances(instances))


def _pair(cell: Sampled, name: str, claimed: Sequence[Record], fresh: Sequence[Record]) -> Pair:
    sides = (tuple(logarithm(record, name) for record in side) for side in (claimed, fresh))
    return Pair(cell.title, name, *sides)


def _verified(bundle: Bundle, results: Sequence[tuple[Sampled, str, Trial, Measured]]) -> Entry | None:
    """The entry with what was measured here; of cells that nobody can train the records say so as before."""
    anew = {cell.key: result.records for cell, question, _, result in results if question == "plain"}
    records = [record for records in anew.values() for record in records]
    records += [record for record in bundle.records if record.key.cell not in anew]
    if not all(record.is_final for record in records):
        return None
    return make_entry(records, bundle.entry.card, bundle.entry.sources, bundle.entry.suite)
