"""How far a set of rows is from the training rows, by four measures, and a picture of it in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.core.seeding import generator
from tasks.data import geometry
from tasks.data.samples import Rows, StandardizedTask
from tasks.splitting import related

ROWS = 1000  # of a set, drawn at random where there are more
COMPONENTS = 32  # principal components that Mahalanobis, neighbour and classifier look at
PERCENTILE = 99.0
FOLDS = 3


@dataclass(frozen=True)
class HowFar:
    """How far one set of rows is.

    Mahalanobis and nearest-neighbour distance are medians over the set, in units of the 99th percentile of the same
    measure over training rows, as the distance is: 1 is the edge of the training domain. They, and the classifier,
    look at up to 32 principal components of the training rows; of sequences of another length they see the last steps,
    as many as training rows have (missing ones are the mean).

    Args:
        name: of the set.
        label: how it is shown.
        rows: how many.
        distance: 5th, 50th and 95th percentile of ``‖x̃‖ / R``.
        beyond: share of rows whose distance is above 1.
        mahalanobis: median Mahalanobis distance from the mean of the training rows.
        nearest: median Euclidean distance to the nearest training row (for training rows: to the nearest other).
        auc: area under the ROC curve of a classifier that tells the set from training rows, on rows it was not
            trained on: 0.5 cannot tell, 1 always does.
    """

    name: str
    label: str
    rows: int
    distance: tuple[float, ...]
    beyond: float
    mahalanobis: float
    nearest: float
    auc: float


@dataclass(frozen=True)
class Projection:
    """Inputs on the first two principal components of the training rows (one dimension: the input, and z).

    Args:
        points: (n, 2).
        targets: (n,) in raw units.
        sets: (n,) name of each row's set ("train", "test" or a far set).
        explained: share of the training variance on each axis (one dimension: 1 and 0).
    """

    points: np.ndarray
    targets: np.ndarray
    sets: np.ndarray
    explained: tuple[float, float]


@dataclass(frozen=True)
class _Space:
    """Up to 32 principal components of (a sample of) the training rows."""

    mean: np.ndarray
    axes: np.ndarray
    deviation: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray) -> _Space:
        from sklearn.decomposition import PCA

        flat = inputs.reshape(len(inputs), -1)
        fit = PCA(min(COMPONENTS, *flat.shape), random_state=0).fit(flat)
        deviation = np.sqrt(fit.explained_variance_)
        kept = np.flatnonzero(deviation > 1e-6 * deviation[0])  # below that it is rounding
        return cls(fit.mean_, fit.components_[kept], deviation[kept], fit.explained_variance_ratio_[kept])

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Coordinates (n, components)."""
        return np.asarray((inputs.reshape(len(inputs), -1) - self.mean) @ self.axes.T, dtype=np.float64)


def how_far(task: StandardizedTask) -> tuple[HowFar, ...]:
    """How far the test rows (for comparison) and each far set are."""
    train = _sample(task.train, task.name, "train")
    space = _Space.of(train.inputs)
    sets = {"test": ("in distribution", task.test)} | {far.name: (far.label, far.rows) for far in task.far}
    return tuple(_measured(task, space, train, name, label, rows) for name, (label, rows) in sets.items())


def project(task: StandardizedTask, rows: int = ROWS) -> Projection:
    """Training, test and far inputs in two dimensions, at most ``rows`` of each set.

    Where each step has a target, that of the last one is taken.
    """
    sets = {"train": task.train, "test": task.test} | {far.name: far.rows for far in task.far}
    chosen = {
        name: task.comparable(_sample(part, task.name, "projection", name, most=rows)) for name, part in sets.items()
    }
    names = np.repeat(list(chosen), [len(part) for part in chosen.values()])
    targets = np.concatenate([part.targets for part in chosen.values()])
    raw_targets = task.target_to_raw(targets)
    if task.problem.size == 1:
        line = np.concatenate([part.inputs.reshape(-1) for part in chosen.values()])
        return Projection(np.column_stack([line, targets]), raw_targets, names, (1.0, 0.0))
    space = _Space.of(chosen["train"].inputs)
    points = np.concatenate([space(part.inputs)[:, :2] for part in chosen.values()])
    if points.shape[1] == 1:  # all training rows lie on a line
        points = np.column_stack([points, np.zeros(len(points))])
    share = (*space.share[:2], 0.0)
    return Projection(points, raw_targets, names, (float(share[0]), float(share[1])))


def _sample(rows: Rows, *names: str, most: int = ROWS) -> Rows:
    """At most ``most`` of the rows, drawn at random, in order."""
    if len(rows) <= most:
        return rows
    return rows.take(np.sort(generator("how far", *names).choice(len(rows), most, replace=False)))


def _measured(task: StandardizedTask, space: _Space, train: Rows, name: str, label: str, rows: Rows) -> HowFar:
    sample = task.comparable(_sample(rows, task.name, name))
    inside, away = space(train.inputs), space(sample.inputs)
    within, beyond = (np.linalg.norm(points / space.deviation, axis=1) for points in (inside, away))
    return HowFar(
        name=name,
        label=label,
        rows=len(rows),
        distance=geometry.distance_quantiles(rows.inputs, task.card.kind, task.radius),
        beyond=geometry.share_beyond(rows.inputs, task.card.kind, task.radius),
        mahalanobis=_in_units(beyond, within),
        nearest=_in_units(_nearest(away, inside), _nearest(inside, inside, itself=True)),
        auc=_auc((inside, away), (related(train), related(sample))),
    )


def _in_units(values: np.ndarray, reference: np.ndarray) -> float:
    """Median of ``values`` in units of the 99th percentile of ``reference``."""
    unit = float(np.percentile(reference, PERCENTILE))
    return float(np.median(values)) / unit if unit > 0 else float("inf")


def _nearest(points: np.ndarray, reference: np.ndarray, itself: bool = False) -> np.ndarray:
    """Euclidean distance (n,) of each point to the nearest of ``reference``, or to the nearest other one."""
    from sklearn.neighbors import NearestNeighbors

    distances, _ = NearestNeighbors(n_neighbors=2 if itself else 1).fit(reference).kneighbors(points)
    return np.asarray(distances[:, -1])


def _auc(points: tuple[np.ndarray, np.ndarray], clusters: tuple[np.ndarray, np.ndarray]) -> float:
    """Cross-validated area under the ROC curve of extremely randomized trees that tell two sets apart.

    Related rows (of one source, or the same) stay in one fold: splits share no source, so that trees that had seen
    its other rows could tell even test rows from training rows.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import PredefinedSplit, cross_val_predict

    inputs, labels = np.concatenate(points), np.repeat([0, 1], [len(part) for part in points])
    folds = PredefinedSplit(np.concatenate([_folds(part) for part in clusters]))
    trees = ExtraTreesClassifier(50, min_samples_leaf=2, class_weight="balanced", random_state=0)
    scores = cross_val_predict(trees, inputs, labels, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def _folds(cluster: np.ndarray) -> np.ndarray:
    """A fold (n,) for each row: whole clusters, or single rows where a set has too few clusters."""
    clusters = int(cluster.max()) + 1
    if clusters < FOLDS:
        cluster, clusters = np.arange(len(cluster)), len(cluster)
    return np.asarray((generator("how far", "folds").permutation(clusters) % FOLDS)[cluster])
