"""From samples to a split task: splits that share nothing, shells of a known function, and the data hash.

Draw 0 is seeded by names alone; the number of any other draw stands behind them.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np

from bench.core.errors import InputError
from bench.core.problem import InputKind
from bench.core.seeding import generator, numbered
from tasks.data import geometry
from tasks.data.samples import FarSet, RawTask, Rows, Samples, TruthFunction, input_statistics
from tasks.reading.encoding import impute

HELD_OUT = 0.1
SHELLS = ((1.0, 2.0), (2.0, 5.0), (5.0, 10.0))
SHELL_ROWS = 500
FEW_FAR_ROWS = 20


@dataclass(frozen=True)
class Clustered:
    """Samples with what every split of them needs.

    Args:
        samples: what the builder returned, without far rows that stand elsewhere too.
        cluster: (n,) of each row of the domain, see :func:`related`; ``None`` where the samples give all three parts.
    """

    samples: Samples
    cluster: np.ndarray | None

    @classmethod
    def of(cls, samples: Samples) -> Clustered:
        """Look for repeated rows, which takes a while where there are many.

        Raises:
            InputError: there are neither far sets nor a truth to label shells with, two far sets share a name, or far
                inputs have another shape.
        """
        if not samples.far and samples.truth is None:
            raise InputError("the task has no far set and no known truth", hint="give far sets or a truth")
        if len({f.name for f in samples.far} | {"train", "validation", "test"}) < len(samples.far) + 3:
            raise InputError("two sets have the same name", hint="give each far set a name of its own")
        shape = samples.domain.inputs.shape[1:]
        # three dimensions are sequences, and those may have another length
        if any(f.rows.inputs.ndim != 1 + len(shape) or _size(f.rows) != _size(samples.domain) for f in samples.far):
            raise InputError("far inputs have another shape than training inputs", hint=f"give them {shape}")
        if samples.far:
            far, notes = without_known_rows(samples.far, _inside(samples))
            samples = dataclasses.replace(samples, far=far, notes=samples.notes + notes)
        return cls(samples, related(samples.domain) if samples.test is None else None)


def _size(rows: Rows) -> tuple[int, ...]:
    """What inputs of all sets have in common: the shape of one, of sequences (n, steps, channels) without the steps."""
    shape = rows.inputs.shape[1:]
    return shape[1:] if len(shape) == 2 else shape


def _inside(samples: Samples) -> Rows:
    """All rows of the training domain."""
    if samples.validation is None or samples.test is None:
        return samples.domain
    parts = (samples.domain, samples.validation, samples.test)
    return Rows(np.concatenate([p.inputs for p in parts]), np.concatenate([p.targets for p in parts]))


def assemble(samples: Samples | Clustered, kind: InputKind, name: str, draw: int = 0) -> RawTask:
    """Split the training domain, label the shells of a known function, and keep far rows that are really outside.

    Args:
        samples: what the builder returned.
        kind: what one input is.
        name: canonical spelling of the task; it and the draw seed the split, unless the samples say what does instead
            of the name.
        draw: which split.

    Raises:
        InputError: as :meth:`Clustered.of`, or a training row stands among the validation or test rows that the builder
            gave.
    """
    found = samples if isinstance(samples, Clustered) else Clustered.of(samples)
    samples = found.samples
    train, validation, test = _parts(found, name, draw)
    far, notes = samples.far, samples.notes
    if not far and samples.truth is not None:
        far, more = without_known_rows(shells(train, kind, samples.truth, name, draw), _inside(samples))
        notes += more
    raw = RawTask(
        kind=kind,
        train=train,
        validation=validation,
        test=test,
        far=far,
        feature_names=samples.feature_names,
        notes=notes + _few(far),
        truth_function=samples.truth,
        causal=samples.causal,
    )
    return impute(raw) if kind == "features" else raw


def _parts(found: Clustered, name: str, draw: int) -> tuple[Rows, Rows, Rows]:
    """Train, validation and test, as the samples have them or split."""
    samples = found.samples
    if samples.validation is None or samples.test is None:
        return split(samples.domain, samples.split_by or name, draw, found.cluster)
    parts = (samples.domain, samples.validation, samples.test)
    keys = [np.unique(row_keys(part.inputs)) for part in parts]
    if len(np.unique(np.concatenate(keys))) < sum(map(len, keys)):
        what = "training, validation and test rows have inputs in common"
        raise InputError(what, where=name, hint="draw other inputs for each, or give them all as the domain")
    return parts


def split(rows: Rows, name: str, draw: int = 0, cluster: np.ndarray | None = None) -> tuple[Rows, Rows, Rows]:
    """Train, validation and test: 10% each for the latter two, whole clusters of related rows at a time.

    Rows are related when their inputs are the same or their source is. A cluster with more than a tenth of all
    rows stays in training, so that no single one can take the place of the training set.

    Args:
        rows: of the training domain.
        name, draw: what seeds the split.
        cluster: :func:`related` of the rows, where it is known already.
    """
    cluster = related(rows) if cluster is None else cluster
    sizes = np.bincount(cluster)
    order = generator(name, "split", *numbered(draw)).permutation(len(sizes))
    wanted = HELD_OUT * len(rows)
    order = order[sizes[order] <= wanted]
    place = np.zeros(len(sizes), dtype=np.int64)  # 0 train, 1 validation, 2 test
    for code in (2, 1):
        middle = np.cumsum(sizes[order]) - sizes[order] / 2
        taken = int(np.searchsorted(middle, wanted, side="right"))  # as near to a tenth as whole clusters allow
        place[order[:taken]] = code
        order = order[taken:]
    where = place[cluster]
    train, validation, test = (rows.take(np.flatnonzero(where == code)) for code in (0, 1, 2))
    return train, validation, test


def related(rows: Rows) -> np.ndarray:
    """Cluster (n,) of each row: rows with the same inputs or the same source are in one cluster."""
    _, same_inputs = np.unique(row_keys(rows.inputs), return_inverse=True)
    if rows.groups is None:
        return same_inputs
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, same_source = np.unique(rows.groups, return_inverse=True)
    offset = same_inputs.max() + 1
    nodes = offset + same_source.max() + 1
    edges = coo_array((np.ones(len(rows)), (same_inputs, offset + same_source)), shape=(nodes, nodes))
    _, component = connected_components(edges, directed=False)
    return np.unique(component[same_inputs], return_inverse=True)[1]


def row_keys(inputs: np.ndarray, digests: bool = False) -> np.ndarray:
    """One opaque value (n,) a row; equal exactly where the inputs (n, *shape) are equal.

    Wide rows (images) are told apart by a 128-bit digest of their bytes; with ``digests`` all are, so that sequences of
    different lengths can be compared.
    """
    flat = np.ascontiguousarray(inputs.reshape(len(inputs), -1))
    if flat.dtype.kind == "f":
        flat = flat + 0.0  # -0.0 becomes 0.0
    if digests or flat.shape[1] * flat.itemsize > 512:
        return np.array([hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in flat], dtype="V16")
    return flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize)))[:, 0]


def without_known_rows(far: tuple[FarSet, ...], domain: Rows) -> tuple[tuple[FarSet, ...], tuple[str, ...]]:
    """Far sets without rows whose inputs also stand in the training domain or in an earlier far set."""
    sets = (domain, *(far_set.rows for far_set in far))
    unlike = len({rows.inputs.shape[1:] for rows in sets}) > 1
    keys = [row_keys(rows.inputs, unlike) for rows in sets]
    _, first, which = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    kept, notes = [], []
    repeated = len(domain) - int(np.count_nonzero(first < len(domain)))
    if repeated:
        notes.append(f"rows that repeat the inputs of another, whose split they share: {repeated:,}")
    begin = len(domain)
    for far_set in far:
        end = begin + len(far_set)
        known = first[which[begin:end]] < begin  # its inputs stand in an earlier set
        if known.any():
            notes.append(f"rows left out of {far_set.name!r}, as their inputs also stand elsewhere: {known.sum():,}")
            far_set = dataclasses.replace(far_set, rows=far_set.rows.take(np.flatnonzero(~known)))
        begin = end
        kept.append(far_set)
    return tuple(kept), tuple(notes)


def _few(far: tuple[FarSet, ...]) -> tuple[str, ...]:
    """What is said of far sets with so few rows that their errors say little."""
    short = (f for f in far if 0 < len(f) < FEW_FAR_ROWS)
    return tuple(f"CAUTION: only {len(f)} far rows in {f.name!r}: their error says little" for f in short)


def shells(train: Rows, kind: InputKind, truth: TruthFunction, name: str, draw: int = 0) -> tuple[FarSet, ...]:
    """Far sets of a known function: 500 rows on each of the shells (1, 2], (2, 5] and (5, 10] R.

    In standardized space a direction is uniform on the sphere (one dimension: left or right) and the distance
    uniform in the shell; the labels are the noise-free truth. They lie around the training rows of their draw, and
    every draw has others.
    """
    mean, scale = input_statistics(train.inputs, kind)
    radius = geometry.radius((train.inputs - mean) / scale, kind)
    sets = []
    for inner, outer in SHELLS:
        source = generator(name, "shell", f"{inner:g}-{outer:g}", *numbered(draw))
        direction = source.standard_normal((SHELL_ROWS, *train.inputs.shape[1:]))
        unit = direction / geometry.size(direction, kind).reshape(-1, *[1] * (direction.ndim - 1))
        reach = outer - (outer - inner) * source.random(SHELL_ROWS)  # in (inner, outer]
        inputs = unit * (reach * radius).reshape(-1, *[1] * (direction.ndim - 1)) * scale + mean
        label = f"({inner:g}, {outer:g}] R"
        rows = Rows(inputs, truth(inputs))
        sets.append(FarSet(f"shell-{inner:g}-{outer:g}", rows, float(np.sqrt(inner * outer)), label))
    return tuple(sets)


def data_hash(raw: RawTask) -> str:
    """SHA-256 over the names of the sets and the types, shapes and bytes of their arrays, as hexadecimal digits.

    Floating-point values are rounded to float32 first: the last bits of a sine differ between processors, and
    must not keep their records apart.
    """
    digest = hashlib.sha256()
    for name, rows in raw.sets().items():
        for array in (rows.inputs, rows.targets):
            exact = array.dtype.kind != "f"
            content = np.ascontiguousarray(array if exact else array.astype(np.float32) + np.float32(0))
            head = f"{name}\0{content.dtype.str}\0{content.shape}\0".encode()
            digest.update(len(head).to_bytes(8, "big") + head)
            digest.update(content.data if content.size else b"")
    return digest.hexdigest()
