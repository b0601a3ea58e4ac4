import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import InputError
from tasks.data.samples import FarSet, RawTask, Rows, Samples, input_statistics, standardize
from tasks.registry import get_card
from tasks.splitting import assemble, data_hash, related, row_keys, split, without_known_rows


def rows(count: int, seed: int = 0) -> Rows:
    draw = np.random.default_rng(seed)
    return Rows(draw.normal(size=(count, 3)), draw.normal(size=count))


def far(rows_: Rows) -> tuple[FarSet, ...]:
    return (FarSet("away", Rows(rows_.inputs + 100, rows_.targets)),)


@given(
    labels=st.lists(st.integers(0, 40), min_size=60, max_size=200),
    values=st.integers(2, 200),
    name=st.text(min_size=1, max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_splits_share_neither_inputs_nor_sources(labels: list[int], values: int, name: str) -> None:
    draw = np.random.default_rng(values)
    inputs = draw.integers(0, values, size=(len(labels), 1)).astype(float)
    parts = split(Rows(inputs, np.zeros(len(labels)), np.array(labels)), name)
    assert sum(map(len, parts)) == len(labels)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert not set(parts[i].inputs[:, 0]) & set(parts[j].inputs[:, 0])
        assert not set(parts[i].groups) & set(parts[j].groups)  # type: ignore[arg-type]


def test_related_follows_chains() -> None:
    inputs = np.array([[0.0], [1.0], [1.0], [2.0], [3.0]])
    groups = np.array(["a", "a", "b", "b", "c"])  # 0-1 by source, 1-2 by inputs, 2-3 by source
    cluster = related(Rows(inputs, np.zeros(5), groups))
    assert len(set(cluster[:4])) == 1
    assert cluster[4] != cluster[0]


@pytest.mark.parametrize("width", [1, 3, 64, 65, 300])
def test_row_keys_are_equal_exactly_for_equal_rows(width: int) -> None:
    inputs = np.random.default_rng(0).normal(size=(50, width))
    inputs[7], inputs[20, -1] = inputs[3], 0.0
    inputs[21] = inputs[20]
    inputs[21, -1] = -0.0
    keys = row_keys(inputs)
    assert keys[7] == keys[3]
    assert keys[21] == keys[20], "minus zero is zero"
    assert len(np.unique(keys)) == 48


def test_one_huge_cluster_stays_in_training() -> None:
    inputs = np.concatenate([np.zeros((70, 1)), np.arange(1.0, 31.0)[:, None]])
    train, validation, test = split(Rows(inputs, np.zeros(100)), "huge")
    assert (train.inputs == 0).sum() == 70
    assert len(validation) == len(test) == 10


def test_split_depends_on_the_name_alone() -> None:
    sample = rows(100)
    same, other = split(sample, "a")[0], split(sample, "b")[0]
    np.testing.assert_array_equal(split(sample, "a")[0].inputs, same.inputs)
    assert not np.array_equal(same.inputs, other.inputs)


def test_far_rows_that_stand_in_the_domain_are_left_out_and_reported() -> None:
    sample = rows(50)
    mixed = Rows(np.concatenate([sample.inputs[:4], sample.inputs + 9]), np.zeros(54))
    raw = assemble(Samples(sample, (FarSet("away", mixed),)), "features", "overlap")
    assert len(raw.far[0]) == 50
    assert raw.notes == ("rows left out of 'away', as their inputs also stand elsewhere: 4",)


@given(values=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=40), min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_far_row_stands_in_the_first_set_that_has_its_inputs(values: list[list[int]]) -> None:
    sets = [Rows(np.array(v, np.float64)[:, None], np.arange(len(v), dtype=np.float64)) for v in values]
    far_sets = tuple(FarSet(f"far-{i}", rows_) for i, rows_ in enumerate(sets[1:]))
    kept, notes = without_known_rows(far_sets, sets[0])
    seen, left_out = set(values[0]), 0
    for far_set, mine in zip(kept, values[1:], strict=True):
        assert far_set.rows.inputs[:, 0].tolist() == [v for v in mine if v not in seen]
        left_out += mine != far_set.rows.inputs[:, 0].tolist()
        seen |= set(mine)
    assert len(notes) == left_out + (len(set(values[0])) < len(values[0]))


def test_samples_need_something_far() -> None:
    with pytest.raises(InputError, match="no far set"):
        assemble(Samples(rows(50)), "features", "nothing")
    sample = rows(50)
    with pytest.raises(InputError, match="same name"):
        assemble(Samples(sample, far(sample) * 2), "features", "twice")


def bad(change: str) -> RawTask:
    sample = rows(15 if change == "few" else 60)
    raw = assemble(Samples(sample, far(sample)), "features", "bad")
    if change == "constant":
        raw.train.targets[:] = 3.0
    if change == "infinite":
        raw.test.inputs[0, 0] = np.inf
    if change == "missing":
        raw.far[0].rows.targets[0] = np.nan
    return raw


@pytest.mark.parametrize(
    ("change", "message"),
    [("few", "too few"), ("constant", "the same"), ("infinite", "infinite or missing"), ("missing", "'away'")],
)
def test_what_is_no_regression_is_refused(change: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        standardize(bad(change), get_card("diabetes"), "bad", "")


def test_a_constant_column_stays_harmless() -> None:
    inputs = np.column_stack([np.full(97, 0.1), np.arange(97.0)])
    mean, scale = input_statistics(inputs, "features")
    assert scale[0] == 1
    assert ((inputs - mean) / scale)[:, 0].any() == False  # noqa: E712


def test_data_hash_feels_every_array_and_name_but_not_the_last_bit() -> None:
    sample = rows(60)
    base = assemble(Samples(sample, far(sample)), "features", "hash")
    hashes = {data_hash(base)}
    base.far[0].rows.targets[5] += 1.0
    hashes.add(data_hash(base))
    base.validation.inputs[0, 2] += 1.0
    hashes.add(data_hash(base))
    renamed = RawTask(base.kind, base.train, base.validation, base.test, (FarSet("other", base.far[0].rows),))
    hashes.add(data_hash(renamed))
    assert len(hashes) == 4
    before = data_hash(base)
    base.train.inputs[0, 0] = np.nextafter(base.train.inputs[0, 0], np.inf)
    assert data_hash(base) == before
