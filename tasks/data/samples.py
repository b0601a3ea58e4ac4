"""Rows, far sets, and a task with its data: raw as built, and standardized as networks see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bench.core.errors import InputError
from bench.core.problem import InputKind, Problem
from tasks.card import FAR_SHARE, FarKind, TaskCard
from tasks.data import geometry

TruthFunction = Callable[[np.ndarray], np.ndarray]
MINIMUM_TRAINING_ROWS = 20
IMAGES_AT_ONCE = 512
LARGEST = 1e150  # squares beyond overflow in float64
_SET_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@dataclass(frozen=True)
class Rows:
    """Inputs with their targets.

    Args:
        inputs: (n, *shape); float64, for images float32 or, before standardization, uint8. All rows of one set of
            sequences have one length; that of another set may be another one.
        targets: (n,) float64; or (n, k) for sequences that are answered at each step: the targets of the last k steps.
        groups: (n,) source of each row (an image, a sequence, ...); rows of one source share a split. ``None``: each
            row is its own source.
    """

    inputs: np.ndarray
    targets: np.ndarray
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.targets.ndim == 2:
            if not (self.inputs.ndim == 3 and 2 <= self.targets.shape[1] <= self.inputs.shape[1]):
                what = f"targets of shape {self.targets.shape}: one target a row is predicted"
                hint = "give targets of shape (n,), such as targets[:, 0]; of sequences also one for each step"
                raise InputError(what, hint=hint)
            if len(self.targets) != len(self.inputs):
                raise ValueError(f"{len(self.inputs)} inputs need as many targets, not the shape {self.targets.shape}")
        elif self.targets.shape != (len(self.inputs),):
            raise ValueError(f"{len(self.inputs)} inputs need as many targets, not the shape {self.targets.shape}")
        if self.groups is not None and len(self.groups) != len(self.inputs):
            raise ValueError(f"{len(self.inputs)} inputs need as many groups, not {len(self.groups)}")

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def last_targets(self) -> np.ndarray:
        """Targets (n,); where each step has one, that of the last."""
        return self.targets if self.targets.ndim == 1 else self.targets[:, -1]

    def take(self, which: np.ndarray) -> Rows:
        """The rows at the given indices, or where a mask is true."""
        groups = None if self.groups is None else self.groups[which]
        return Rows(self.inputs[which], self.targets[which], groups)


@dataclass(frozen=True)
class FarSet:
    """Labelled rows away from the training domain.

    Args:
        name: lower-case words joined by hyphens, unique within the task.
        rows: the rows.
        centre: a place on an axis of distance where the rule has one (geometric middle of a shell, in R).
        label: how it is shown.
    """

    name: str
    rows: Rows
    centre: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if not _SET_NAME.match(self.name):
            raise ValueError(f"a set's name is lower-case words joined by hyphens, not {self.name!r}")

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Samples:
    """What a task's builder returns, in raw units; splitting and standardizing is done for it.

    Args:
        domain: rows of the training domain, to be split into train, validation and test; where ``validation`` and
            ``test`` are given, the training rows alone.
        far: far sets. Left empty by a known function: it is then labelled by ``truth`` on the shells (1, 2],
            (2, 5] and (5, 10] R.
        truth: noise-free target of raw inputs (n, *shape) -> (n,), where it is known.
        feature_names: of table columns.
        notes: what was counted on the way (imputed values, files skipped, ...).
        split_by: what seeds the split instead of the task's name.
        causal: answers at each step may depend on the steps so far alone (the next step is asked for, say).
        validation, test: rows of the training domain, of a computed task that draws as many of them as it wants beside
            its training rows; both or neither.
    """

    domain: Rows
    far: tuple[FarSet, ...] = ()
    truth: TruthFunction | None = None
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    split_by: str | None = None
    causal: bool = False
    validation: Rows | None = None
    test: Rows | None = None

    def __post_init__(self) -> None:
        if (self.validation is None) != (self.test is None):
            what = "validation and test rows are given together, or split off from the domain together"
            raise InputError(what, hint="give both or neither")


@dataclass(frozen=True)
class RawTask:
    """A task with its data split, in raw units."""

    kind: InputKind
    train: Rows
    validation: Rows
    test: Rows
    far: tuple[FarSet, ...]
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    truth_function: TruthFunction | None = None
    causal: bool = False

    def sets(self) -> dict[str, Rows]:
        """All rows by the name of their set: train, validation, test, then the far sets."""
        inside = {"train": self.train, "validation": self.validation, "test": self.test}
        return inside | {far.name: far.rows for far in self.far}


@dataclass(frozen=True)
class StandardizedTask:
    """A task as networks see it: inputs x̃ and targets z, standardized by the statistics of the training rows.

    ``x̃ = (x - input_mean) / input_scale`` and ``z = (y - target_mean) / target_scale``: per feature for tables, per
    channel for images and sequences (over all steps); a deviation of 0 becomes 1. Targets at each step share one mean
    and one deviation.

    Args:
        name: canonical spelling.
        card: in words.
        problem: what an architecture may know.
        train, validation, test: rows of the training domain, float64 (images: float32).
        far: labelled far sets.
        radius: 99th percentile of the size of x̃ over training inputs (:func:`tasks.data.geometry.radius`).
        input_mean, input_scale: broadcast against one input.
        target_mean, target_scale: numbers.
        target_max: greatest ``|z|`` over training targets.
        data_hash: of the draw (:mod:`tasks.drawing`).
        draw: which.
    """

    name: str
    card: TaskCard
    problem: Problem
    train: Rows
    validation: Rows
    test: Rows
    far: tuple[FarSet, ...]
    radius: float
    input_mean: np.ndarray
    input_scale: np.ndarray
    target_mean: float
    target_scale: float
    target_max: float
    data_hash: str
    draw: int = 0
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    truth_function: TruthFunction | None = field(default=None, compare=False)

    def distance(self, inputs: np.ndarray) -> np.ndarray:
        """Distance (n,) of standardized inputs (n, *shape) in units of the radius."""
        return geometry.distance(inputs, self.card.kind, self.radius)

    def comparable(self, rows: Rows) -> Rows:
        """``rows`` with inputs of the training length and one target each, for what compares them number by number.

        Of other sequences these are the last steps, as many as training has (missing ones are 0, the mean).
        """
        inputs = rows.inputs
        if inputs.shape[1:] != self.problem.shape:
            inputs = geometry.last_steps(inputs, self.problem.shape[0])
        return Rows(inputs, rows.last_targets, rows.groups)

    @cached_property
    def beyond(self) -> float:
        """Share of the rows of all far sets together that lie beyond R."""
        away = sum(int((self.distance(far.rows.inputs) > 1).sum()) for far in self.far)
        return away / sum(len(far) for far in self.far)

    @property
    def far_kind(self) -> FarKind:
        """The card's; where it has none, ``distance`` if at least half of all far rows lie beyond R, else ``shift``."""
        return self.card.far_kind or ("distance" if self.beyond >= FAR_SHARE else "shift")

    def from_raw(self, raw: np.ndarray) -> np.ndarray:
        """x̃ of raw inputs."""
        return np.asarray((raw - self.input_mean) / self.input_scale)

    def to_raw(self, inputs: np.ndarray) -> np.ndarray:
        """Raw inputs of x̃."""
        return np.asarray(inputs * self.input_scale + self.input_mean)

    def target_to_raw(self, targets: np.ndarray) -> np.ndarray:
        """Targets in their units, from z."""
        return targets * self.target_scale + self.target_mean


def standardize(raw: RawTask, card: TaskCard, name: str, data_hash: str, draw: int = 0) -> StandardizedTask:
    """Standardize every row by the statistics of the training rows.

    Raises:
        InputError: too few training rows, a constant target, or values that are not finite.
    """
    check_rows(raw, name)
    mean, scale = input_statistics(raw.train.inputs, raw.kind)
    target_mean, target_scale = float(raw.train.targets.mean()), float(raw.train.targets.std())

    def apply(rows: Rows) -> Rows:
        inputs = _standardized(rows.inputs, mean, scale, raw.kind)
        return Rows(inputs, (rows.targets - target_mean) / target_scale, rows.groups)

    train = apply(raw.train)
    radius = geometry.radius(train.inputs, raw.kind)
    target_range = (float(train.targets.min()), float(train.targets.max()))
    return StandardizedTask(
        name=name,
        card=card,
        # inputs that are all alike have no size, and no network can tell how far another one is
        problem=Problem(
            raw.kind,
            train.inputs.shape[1:],
            target_range,
            radius or 1.0,
            lengths=_lengths(raw),
            each_step=train.targets.ndim == 2,
            causal=raw.causal,
        ),
        train=train,
        validation=apply(raw.validation),
        test=apply(raw.test),
        far=tuple(FarSet(far.name, apply(far.rows), far.centre, far.label) for far in raw.far),
        radius=radius,
        input_mean=mean,
        input_scale=scale,
        target_mean=target_mean,
        target_scale=target_scale,
        target_max=float(np.abs(train.targets).max()),
        data_hash=data_hash,
        draw=draw,
        feature_names=raw.feature_names,
        notes=raw.notes,
        truth_function=raw.truth_function,
    )


def _lengths(raw: RawTask) -> tuple[int, ...]:
    """Numbers of steps of far sets, other than that of training."""
    if raw.kind != "sequence":
        return ()
    steps = {rows.inputs.shape[1] for rows in raw.sets().values()}
    return tuple(sorted(steps - {raw.train.inputs.shape[1]}))


def input_statistics(inputs: np.ndarray, kind: InputKind) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation that standardize ``inputs`` (n, *shape), shaped to broadcast against one input.

    Tables: per feature, over rows. Images (n, channels, height, width): per channel, over rows and pixels.
    Sequences (n, steps, channels): per channel, over rows and steps.
    """
    if kind == "image":
        return _image_statistics(inputs)
    axes = {"features": (0,), "sequence": (0, 1)}[kind]
    mean, scale = inputs.mean(axis=axes), inputs.std(axis=axes)
    least, most = inputs.min(axis=axes), inputs.max(axis=axes)
    # A column of one repeated value has a computed deviation near 1e-17, which would blow up rounding errors.
    return np.where(least == most, least, mean), np.where(least == most, 1.0, scale)


def _image_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same for images, in float64 but a few at a time: a float64 copy of all faces would not fit everywhere."""
    count = images[:, 0].size
    pieces = range(0, len(images), IMAGES_AT_ONCE)
    mean = sum(images[i : i + IMAGES_AT_ONCE].sum(axis=(0, 2, 3), dtype=np.float64) for i in pieces) / count
    mean = np.asarray(mean)[:, None, None]
    squares = sum(np.square(images[i : i + IMAGES_AT_ONCE] - mean).sum(axis=(0, 2, 3)) for i in pieces)
    scale = np.sqrt(np.asarray(squares) / count)[:, None, None]
    return mean, np.where(scale > 0, scale, 1.0)


def _standardized(inputs: np.ndarray, mean: np.ndarray, scale: np.ndarray, kind: InputKind) -> np.ndarray:
    if kind != "image":
        return np.asarray((inputs - mean) / scale)
    result = inputs.astype(np.float32)  # images are large: one float32 array, worked on in place
    result -= mean.astype(np.float32)
    result /= scale.astype(np.float32)
    return result


def check_rows(raw: RawTask, name: str) -> None:
    """Refuse what cannot be a regression task.

    Raises:
        InputError: fewer than 20 training rows, an empty set, a constant target, a value that is not finite.
    """
    if len(raw.train) < MINIMUM_TRAINING_ROWS:
        raise InputError(
            f"{len(raw.train)} training rows are too few",
            where=name,
            hint=f"at least {MINIMUM_TRAINING_ROWS} must be left for training",
        )
    _check_steps(raw, name)
    for label, rows in raw.sets().items():
        if len(rows) == 0:
            raise InputError(f"the set {label!r} has no rows", where=name, hint="choose another far rule or more rows")
        if not (
            np.isfinite(rows.targets).all() and (rows.inputs.dtype.kind in "biu" or np.isfinite(rows.inputs).all())
        ):
            raise InputError(f"infinite or missing values in the set {label!r}", where=name, hint="remove those rows")
    if raw.train.targets.max() == raw.train.targets.min():
        raise InputError("the target is the same in all training rows", where=name, hint="choose another target")
    _check_squares(raw, name)


def _check_steps(raw: RawTask, name: str) -> None:
    """Refuse sets that are answered in different ways, and training rows that leave steps without a target."""
    each_step = raw.train.targets.ndim == 2
    for label, rows in raw.sets().items():
        if (rows.targets.ndim == 2) != each_step:
            what = f"the set {label!r} has targets of shape {rows.targets.shape}, the training rows another sort"
            raise InputError(what, where=name, hint="one target a row in all sets, or one a step in all")
        inside = label in ("train", "validation", "test")
        if each_step and inside and rows.targets.shape != rows.inputs.shape[:2]:
            what = f"the set {label!r} has {rows.targets.shape[1]} targets for {rows.inputs.shape[1]} steps"
            raise InputError(what, where=name, hint="give the training domain a target at each step")
    if raw.causal and not each_step:
        raise InputError("causal=True without a target at each step", where=name, hint="leave it out")


def _check_squares(raw: RawTask, name: str) -> None:
    """Refuse numbers whose squares leave float64: they have no deviation to standardize by."""
    columns = {"the target": (raw.train.targets, [rows.targets for rows in raw.sets().values()])}
    if raw.train.inputs.dtype.kind == "f" and raw.kind != "image":
        width = raw.train.inputs.shape[-1]
        names = raw.feature_names if len(raw.feature_names) == width else [f"input {i + 1}" for i in range(width)]
        for place, label in enumerate(names):
            everywhere = [rows.inputs[..., place] for rows in raw.sets().values()]
            columns[f"the column {label!r}"] = (raw.train.inputs[..., place], everywhere)
    for label, (train, everywhere) in columns.items():
        with np.errstate(all="ignore"):
            spread = float(train.max() - train.min())
            most = max(float(np.abs(values).max()) for values in everywhere)
            variance = float(np.square(train - train.mean()).mean())
        if most > LARGEST or (spread > 0 and not np.finfo(np.float64).tiny < variance < np.inf):
            size = f"reaches {most:g}" if most > 1 else f"varies by only {spread:g}"
            raise InputError(f"{label} {size}: squares of it leave float64", where=name, hint="rescale it")
