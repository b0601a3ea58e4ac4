import numpy as np
import pytest

from bench.core.errors import InputError
from tasks.reading.encoding import EncodedTable, held_out
from tasks.reading.rules import Above, FarRule, Furthest, GroupRule, Highest, Where
from tasks.splitting import assemble

COUNT = 400
DRAW = np.random.default_rng(0)
COLUMNS = {
    "size": DRAW.normal(size=COUNT),
    "weight": DRAW.normal(size=COUNT) * 100,
    "twice": np.zeros(COUNT),
    "kind": np.where(np.arange(COUNT) % 10 == 0, "rare", np.where(np.arange(COUNT) % 2 == 0, "even", "odd")),
    "y": DRAW.normal(size=COUNT),
}
COLUMNS["twice"] = 2 * COLUMNS["size"]
TABLE = EncodedTable(COLUMNS, "y")


def test_thresholds_and_quantiles() -> None:
    np.testing.assert_array_equal(Above("size", 1.0).far(TABLE), COLUMNS["size"] > 1)
    far = Highest("weight", 0.9).far(TABLE)
    assert far.sum() == 40
    assert COLUMNS["weight"][far].min() > COLUMNS["weight"][~far].max()
    assert (
        Where("size > 1 and kind == 'odd'").far(TABLE).sum()
        == ((COLUMNS["size"] > 1) & (COLUMNS["kind"] == "odd")).sum()
    )


def test_ties_at_the_quantile_stay_inside() -> None:
    table = EncodedTable({"x": np.array([0.0, 1.0, 1.0, 1.0, 2.0]), "y": np.arange(5.0)}, "y")
    assert Highest("x", 0.5).far(table).tolist() == [False, False, False, False, True]


def test_mahalanobis_is_the_textbook_distance() -> None:
    """Against scipy, on columns without dependence; a repeated column or one-hot group must change nothing."""
    from scipy.spatial.distance import mahalanobis

    matrix = np.column_stack([COLUMNS["size"], COLUMNS["weight"]])
    precision = np.linalg.inv(np.cov(matrix.T))
    distance = np.array([mahalanobis(row, matrix.mean(axis=0), precision) for row in matrix])
    plain = EncodedTable({name: COLUMNS[name] for name in ("size", "weight", "y")}, "y")
    far = Furthest(0.8).far(plain)
    np.testing.assert_array_equal(far, distance > np.quantile(distance, 0.8))
    repeated = EncodedTable({name: COLUMNS[name] for name in ("size", "weight", "twice", "y")}, "y")
    np.testing.assert_array_equal(Furthest(0.8).far(repeated), far)


def test_groups_become_far_sets_and_no_inputs() -> None:
    table = EncodedTable(COLUMNS, "y", unused=("kind",))
    samples = held_out(table, GroupRule("kind", ("rare",)), Above("size", 1.5))
    assert samples.feature_names == ("size", "weight", "twice")
    assert len(samples.far[0]) == 40
    assert len(samples.far[0]) + len(samples.far[1]) + len(samples.domain) == COUNT
    with pytest.raises(InputError, match="did you mean 'rare'"):
        held_out(table, GroupRule("kind", ("rar",)))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Above("size", 99.0), "selects nothing"),
        (Above("size", -99.0), "selects everything"),
        (Highest("kind"), "not numeric"),
        (Above("sise", 1.0), "did you mean 'size'"),
    ],
)
def test_rules_that_cannot_be(rule: FarRule, message: str) -> None:
    with pytest.raises(InputError, match=message):
        held_out(TABLE, rule)


def test_words_are_one_hot_by_those_of_the_domain() -> None:
    samples = held_out(TABLE, GroupRule("kind", ("rare",)))
    assert samples.feature_names[-2:] == ("kind=even", "kind=odd")
    assert samples.domain.inputs[:, -2:].sum(axis=1).tolist() == [1.0] * 360
    assert not samples.far[0].rows.inputs[:, -2:].any(), "a word unknown to the domain is 0 everywhere"


def test_missing_values_take_training_means_and_are_reported() -> None:
    columns = {name: values.copy() for name, values in COLUMNS.items()}
    columns["weight"][::7] = np.nan
    raw = assemble(held_out(EncodedTable(columns, "y"), Above("size", 1.0)), "features", "gaps")
    place = raw.feature_names.index("weight")
    known = {value for value in columns["weight"] if np.isfinite(value)}
    mean = np.mean([value for value in raw.train.inputs[:, place] if value in known])
    for rows in raw.sets().values():
        filled = rows.inputs[~np.isin(rows.inputs[:, place], list(known)), place]
        np.testing.assert_allclose(filled, mean)
    assert any("58 in 'weight'" in note for note in raw.notes)


def test_an_empty_column_is_refused() -> None:
    columns = COLUMNS | {"weight": np.where(COLUMNS["size"] > 1, 1.0, np.nan)}
    with pytest.raises(InputError, match="'weight' has no value"):
        assemble(held_out(EncodedTable(columns, "y"), Above("size", 1.0)), "features", "gaps")


def test_too_many_different_texts() -> None:
    columns = COLUMNS | {"name": np.array([f"n{i}" for i in range(COUNT)])}
    with pytest.raises(InputError, match=r"'name' has .* different texts"):
        held_out(EncodedTable(columns, "y"), Above("size", 1.0))
