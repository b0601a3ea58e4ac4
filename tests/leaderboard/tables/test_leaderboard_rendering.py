import csv
import io
import json
import math
from itertools import pairwise

import pytest

from bench.core.errors import InputError
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.standings import standings
from leaderboard.tables.grid import show_number
from leaderboard.tables.rendering import render_comparison, render_standings


@pytest.fixture
def boards(records, key, record, unfinished):
    extra = [unfinished("diverged", key(norm="dyt@all")), unfinished("unsupported", key(architecture="cnn"))]
    return standings(records(tasks=("sine-1d", "linear-1d", "protein")) + extra)


def test_every_row_is_in_every_format(boards):
    rows = len(boards[0].overall)
    table = render_standings(boards, width=200)
    assert all(name in table for name in ("layer@first", "dyt@all", "cnn", "unbounded", "1 diverged", "1 unsupported"))
    markdown = render_standings(boards, "markdown").splitlines()
    assert sum(line.startswith("|") for line in markdown) == rows + 2
    assert len({line.replace("\\|", "").count("|") for line in markdown if line.startswith("|")}) == 1
    assert len(list(csv.DictReader(io.StringIO(render_standings(boards, "csv"))))) == rows
    assert len(json.loads(render_standings(boards, "json"))["tables"][0]["rows"]) == rows


def test_csv_and_json_carry_full_numbers_and_directions(boards):
    first = boards[0].overall[0]
    row = next(csv.DictReader(io.StringIO(render_standings(boards, "csv"))))
    assert float(row["far_error"]) == first.far_error.mean
    assert float(row["far_error_low"]) == first.far_error.low
    assert float(row["max_growth"]) == first.max_growth.mean
    assert row["unbounded"] == "true"
    content = json.loads(render_standings(boards, "json"))
    assert content["better"] == dict.fromkeys(content["better"], "lower")
    assert {"far_error", "id_error", "max_growth", "growth_10", "growth_100"} <= set(content["better"])
    assert "exponent" not in content["better"]
    stored = content["tables"][0]["rows"][0]
    assert stored["far_error"] == {
        "mean": first.far_error.mean,
        "low": first.far_error.low,
        "high": first.far_error.high,
    }
    assert stored["seeds"] == 5
    assert {e["task"] for e in content["tables"][0]["editions"]} == {"sine-1d", "linear-1d", "protein"}


def test_json_has_no_infinity_but_says_where_one_was(key, record):
    one = record(key())
    bad = record(
        key(seed=1),
        growth=(*one.growth[:-1], None),
        departure=(*one.departure[:-1], None),
        nonfinite=(*one.nonfinite[:-1], 1),
        exponent=None,
    )
    content = json.loads(render_standings(standings([one, bad]), "json"), parse_constant=pytest.fail)
    row = content["tables"][0]["rows"][0]
    assert row["max_growth"] == {"mean": None, "low": None, "high": None, "infinite": True}
    assert row["nonfinite"] == 1
    assert "∞" in render_standings(standings([one, bad]), width=200)
    assert next(csv.DictReader(io.StringIO(render_standings(standings([one, bad]), "csv"))))["max_growth"] == "inf"


def test_scopes(boards):
    tasks = len(boards[0].per_task)
    total = len(boards[0].overall)
    for scope, rows in (("overall", total), ("tasks", tasks), ("both", total + tasks)):
        assert len(list(csv.DictReader(io.StringIO(render_standings(boards, "csv", scope=scope))))) == rows
        assert "bounded" in render_standings(boards, scope=scope, width=200)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200, 300])
def test_tables_fit_the_terminal_and_name_what_is_left_out(boards, width):
    text = render_standings(boards, width=width, scope="both")
    assert max(map(len, text.splitlines())) <= width
    assert ("too narrow for" in text) == (width < 300)
    assert "\x1b" not in text
    assert "\x1b[" in render_standings(boards, width=width, color=True)


def test_the_width_that_was_asked_for_holds_in_a_dumb_terminal(boards, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")  # rich takes it to have 80 characters
    assert max(map(len, render_standings(boards, width=60).splitlines())) <= 60


@pytest.fixture
def long_names(records):
    return records(architectures=("mlp(width=256, depth=4)", "linear-extrapolation", "timm/vit_tiny_patch16_224"))


def _words(text):
    return {word for line in text.splitlines() for word in line.split()}


@pytest.mark.parametrize("what", ["standings", "comparison"])
def test_narrow_tables_break_lines_at_spaces_alone(long_names, what):
    """Every word of a narrow table stands whole in the one that leaves nothing out."""
    found = standings(long_names) if what == "standings" else compare(long_names)
    rendered = render_standings if what == "standings" else render_comparison
    whole = _words(rendered(found, scope="overall"))
    for width in (72, 80, 100):
        text = rendered(found, width=width, scope="overall")
        assert max(map(len, text.splitlines())) <= width
        table, note, _ = text.partition("too narrow for")
        assert note, "this width is meant to be too narrow"
        assert _words("\n".join(line for line in table.splitlines() if "─" not in line)) <= whole
        assert all(name in table for name in ("linear-extrapolation", "timm/vit_tiny_patch16_224", "layer@first"))


def test_what_matters_least_is_left_out_first(boards):
    """As a terminal narrows columns only go; the errors over each kind of truth stay, and that over all goes last."""
    names = ("G(100)", "G(10)", "seeds", "exponent", "id error", "verdict", "remarks", "max growth")
    seen = []
    for width in range(300, 40, -5):
        text = " ".join(render_standings(boards, width=width).split())
        left_out = text.partition("too narrow for:")[2].partition("(in a wider")[0]
        seen.append(set(names) & {name.strip() for name in left_out.split(",")})
        assert "truths" not in left_out
        assert "far error" not in left_out or set(names) <= seen[-1]
    assert all(wide <= narrow for wide, narrow in pairwise(seen))
    order = [next(i for i, gone in enumerate(seen) if name in gone) for name in names]
    assert order == sorted(order)


def test_without_a_terminal_nothing_is_left_out_and_no_name_or_number_broken(long_names):
    text = render_standings(standings(long_names), scope="overall")
    assert "too narrow" not in text
    assert "G(100)" in text
    assert all(name in text for name in ("mlp(width=256, depth=4)", "linear-extrapolation"))
    assert all(line.count("[") == line.count("]") for line in text.splitlines())
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_a_strangers_text_stays_text(key, unfinished):
    evil = "a|b <script>alert(1)</script> [x](javascript:1) \x1b[31mred\nnext `code` [bold]"
    boards = standings([unfinished("failed", key(architecture=evil), reason=evil)])
    table = render_standings(boards, width=300)
    assert "\x1b" not in table
    assert "[bold]" in table
    markdown = render_standings(boards, "markdown")
    assert "<script>" not in markdown
    assert "](" not in markdown
    assert len([line for line in markdown.splitlines() if line.startswith("|")]) == 3
    row = next(csv.DictReader(io.StringIO(render_standings(boards, "csv"))))
    assert row["architecture"] == evil
    assert json.loads(render_standings(boards, "json"))["tables"][0]["rows"][0]["reasons"] == [evil]


def test_comparisons_in_every_format(records):
    comparisons = compare(records())
    effect = comparisons[0].overall[0].effect("far_error")
    table = render_comparison(comparisons, width=160)
    assert show_number(effect.ratio.mean) in table
    rows = list(csv.DictReader(io.StringIO(render_comparison(comparisons, "csv"))))
    assert len(rows) == 3
    assert float(rows[0]["far_error_ratio"]) == effect.ratio.mean
    assert float(rows[0]["far_error_p_holm"]) == effect.p_holm
    content = json.loads(render_comparison(comparisons, "json"))
    assert content["tables"][0]["reference"] == "none"
    assert content["better"]["far_error_ratio"] == "lower"
    assert "layer@first" in render_comparison(comparisons, "markdown", scope="tasks")


def test_an_unknown_format_is_one_clear_line(boards):
    with pytest.raises(InputError, match="did you mean 'json'"):
        render_standings(boards, "jsn")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"), (1.0, "1.00"), (0.123456, "0.123"), (12.3456, "12.3"), (1234.5, "1234"), (99900.0, "99900"),
        (0.9999, "1.00"), (0.0123, "0.0123"), (0.00123, "0.00123"), (99999.0, "1.00e5"),
        (1e5, "1.00e5"), (0.00012, "1.20e−4"), (-0.5, "−0.500"), (math.inf, "∞"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert show_number(value) == text
