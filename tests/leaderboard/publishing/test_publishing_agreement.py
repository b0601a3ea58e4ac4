"""What agrees with the published records, and boards on which one's own stand beside them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from leaderboard.publishing.agreement import agreement, agreement_grid
from leaderboard.ranking.standings import standings
from leaderboard.records.marked import joined, marked
from leaderboard.records.metrics import far_error
from leaderboard.records.summary import Summaries
from leaderboard.tables.rendering import render_standings
from leaderboard.tables.writing import render


def scaled(record, factor):
    """The record with every error multiplied."""
    sets = tuple(replace(s, relative_error=s.relative_error * factor) for s in record.sets)
    errors = [s.relative_error for s in sets]
    return replace(record, sets=sets, id_error=errors[0], far_error=far_error(errors[1:]))


def compare(own, published):
    return agreement(Summaries.of(own), Summaries.of(published))


def test_the_same_records_agree(records):
    found = compare(records(), records())
    assert (found.agreeing, len(found.cells), found.differences) == (4, 4, ())
    assert found.sentence == "4 of 4 cells agree with the published ones"


def test_other_seeds_of_the_same_cells_agree_and_other_errors_do_not(records):
    published = records(seeds=range(5))
    assert compare(records(seeds=range(5, 10)), published).agreeing == 4
    odd = [scaled(r, 3.0) if r.key.norm == "none" and r.key.task == "sine-1d" else r for r in records()]
    found = compare(odd, published)
    assert found.agreeing == 3
    assert {one.what for one in found.differences} == {"id error", "far error"}
    for one in found.differences:
        assert one.ratio == pytest.approx(3.0, rel=1e-6)
        assert 1 < one.allowed < 3


def test_the_interval_is_welchs(record, key):
    random = np.random.default_rng(0)
    answers = []
    for cell in range(60):
        sides = [np.exp(random.normal(0, 0.2 + 0.3 * side, 4 + side)) for side in range(2)]
        sides[1] *= math.exp(0.02 * cell)
        own, published = (
            [
                scaled(record(key(seed=seed)), error / record(key(seed=seed)).id_error)
                for seed, error in enumerate(errors)
            ]
            for errors in sides
        )
        found = [one for one in compare(own, published).differences if one.what == "id error"]
        p_value = stats.ttest_ind(*(np.log(errors) for errors in sides), equal_var=False).pvalue
        assert bool(found) == (p_value < 0.01)
        answers.append(bool(found))
    assert 5 < sum(answers) < 55


def test_another_verdict_is_a_difference(records):
    own = [replace(r, exponent=0.5, axis_exponent=0.5) if r.key.norm == "none" else r for r in records()]
    found = compare(own, records())
    assert {(d.key.norm, d.what, d.own, d.published) for d in found.differences} == {
        ("none", "verdict", "sublinear", "linear")
    }
    assert found.agreeing == 2


def test_one_seed_tells_nothing_unless_it_is_the_same(records):
    published = records(seeds=range(5))
    found = compare(records(seeds=[7], norms=("none",)), published)
    assert (found.agreeing, len(found.untold), found.differences) == (0, 2, ())
    assert compare(records(seeds=[3]), records(seeds=[3])).agreeing == 4


def test_a_cell_that_diverged_agrees_with_one_that_did(records, unfinished, key):
    diverged = [unfinished("diverged", key(seed=seed)) for seed in range(3)]
    assert compare(diverged, diverged).agreeing == 1
    found = compare(diverged, records(tasks=("sine-1d",), norms=("none",)))
    assert {one.what for one in found.differences} == {"verdict", "id error", "far error"}


def test_cells_of_other_code_and_unpublished_ones_are_counted_apart(records):
    published = records()
    own = [replace(r, key=replace(r.key, source_hash="b" * 64)) for r in published]
    own += records(architectures=("cnn",))
    found = compare(own, published)
    assert (len(found.cells), len(found.other), len(found.unpublished)) == (0, 4, 4)
    assert "published with other code or data: mlp" in agreement_grid(found).notes[1]


def test_the_table_has_what_differs_and_json_the_counts(records):
    own = [scaled(r, 9.0) if r.key.norm == "none" else r for r in records()]
    grid = agreement_grid(compare(own, records()))
    assert "2 of 4 cells agree with the published ones; 2 differ" in render([grid], "table")
    document = json.loads(render([grid], "json"))
    (table,) = document["tables"]
    assert table["agreement"] == {
        "cells": 4, "agree": 2, "differ": 2, "too_few_seeds": 0, "other_code_or_data": 0, "not_published": 0
    }  # fmt: skip
    assert {row["norm"] for row in table["rows"]} == {"none"}
    assert all(row["ratio"] == pytest.approx(9, rel=1e-3) for row in table["rows"] if row["what"] == "far error")


def test_own_records_stand_beside_the_published_ones_in_rows_of_their_own(records):
    own, published = Summaries.of(records(seeds=range(3))), Summaries.of(records(architectures=("mlp", "cnn")))
    (board,) = standings(joined([marked(own, lambda _: "yours"), published]))
    seeds = {(row.method.title, row.method.norm): row.seeds for row in board.overall}
    assert seeds == {
        **{("mlp (yours)", norm): (3, 3) for norm in ("none", "layer@first")},
        **{(name, norm): (5, 5) for name in ("mlp", "cnn") for norm in ("none", "layer@first")},
    }
    assert not any("different source code" in note for note in board.notes)
    text = render_standings([board], "csv")
    assert "mlp (yours)" in text
    assert ",yours," in text
    (plain,) = standings(published)
    assert ",mark," not in render_standings([plain], "csv").splitlines()[0]


def test_ratios_to_none_are_to_ones_own(records):
    names = ("sine-1d", "linear-1d", "protein", "a", "b", "c")
    own = [scaled(r, 2.0) if r.key.norm == "none" else r for r in records(tasks=names)]
    both = joined([marked(Summaries.of(own), lambda _: "yours"), Summaries.of(records(tasks=names))])
    (board,) = standings(both)
    ratio = {row.method.title: row.general.mean for row in board.overall if row.method.norm == "layer@first"}
    assert ratio["mlp (yours)"] == pytest.approx(ratio["mlp"] / 2, rel=0.2)


def test_joined_summaries_keep_every_column(records):
    first, second = Summaries.of(records(seeds=[0])), Summaries.of(records(seeds=[1], environment={"numpy": "other"}))
    both = joined([first, second])
    assert len(both) == len(first) + len(second)
    assert both.digest == (*first.digest, *second.digest)
    assert len(both.cells) == len(first.cells)
    assert np.array_equal(both.numbers, np.concatenate([first.numbers, second.numbers]), equal_nan=True)
    assert {dict(both.environments[e])["numpy"] for e in both.environment[len(first) :]} == {"other"}
