import html
import json
import re
import shutil
import subprocess

import pytest

from bench.core.errors import InputError
from leaderboard.page.document import render_page, write_page

EVIL = (
    "<img src=x onerror=\"document.body.dataset.evil='yes'\"></script><script>document.body.dataset.evil='yes'</script>"
)
# The page is opened in a frame, so that a test can click in it without being part of it: its policy forbids that.
HARNESS = """<!DOCTYPE html><body><iframe id="page" src="page.html" style="width:1400px;height:3000px"></iframe>
<pre id="result"></pre><script>
const frame = document.getElementById("page");
const column = (table, place) =>
  [...table.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[place].dataset.sort);
frame.addEventListener("load", () => {
  const page = frame.contentDocument, seen = { blocked: [] };
  page.addEventListener("securitypolicyviolation", event => seen.blocked.push(event.blockedURI));
  const started = Date.now();
  const poll = setInterval(() => {
    if (!page.documentElement.dataset.charts && Date.now() - started < 20000) return;
    clearInterval(poll);
    seen.charts = page.documentElement.dataset.charts;
    seen.svgs = page.querySelectorAll("[data-chart] svg.marks").length;
    seen.legend = [...page.querySelectorAll("[data-chart] svg.marks text")].map(t => t.textContent);
    const table = page.getElementById("board0-overall-table");
    seen.heads = [...table.tHead.rows[0].cells].map(c => c.textContent);
    const far = seen.heads.findIndex(h => h.startsWith("far error"));
    seen.before = column(table, far);
    const button = table.tHead.rows[0].cells[far].firstElementChild;
    button.click(); seen.ascending = column(table, far);
    button.click(); seen.descending = column(table, far);
    seen.aria = table.tHead.rows[0].cells[far].getAttribute("aria-sort");
    const select = page.querySelector("select[data-filter=board0-tasks-table]");
    select.value = "linear-1d"; select.dispatchEvent(new Event("change"));
    seen.tasks = column(page.getElementById("board0-tasks-table"), 1);
    seen.resources = frame.contentWindow.performance.getEntriesByType("resource").map(e => e.name);
    seen.evil = page.body.dataset.evil || "no";
    seen.images = page.images.length;
    document.getElementById("result").textContent = JSON.stringify(seen);
    document.body.dataset.done = "yes";
  }, 50);
});
</script></body>"""


@pytest.fixture(scope="session")
def chromium():
    """The browser's command, on machines that have one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    pytest.skip("no Chromium here: the page is not tried in a browser")


def browse(chromium, folder, page):
    """What the harness saw of ``page``."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    (folder / "harness.html").write_text(HARNESS, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--disable-dev-shm-usage"]
    quiet = ["--no-first-run", "--disable-background-networking", f"--user-data-dir={folder / 'profile'}"]
    command = [
        chromium,
        *flags,
        *quiet,
        "--virtual-time-budget=30000",
        "--dump-dom",
        (folder / "harness.html").as_uri(),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="result">(.*?)</pre>', result.stdout, re.DOTALL)
    assert found, result.stderr[-2000:]
    return json.loads(html.unescape(found.group(1)))


def test_the_page_works_in_a_browser_without_any_network(chromium, tmp_path, records, key, unfinished):
    mine = [*records(tasks=("sine-1d", "linear-1d", "protein")), unfinished("diverged", key(norm="dyt@all"))]
    seen = browse(chromium, tmp_path, render_page(mine))
    assert seen["charts"] == "drawn"
    assert seen["svgs"] == 2
    assert {"sine-1d · mlp", "layer@first"} <= set(seen["legend"])
    assert seen["resources"] == []
    assert seen["blocked"] == []
    numbers = [float(v) for v in seen["before"] if v]
    assert [float(v) for v in seen["ascending"] if v] == sorted(numbers)
    assert [float(v) for v in seen["descending"] if v] == sorted(numbers, reverse=True)
    assert seen["ascending"][-1] == seen["descending"][-1] == ""  # what has no number stays last
    assert seen["aria"] == "descending"
    assert seen["tasks"] == ["linear-1d", "linear-1d"]


def test_text_from_records_cannot_become_a_script(chromium, tmp_path, record, key, unfinished):
    mine = [
        record(key(norm=EVIL)),
        record(key(architecture=EVIL, task=EVIL)),
        unfinished("failed", key(architecture="x", norm="y"), reason=EVIL, environment={EVIL: EVIL}),
    ]
    seen = browse(chromium, tmp_path, render_page(mine, title=EVIL, note=EVIL, protocols={"1": [(EVIL, EVIL)]}))
    assert seen["charts"] == "drawn"
    assert (seen["evil"], seen["images"], seen["blocked"]) == ("no", 0, [])


def test_the_page_is_one_small_file_that_fetches_nothing(tmp_path, records):
    norms = ["none", *(f"layer@hidden{i}" for i in range(1, 10))]
    mine = records(tasks=[f"task-{i}" for i in range(10)], norms=norms, seeds=range(2))
    path = write_page(mine, tmp_path / "new" / "page.html")
    page = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 1_000_000  # 100 cells
    assert not re.search(r"""(?:src|href|url|action)\s*[=(]\s*["']?\s*(?:https?:)?//""", page)
    assert "default-src 'none'" in page
    assert page.count("<script") == 2


def test_every_row_says_how_it_was_made(records, key, unfinished):
    mine = [*records(seeds=range(3)), unfinished("timeout", key(norm="slow"), reason="took longer than 5 s")]
    page = html.unescape(render_page(mine, protocols={"1": [("steps", "3000 & more")], "other": [("unused", "x")]}))
    for text in (
        "a" * 64,
        "d" * 64,
        "17,000",
        "0.001",
        "environment",
        "took longer than 5 s",
        "1 timeout",
        "3000 & more",
    ):
        assert text in page
    assert "unused" not in page
    assert page.count("<code>layer@first</code>") == 2


def test_protocols_have_sections_of_their_own(records):
    import dataclasses

    other = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="paper")) for r in records()]
    page = render_page(records() + other)
    assert '<section id="board0">' in page
    assert '<section id="board1">' in page
    assert "Protocol paper<" in page
    variant = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="2-sgd")) for r in records()]
    assert render_page(records() + variant).count("Protocol 2-sgd (for sensitivity)<") == 2  # the link and the heading


def test_a_page_of_failures_is_a_page_and_one_of_nothing_is_not(unfinished, tmp_path):
    assert "it failed" in render_page([unfinished("failed")])
    with pytest.raises(InputError, match="no records"):
        render_page([])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_page([unfinished("failed")], tmp_path / "file" / "page.html")
