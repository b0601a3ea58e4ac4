import numpy as np
import pytest

import tasks
from tasks.data.samples import FarSet, Rows, Samples, standardize
from tasks.splitting import assemble


def made(shift: float, scale: float = 1.0, dimension: int = 5) -> tasks.StandardizedTask:
    draw = np.random.default_rng(0)
    inside = Rows(draw.normal(size=(1500, dimension)), draw.normal(size=1500))
    away = Rows(shift + scale * draw.normal(size=(400, dimension)), draw.normal(size=400))
    raw = assemble(Samples(inside, (FarSet("away", away),)), "features", "made")
    return standardize(raw, tasks.get_card("diabetes"), "made", "")


def test_rows_of_the_same_kind_are_not_far() -> None:
    test, same = tasks.how_far(made(0.0))
    for measured in (test, same):
        assert 0.4 < measured.auc < 0.6
        assert measured.distance[1] < 1
        assert measured.mahalanobis < 1
        assert measured.nearest < 1


@pytest.mark.parametrize(("shift", "scale"), [(4.0, 1.0), (0.0, 8.0)])
def test_rows_elsewhere_are_far_by_all_measures(shift: float, scale: float) -> None:
    _, away = tasks.how_far(made(shift, scale))
    assert away.auc > 0.95
    assert away.distance[1] > 1.5
    assert away.mahalanobis > 1.5
    assert away.nearest > 1.5


def test_mahalanobis_sees_what_distance_does_not() -> None:
    draw = np.random.default_rng(0)
    line = draw.normal(size=1000)
    inside = Rows(np.column_stack([line, line + 0.05 * draw.normal(size=1000)]), line)
    off = Rows(np.column_stack([np.linspace(-1, 1, 50), np.linspace(1, -1, 50)]), np.zeros(50))
    raw = assemble(Samples(inside, (FarSet("off", off),)), "features", "line")
    _, away = tasks.how_far(standardize(raw, tasks.get_card("diabetes"), "line", ""))
    assert away.distance[1] < 1
    assert away.mahalanobis > 2


@pytest.mark.parametrize("name", ["diabetes", "sunspots", "digits-contrast", "step-1d"])
def test_descriptions_hold_what_is_shown(name: str) -> None:
    task = tasks.resolve(name)
    told = tasks.describe(task)
    loaded = task.load()
    assert told.sizes == {
        "train": len(loaded.train),
        "validation": len(loaded.validation),
        "test": len(loaded.test),
    } | {far.name: len(far) for far in loaded.far}
    assert [measured.name for measured in told.sets] == ["test", *(far.name for far in loaded.far)]
    assert told.radius == loaded.radius
    assert told.target_range[0] < told.target_mean < told.target_range[1]
    assert all(0 <= measured.auc <= 1 for measured in told.sets)
    assert tasks.describe(loaded) == told, "the same each time"


@pytest.mark.parametrize("name", ["diabetes", "linear-1d", "digits-contrast", "lotka-volterra"])
def test_projections_hold_points_of_every_set(name: str) -> None:
    loaded = tasks.resolve(name).load()
    picture = tasks.project(loaded, rows=50)
    assert picture.points.shape == (len(picture.targets), 2)
    assert set(picture.sets) == {"train", "test", *(far.name for far in loaded.far)}
    assert np.isfinite(picture.points).all()
    assert 0 <= picture.explained[1] <= picture.explained[0] <= 1
    assert max(np.unique(picture.sets, return_counts=True)[1]) <= 50
