"""Float32 arithmetic has all its bits where networks train, whatever switch of torch's says otherwise."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, sys, traceback
import torch
from architectures.contract.precision import in_full_float32

def newer():
    found = [torch.backends.cudnn, torch.backends.mkldnn]
    kinds = [getattr(one, name, None) for one in found for name in ("conv", "rnn", "matmul")]
    kinds.append(torch.backends.cuda.matmul)
    return [kind.fp32_precision for kind in kinds if hasattr(kind, "fp32_precision")]

def read(switch):
    try:
        return switch()
    except RuntimeError:
        return "refused"

def everything():
    return newer(), read(torch.get_float32_matmul_precision), read(lambda: torch.backends.cudnn.allow_tf32)

def check(before):
    try:
        exec(before)
    except AttributeError:
        os._exit(3)
    outside = everything()
    with in_full_float32():
        assert set(newer()) <= {"none", "ieee"}, newer()
        assert torch.get_float32_matmul_precision() == "highest"
        assert torch.backends.cudnn.allow_tf32 is False
    assert everything() == outside, (everything(), outside)

for before in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            check(before)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
NEWER = {
    "convolutions whole": "torch.backends.cudnn.conv.fp32_precision = 'ieee'",
    "convolutions short": "torch.backends.cudnn.conv.fp32_precision = 'tf32'",
    "products on the CPU short": "torch.backends.mkldnn.matmul.fp32_precision = 'bf16'",
    "convolutions on the CPU short": "torch.backends.mkldnn.conv.fp32_precision = 'bf16'",
}
OLDER = {
    "as torch has them": "",
    "products short": "torch.set_float32_matmul_precision('medium')",
    "convolutions off": "torch.backends.cudnn.allow_tf32 = False",
}


NO_SUCH_SWITCH = "3"


def test_all_bits_inside_and_every_switch_as_it_was_outside() -> None:
    """Each case in a process of its own."""
    cases = OLDER | NEWER
    command = [sys.executable, "-c", SCRIPT, *cases.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = dict(zip(cases, done.stdout.split(), strict=True))
    assert all(found[case] == "0" for case in OLDER), done.stderr
    assert {found[case] for case in NEWER} <= {"0", NO_SUCH_SWITCH}, done.stderr
