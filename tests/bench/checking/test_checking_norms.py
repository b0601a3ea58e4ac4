"""``farfield check`` on norm kinds: the template passes as it is, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.checking import CheckReport, check_file
from bench.core.errors import InputError
from bench.templates import write_template

HEAD = """
import farfield as ff
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self, dim=1):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return {forward}
"""


def checked(tmp_path: Path, forward: str, register: str) -> CheckReport:
    path = tmp_path / "mine.py"
    path.write_text(HEAD.format(forward=forward) + register)
    return check_file(path)


def found(report: CheckReport, check: str) -> str:
    assert check in report.failed, report.failed
    return next(f.found for f in report.findings if f.check == check and f.passed is False)


@pytest.mark.slow
def test_the_template_of_a_norm_passes_as_it_is(tmp_path: Path) -> None:
    path = write_template("norm", "my-first", tmp_path)
    code = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(code) < 20
    report = check_file(path)
    assert report.passed, [(f.check, f.where, f.found) for f in report.findings if f.passed is False]
    assert report.registered == ("my-first",)
    assert [(p.name.partition("(")[0], p.norm) for p in report.portraits] == [
        (family, "my-first@first") for family in ("mlp", "cnn", "transformer")
    ]
    assert all(portrait.predicted == 0 for portrait in report.portraits)
    programs = [f for f in report.findings if f.check == "every training program gives the same"]
    assert len(programs) == 5
    assert all(f.passed for f in programs)


def test_a_template_does_not_take_a_name_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="norm 'layer' is already there"):
        write_template("norm", "layer", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("forward", "register", "check", "words"),
    [
        (
            "torch.tanh(x) * self.weight",
            '@ff.register_norm("mine", bound=lambda *_: 0.1, growth="bounds")\ndef mine(site): return Layer()',
            "what is declared holds",
            "and the declared bound proves",
        ),
        (
            "x * self.weight",
            '@ff.register_norm("mine", growth="bounds")\ndef mine(site): return Layer()',
            "growth is as declared",
            "predicted 0, measured 1.00",
        ),
        (
            "x / x.abs().sum(-1, keepdim=True) * self.weight",
            '@ff.register_norm("mine")\ndef mine(site): return Layer()',
            "answers are finite at zero and far away",
            "for zeros are not finite",
        ),
        (
            "x * self.weight",
            'HELD = nn.Parameter(torch.ones(1))\n@ff.register_norm("mine")\ndef mine(site):\n    layer = Layer()\n'
            "    layer.weight = HELD\n    return layer",
            "nothing placed is shared",
            "hold the same tensor",
        ),
        (
            "torch.tanh(x * self.weight)",
            '@ff.register_norm("mine", layout="last")\ndef mine(site): return Layer(site.dim)',
            "gain and shift are what they are called",
            "does not multiply the output",
        ),
    ],
    ids=["bound", "growth", "zeros", "shared", "gain"],
)
def test_what_is_wrong_is_named(tmp_path: Path, forward: str, register: str, check: str, words: str) -> None:
    assert words in found(checked(tmp_path, forward, register), check)
