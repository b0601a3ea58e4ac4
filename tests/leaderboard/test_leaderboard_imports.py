import subprocess
import sys

HEAVY = (
    "torch",
    "timm",
    "datasets",
    "wandb",
    "pandas",
    "scipy",
    "sklearn",
    "statsmodels",
    "altair",
    "vl_convert",
    "jinja2",
)
PROGRAM = """
import importlib, pkgutil, sys
import leaderboard
for module in pkgutil.walk_packages(leaderboard.__path__, "leaderboard."):
    importlib.import_module(module.name)
print(*sorted(sys.modules))
"""


def test_importing_the_room_loads_nothing_heavy_and_no_other_room():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "leaderboard.charts.growth" in loaded
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.split(".")[0] in ("tasks", "architectures")}
    assert not {n for n in loaded if n.startswith("bench.") and not n.startswith("bench.core")}


def test_making_a_page_does_not_load_torch():
    program = (
        "import sys; from leaderboard.page.document import render_page\n"
        "from leaderboard.records.record import Record, RecordKey\n"
        "key = RecordKey('1', 't', '1', 'd', 'a', 's', 'none', 0)\n"
        "one = Record(key, 'failed', 'unknown', '2026-01-01T00:00:00+00:00', 'why', 'error')\n"
        "render_page([one]); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
