"""``farfield compare --data`` and ``ff.compare_data``: records, conclusion, page, code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from sklearn.datasets import load_diabetes

import farfield as ff
from bench.cli import main
from bench.comparing.plain import plain_network
from bench.comparing.run import SCHEMES
from bench.core.problem import Problem
from leaderboard.page.own_table import is_bounded
from leaderboard.ranking.conclusion import ConclusionRow

EVIL = (
    "<img src=x onerror=document.body.dataset.evil='yes'></code></script><script>document.body.dataset.evil=1</script>"
)
LITTLE = {"architectures": "mlp(width=8)", "norms": ("layer@first", "clip@input"), "protocol": "quick", "seeds": 2}
QUIET: dict[str, Any] = {"wandb": "disabled"}


def opened(page: Path, folder: Path) -> tuple[str, list[str]]:
    """The page's content once its script ran, and what the browser's console said."""
    browser = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)
    if browser is None:
        pytest.skip("no Chromium here: the page is not tried in a browser")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    flags += ["--disable-background-networking", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    command = [browser, *flags, "--virtual-time-budget=30000", "--dump-dom", page.absolute().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, [line for line in said if '"WARN ' not in line]  # Vega's remarks on legends are no errors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a real table in it."""
    made = tmp_path_factory.mktemp("table")
    load_diabetes(as_frame=True).frame.to_csv(made / "my.csv", index=False)
    return made


def command(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["compare", "--data", "my.csv", "--target", "target", "--protocol", "quick", "--seeds", "2", "--out", "out"]
    words += ["--wandb", "disabled", *more]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(
        [sys.executable, "-m", "bench.cli", *words], cwd=folder, capture_output=True, text=True, env=environment,
        check=False, timeout=600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user gives it."""
    return command(folder)


@pytest.mark.slow
def test_one_command_runs_concludes_and_writes_a_page(folder: Path, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert re.search(r"Take mlp with \S+\.", done.stdout)
    assert "clip@input" in done.stdout
    assert "furthest 20% by Mahalanobis distance" in done.stdout
    records = ff.load(folder / "out").records
    assert {r.key.norm for r in records if r.key.architecture == "mlp"} == set(SCHEMES)
    assert {r.key.architecture for r in records} == {"mlp", "mean", "ridge", "boosted-trees", "knn"}
    assert {r.status for r in records} == {"ok"}
    page = folder / "out" / "compare.html"
    assert page.stat().st_size < 1_000_000
    text = page.read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"""(?:src|href|url|action)\s*[=(]\s*["']?\s*(?:https?:)?//""", text)
    for said in ("not a right one", "beyond R", "read as: comma separated", "far rows carry every statement"):
        assert said in text


@pytest.mark.slow
def test_the_page_opens_without_network_and_console_errors(
    folder: Path, done: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    text, console = opened(folder / "out" / "compare.html", tmp_path)
    assert 'data-charts="drawn"' in text
    assert text.count('class="marks"') == 2
    assert console == []


@pytest.mark.slow
def test_a_second_call_computes_nothing(folder: Path, done: subprocess.CompletedProcess[str]) -> None:
    before = {r.key: r.created for r in ff.load(folder / "out").records}
    again = command(folder, "--format", "json")
    assert again.returncode == 0, again.stderr
    assert f"{len(before)} records ({len(before)} known before)" in again.stderr
    assert {r.key: r.created for r in ff.load(folder / "out").records} == before
    assert "Take mlp" in json.dumps(json.loads(again.stdout))


@pytest.mark.slow
def test_the_code_runs_as_printed(folder: Path, done: subprocess.CompletedProcess[str]) -> None:
    import html

    shown = re.search(r'<pre id="python"><code>(.*?)</code></pre>', (folder / "out" / "compare.html").read_text(), re.S)
    assert shown
    code = html.unescape(shown[1])
    assert "nn.Sequential(" in code
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert ran.returncode == 0, ran.stderr
    network = re.search(r"Take mlp with (\S+)\.", done.stdout)
    assert network
    errors = [
        r.far_error for r in ff.load(folder / "out").records if (r.key.architecture, r.key.norm) == ("mlp", network[1])
    ]
    far = re.search(r"^far error (\S+) on 89 rows", ran.stdout, re.M)
    assert far
    assert float(far[1]) == pytest.approx(sum(filter(None, errors)) / len(errors), rel=0.2)
    growth = [float(value) for value in re.findall(r"growth at +\d+ R: (\S+)", ran.stdout)]
    assert len(growth) == 5
    assert max(growth) < 10  # what is recommended is bounded


@pytest.mark.slow
def test_names_from_the_table_cannot_become_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "<b onclick=alert(1)> & co"
    home.mkdir()
    monkeypatch.chdir(home)
    frame = load_diabetes(as_frame=True).frame.rename(columns={"target": EVIL, "bmi": "<svg onload=alert(1)>"})
    frame["words"] = ["<b>a</b>", "</pre>b", "c"] * 147 + ["c"]
    frame.loc[::2, "words"] = None
    frame.to_csv("<i>'t'.csv", index=False)
    found = ff.compare_data("<i>'t'.csv", target=EVIL, far_by="<svg onload=alert(1)>", out="out", sweep=QUIET, **LITTLE)
    page = found.page.read_text()
    assert "<img" not in page
    assert "<svg" not in page
    assert "<i>" not in page
    assert page.count("<script") == 2
    text, console = opened(found.page, tmp_path)
    assert 'data-charts="drawn"' in text
    assert "data-evil" not in text
    assert console == []
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    ran = subprocess.run(
        [sys.executable, "-c", found.code], capture_output=True, text=True, env=environment, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_few_far_rows_are_said_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    frame: pandas.DataFrame = load_diabetes(as_frame=True).frame
    found = ff.compare_data(
        frame, target="target", far_by="bmi", far_quantile=0.98, out=tmp_path, sweep=QUIET, **LITTLE
    )
    assert any(text.startswith("ONLY 9 FAR ROWS") for text in found.said)
    assert found.schemes.reference == "none"
    assert found.choice is not None
    assert found.choice.norm in ("layer@first", "clip@input")
    assert not any("far error" in text for text in found.said[:1])
    page = found.page.read_text()
    assert "ONLY 9 FAR ROWS" in page
    assert "<h1>target of a data frame far away</h1>" in page


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--seeds", "3"], "--seeds belongs to --data"),
        (["--workers", "2"], "--workers belongs to --data"),
        (["--far-by", "age"], "--far-by belongs to --data"),
        (["--save", "x.html"], "--save belongs to --data"),
        (["--plugin", "x.py"], "--plugin belongs to --data"),
        (["--data", "my.csv"], "--data needs --target"),
        (["--data", "my.csv", "--target", "target", "--task", "sine-1d"], "--task is of stored records"),
        (["--data", "my.csv", "--target", "target", "--by", "architecture"], "--by is of stored records"),
        (["--data", "my.csv", "--target", "target", "--norm", "none"], "only one norm"),
        (["--data", "my.csv", "--target", "targets"], "did you mean 'target'"),
        (["--data", "none.csv", "--target", "target"], "none.csv"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    fragment: str,
) -> None:
    monkeypatch.chdir(folder)
    assert main(["compare", "--out", "nothing", *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("farfield: ")]
    assert len(lines) == 1
    assert fragment in lines[0]


@pytest.mark.parametrize("norm", [*SCHEMES, "batch@1", "layer@input+hidden2.post"])
def test_networks_are_written_in_plain_torch(norm: str) -> None:
    """Written and built networks agree (checked inside), and the text is torch alone."""
    text = plain_network("mlp(depth=3, activation=gelu)", norm, Problem("features", (5,), (-1.0, 2.0), 3.0))
    assert text is not None
    scope: dict[str, Any] = {"nn": torch.nn, "R": 3.0}
    exec(text, scope)
    answers = scope["network"]().eval()(torch.randn(4, 5))
    assert answers.shape == (4, 1)


@pytest.mark.parametrize(
    ("verdict", "grade", "holds"),
    [
        ("bounded", "", True),
        ("bounded", "searched", True),
        ("bounded ≤ 2.9, proved", "proved", True),
        ("bounded", "growth found", False),
        ("bounded along rays, growth found", "", False),
        ("mixed: 1 of 5 unbounded [1–72%]", "", False),
        ("unbounded: sublinear to linear", "", False),
    ],
)
def test_only_what_no_seed_and_no_search_contradicts_is_bounded(verdict: str, grade: str, holds: bool) -> None:
    row = ConclusionRow(
        "unknown", "mlp", "none", "a", "", ("t",), (5, 5), None, None, verdict, grade, None, None, "reference", None,
        None, None, None, (),
    )  # fmt: skip
    assert is_bounded(row) is holds


@pytest.mark.parametrize(
    ("architecture", "norm"),
    [("resmlp", "none"), ("mlp", "weight@all"), ("mlp(parameterization=ntk)", "none"), ("mlp(clamp=true)", "none")],
)
def test_what_is_not_a_row_of_layers_is_left_to_farfield(architecture: str, norm: str) -> None:
    assert plain_network(architecture, norm, Problem("features", (5,), (-1.0, 2.0), 3.0)) is None
