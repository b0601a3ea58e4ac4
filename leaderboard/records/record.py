"""A record: everything measured for one seed of one cell. Never dropped, never repaired.

The schema is closed: an unknown field, a missing one, a wrong type or a number that is not finite is refused,
when a record is built as when one is read. What was not finite is ``None`` beside a count of how many were not.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bench.core.errors import InputError, ReasonCode
from bench.core.origin import Origin
from bench.core.seeding import edition_of
from leaderboard.records.upgrading import upgrade

SCHEMA_VERSION: Literal[3] = 3
Status = Literal["ok", "diverged", "unsupported", "failed", "timeout"]
STATUSES: tuple[Status, ...] = get_args(Status)
FINAL_STATUSES: frozenset[Status] = frozenset({"ok", "diverged", "unsupported"})  # the others may run again
Truth = Literal["bounded", "growing", "unknown"]
FarKind = Literal["distance", "length", "shift"]
Role = Literal["test", "far"]
Program = Literal["chain", "vmap", "loop", "heads"]

MOST_CHARACTERS = 2000  # of any text in a record
_MOST_IN_ALL = 1_000_000  # of a record's JSON; an honest one takes about 4,000
_CLOSED = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
Hash = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Count = Annotated[int, Field(ge=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Numbers = Annotated[tuple[NotNegative | None, ...], Field(max_length=200)]
Readings = Annotated[tuple[tuple[Positive, NotNegative | None], ...], Field(max_length=200)]


@dataclass(frozen=True, order=True, config=_CLOSED)
class CellKey:
    """What a cell's records share: the key without the seed, and of the data hash what all draws of a task share.

    ``edition`` is that beginning of the data hashes (:func:`bench.core.seeding.edition_of`): it names the data. Records
    of data that changed are of another cell, whatever their seeds.
    """

    protocol: Text
    task: Text
    task_version: Text
    edition: Text
    architecture: Text
    source_hash: Text
    norm: Text
    norm_hash: Hash = ""

    def digests(self, draws: Iterable[tuple[int, str]]) -> list[str]:
        """:meth:`RecordKey.digest` of each seed, given with the data hash of its draw."""
        return _digests(self, draws)

    def with_seed(self, seed: int, data_hash: str) -> RecordKey:
        """The key of the cell's record of this seed.

        Args:
            seed: of the record.
            data_hash: of the seed's draw.
        """
        return RecordKey(**{name: getattr(self, name) for name in _SHARED}, seed=seed, data_hash=data_hash)


@dataclass(frozen=True, order=True, config=_CLOSED)
class RecordKey:
    """What a record depends on, and nothing else: not the other seeds, not what ran beside it.

    ``task``, ``architecture`` and ``norm`` are canonical spellings; ``data_hash``, ``source_hash`` and ``norm_hash``
    name the numbers (of the seed's draw), the code of the architecture and that of the norm's kinds (empty for
    ``none``).
    """

    protocol: Text
    task: Text
    task_version: Text
    data_hash: Text
    architecture: Text
    source_hash: Text
    norm: Text
    seed: Count
    norm_hash: Hash = ""

    @property
    def cell(self) -> CellKey:
        """What the records of its cell share."""
        return CellKey(**{name: getattr(self, name) for name in _SHARED}, edition=edition_of(self.data_hash))

    def digest(self) -> str:
        """SHA-256 (hex) over the length-prefixed parts, the same on every machine."""
        return _digests(self, ((self.seed, self.data_hash),))[0]


@dataclass(frozen=True, config=_CLOSED)
class SetResult:
    """What was measured on one labelled set.

    Attributes:
        name: of the set ("test", "far-2").
        role: ``test`` (in distribution) or ``far``.
        rows: how many.
        relative_error: RMSE of the model / RMSE of the training mean on this set; 1 is no better than that mean.
        rmse, mae: in the task's units.
        r2: about the evaluated set's own mean; ``None`` for a set without variance.
        nonfinite: rows whose prediction is not finite; the four measures are then ``None``.
        distance: quantiles 0.05, 0.5 and 0.95 of the distance (in radii) of the rows.
        beyond: share of rows further away than one radius; ``None`` of a record made before it was measured.
    """

    name: Text
    role: Role
    rows: Annotated[int, Field(ge=1)]
    relative_error: NotNegative | None
    rmse: NotNegative | None
    mae: NotNegative | None
    r2: float | None
    nonfinite: Count
    distance: tuple[NotNegative, NotNegative, NotNegative] | None = None
    beyond: Share | None = None

    def __post_init__(self) -> None:
        _require(self.nonfinite <= self.rows, f"set {self.name!r} has more non-finite predictions than rows")
        measures = (self.relative_error, self.rmse, self.mae, self.r2)
        _require(
            self.nonfinite == 0 or measures == (None,) * 4,
            f"set {self.name!r} has non-finite predictions, so its measures must be null",
        )
        _require(
            self.distance is None or tuple(sorted(self.distance)) == self.distance,
            f"the distance quantiles of set {self.name!r} do not ascend",
        )


@dataclass(frozen=True, config=_CLOSED)
class Record:
    """One seed of one cell; the formulas are those of :mod:`leaderboard.records.metrics`.

    Attributes:
        key: what it is of.
        status: ``ok``; ``diverged`` (training did not stay finite), ``unsupported`` (the combination makes no
            sense): final like ``ok``; ``failed`` or ``timeout``: may be run again.
        reason, reason_code: why it is not ``ok``, in one line for people and for programs.
        origin: where the code of the architecture comes from.
        program: what trained it: ``chain``, ``vmap``, ``loop``, or ``heads`` on frozen features.
        truth: whether the true target stays bounded far away.
        far_kind: how far rows are far: by distance, by length, by shift; ``None`` of a record without far rows, or made
            before it was said.
        deterministic: another seed would give the same record, and its intervals are points: of baselines that draw
            nothing under protocol 1, where every seed had the same data.
        learning_rate, best_step, edge_of_grid: what the protocol chose, and whether at the edge of its grid.
        edge_of_steps: whether the weights of the last step were chosen; ``None`` of older records.
        id_error: relative error on the test set.
        far_error: geometric mean over the far sets of their relative errors, unclipped.
        sets: every labelled set.
        ladder, growth, departure, nonfinite: distance r, G(r), RMS of the output at r, and how many outputs there
            were not finite; growth and departure are ``None`` exactly where some were not.
        exponent: Theil-Sen slope of the running maximum of log G against log r over 1e6…1e8; ``None`` where growth is
            infinite. Of a record of schema 1 or 2: of log G itself, over the ladder from r = 100 on.
        local_exponent: as ``exponent``, over 1e3…1e4.
        axis_growth: (r, the maximum of G's formula over axes and sparse directions), which G leaves out.
        axis_exponent: the slope of log ``axis_growth`` against log r from 1e6 to 1e8.
        probe_nonfinite: outputs that were not finite along axes and at the radii of the two exponents; ``None`` of a
            record of schema 1 or 2, which measured neither.
        worst_growth: (r, G searched over the whole ball of radius r·R).
        certificate: a proven bound of G over all inputs, where the architecture has one.
        certificate_reason: why a certificate that was computed is not given: a measurement contradicts it.
        parameters, seconds: how many are trained, and how long this seed took.
        step_operations: floating-point operations of the matrix products and convolutions of a training step.
        environment: versions and devices.
        created: ISO 8601, UTC.
    """

    key: RecordKey
    status: Status
    truth: Truth
    created: Text
    reason: Text | None = None
    reason_code: ReasonCode | None = None
    origin: Origin | None = None
    program: Program | None = None
    far_kind: FarKind | None = None
    deterministic: bool = False
    learning_rate: Positive | None = None
    best_step: Count | None = None
    edge_of_grid: bool | None = None
    edge_of_steps: bool | None = None
    id_error: NotNegative | None = None
    far_error: NotNegative | None = None
    sets: Annotated[tuple[SetResult, ...], Field(max_length=200)] = ()
    ladder: Annotated[tuple[Positive, ...], Field(max_length=200)] = ()
    growth: Numbers = ()
    departure: Numbers = ()
    nonfinite: Annotated[tuple[Count, ...], Field(max_length=200)] = ()
    exponent: float | None = None
    local_exponent: float | None = None
    axis_growth: Readings = ()
    axis_exponent: float | None = None
    probe_nonfinite: Count | None = None
    worst_growth: Readings = ()
    certificate: NotNegative | None = None
    certificate_reason: ReasonCode | None = None
    parameters: Count | None = None
    step_operations: Count | None = None
    seconds: NotNegative | None = None
    environment: Annotated[Mapping[str, Annotated[str, Field(max_length=MOST_CHARACTERS)]], Field(max_length=100)] = (
        field(default_factory=dict, hash=False)
    )
    schema_version: Literal[3] = SCHEMA_VERSION

    def __post_init__(self) -> None:
        _require(_is_utc(self.created), f"created must be ISO 8601 in UTC, not {self.created!r}")
        _require((self.reason is None) == (self.status == "ok"), "every status but ok needs a reason, and ok has none")
        _require((self.reason_code is None) == (self.status == "ok"), "every status but ok needs a reason_code")
        self._check_curves()
        self._check_probes()
        _require(
            self.certificate is None or self.certificate_reason is None,
            "a certificate stands beside the reason why there is none",
        )
        names = [s.name for s in self.sets]
        _require(len(set(names)) == len(names), "two sets have one name")
        if self.status == "ok":
            self._check_complete()

    def _check_curves(self) -> None:
        rungs = len(self.ladder)
        _require(
            len(self.growth) == len(self.departure) == len(self.nonfinite) == rungs,
            "growth, departure and nonfinite must be as long as the ladder",
        )
        _require(all(a < b for a, b in zip(self.ladder, self.ladder[1:], strict=False)), "the ladder must ascend")
        for r, growth, departure, count in zip(self.ladder, self.growth, self.departure, self.nonfinite, strict=True):
            _require(
                (growth is None) == (departure is None) == (count > 0),
                f"growth and departure at r = {r:g} must be null exactly where outputs are not finite",
            )
        _require(
            self.exponent is None or all(g is not None for g in self.growth),
            "an exponent cannot be finite where growth is not",
        )

    def _check_probes(self) -> None:
        slopes = {"exponent": self.exponent, "local_exponent": self.local_exponent, "axis_exponent": self.axis_exponent}
        if self.probe_nonfinite is None:
            nothing = self.local_exponent is None and self.axis_exponent is None and not self.axis_growth
            _require(nothing, "what was probed beyond the ladder needs the count probe_nonfinite")
            return
        _require(bool(self.ladder), "nothing is probed beyond a ladder that is not there")
        whole = self.probe_nonfinite == 0 and not any(self.nonfinite)
        for name, slope in slopes.items():
            _require(slope is not None or not whole, f"{name} is missing although every output is finite")
        lost = any(g is None for _, g in self.axis_growth)
        _require(self.probe_nonfinite > 0 or not lost, "axis_growth is null although every output is finite")

    def _check_complete(self) -> None:
        _require(bool(self.ladder), "an ok record needs the growth ladder")
        for role, value in (("test", self.id_error), ("far", self.far_error)):
            members = [s for s in self.sets if s.role == role]
            _require(role == "far" or len(members) == 1, "an ok record needs exactly one test set")
            whole = bool(members) and all(s.relative_error is not None for s in members)
            _require(
                (value is not None) == whole,
                f"the error over {role} sets must stand exactly where each of them has a relative error",
            )

    @property
    def is_final(self) -> bool:
        """It is not run again, not even with ``--retry``."""
        return self.status in FINAL_STATUSES

    @property
    def is_finite(self) -> bool:
        """Every output that was measured is finite."""
        return not any(self.nonfinite) and not any(s.nonfinite for s in self.sets)

    @property
    def max_growth(self) -> float | None:
        """The maximum of G over the ladder; infinite where an output was not finite, ``None`` if nothing was probed."""
        if not self.ladder:
            return None
        return max(math.inf if g is None else g for g in self.growth)

    def growth_at(self, r: float) -> float | None:
        """G(r) for a rung of the ladder; infinite where an output was not finite, ``None`` if r was not probed."""
        for rung, growth in zip(self.ladder, self.growth, strict=True):
            if math.isclose(rung, r, rel_tol=1e-9):
                return math.inf if growth is None else growth
        return None

    def set_named(self, name: str) -> SetResult | None:
        """The result on the set called ``name``."""
        return next((s for s in self.sets if s.name == name), None)

    def to_json(self) -> str:
        """One line of JSON; :meth:`from_json` gives back an equal record, floats to the last bit."""
        return _adapter().dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read what :meth:`to_json` wrote, or what a stranger did; a record of an older schema is upgraded.

        Raises:
            InputError: not JSON, too long, of another schema, or not a valid record.
        """
        if len(text) > _MOST_IN_ALL:
            raise InputError(f"a record of {len(text):,} characters", hint=f"at most {_MOST_IN_ALL:,}")
        try:
            return _adapter().validate_json(text)
        except ValidationError as error:
            older = _schema_of(text)
            if isinstance(older, int) and 1 <= older < SCHEMA_VERSION:
                return cls.from_json(json.dumps(upgrade(json.loads(text))))
            raise _explained(error, text) from None


CELL_PARTS: tuple[str, ...] = tuple(CellKey.__dataclass_fields__)
_SHARED = tuple(name for name in CELL_PARTS if name != "edition")
_FIRST, _LAST = ("protocol", "task", "task_version"), ("architecture", "source_hash", "norm", "norm_hash")
Details = Mapping[str, tuple[float | None, ...]]
"""Stored beside a record, never ranked: ``curve.step``, ``curve.train``, ``curve.validation``, ``function.x``,
``function.y`` (tasks of one dimension), ``far.<set>.prediction`` (z)."""


def _digests(key: CellKey | RecordKey, draws: Iterable[tuple[int, str]]) -> list[str]:
    """Over the parts in this order: what cells share, the data hash, what they share, the seed."""
    first, last = (b"".join([_prefixed(getattr(key, name)) for name in names]) for names in (_FIRST, _LAST))
    digests = []
    for seed, data_hash in draws:
        parts = b"".join((first, _prefixed(data_hash), last, _prefixed(str(seed))))
        digests.append(hashlib.sha256(parts).hexdigest())
    return digests


def _prefixed(part: str) -> bytes:
    text = part.encode()
    return len(text).to_bytes(8, "big") + text


def _require(truth: bool, otherwise: str) -> None:
    if not truth:
        raise ValueError(otherwise)


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def _explained(error: ValidationError, text: str) -> InputError:
    """The first complaint as one line; a newer schema is named as such, for that is the likeliest cause."""
    version = _schema_of(text)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        return InputError(
            f"a record of schema {version}, and this FarField reads {SCHEMA_VERSION}", hint="upgrade FarField"
        )
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return InputError(
        f"not a valid record: {message[:300]}", where=place[:200] or None, hint="hand in what FarField wrote"
    )


def _schema_of(text: str) -> Any:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data.get("schema_version") if isinstance(data, dict) else None
