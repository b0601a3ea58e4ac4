"""By which program a cell's members train, and how many of them together.

Three programs (:class:`bench.training.programs.program.Program`) compute the same: ``chain``
(:mod:`bench.training.programs.chain`) and ``vmap`` (:mod:`bench.training.programs.vmap`) take a step of all members at
once, ``loop`` (:mod:`bench.training.programs.loop`) trains one after the other. Stacking saves what lies between the
operations, so it pays while operations are small; once a layer's output fills a core's cache it costs.

The bounds were found by timing the programs against each other on one core, eight steps with building, for MLPs,
residual MLPs, CNNs and transformers (``python -m tools.speed --part programs`` measures it again). What counts is the
*span*: rows of a step times the largest output of a layer. How many times as fast as the loop, least to greatest:

====== ============ ================== ================== =====================
span   chain, alone chain, ten members vmap, four members vmap, ten and twenty
====== ============ ================== ================== =====================
2^12   0.9          2.6 to 2.8         1.2 to 1.3         0.8 to 1.9
2^13   1.1          3.0                not measured       not measured
2^14   0.9 to 1.1   1.3 to 2.1         1.1 to 1.8         1.0 to 2.5
2^15   1.1          2.1                1.2                1.2 to 1.3
2^16   0.9 to 1.1   0.9 to 1.2         0.8 to 1.3         0.8 to 1.8
2^17   1.2          1.4                1.1                1.0 to 1.1
2^18   0.8 to 1.3   0.9 to 1.2         1.0 to 1.2         0.8 to 1.1
====== ============ ================== ================== =====================

Alone, vmap never paid (0.7 to 1.1); with two members neither (0.7 to 0.96, in an earlier measurement). On a GPU, where
launching is what costs, the same was measured with four and with twenty members (NVIDIA H100, ``--device cuda``):

============ ============== ================= =============== ==================
span         chain, four    chain, twenty     vmap, four      vmap, twenty
============ ============== ================= =============== ==================
2^13 to 2^18 2.0 to 3.0     2.1 to 6.6        1.4 to 2.1      3.0 to 5.2
2^20         1.6 to 1.8     2.0 to 3.0        1.4 to 1.8      2.1 to 3.3
2^21         1.4 to 2.5     1.7 to 1.9        1.2             1.5 to 1.8
2^22         not measured   not measured      2.6             1.5
2^23         0.65           0.7               0.5 to 1.0      0.6 to 1.0
============ ============== ================= =============== ==================
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from bench.plan.options import ProgramName
from bench.training.footprint import Footprint, footprint
from bench.training.programs.chain import links_of
from bench.training.programs.vmap import Stack

VMAP_MEMBERS = 4
"""With fewer, vmap costs more than it saves."""


@dataclass(frozen=True)
class Bounds:
    """Spans up to which stacking pays on a kind of device.

    Attributes:
        chain, vmap: of one member, for each program.
        together: of all members that train together. On a CPU: a megabyte, half of what a core's cache holds.
    """

    chain: int
    vmap: int
    together: int


BOUNDS = {"cpu": Bounds(2**17, 2**16, 2**18), "cuda": Bounds(2**22, 2**22, 2**24)}
"""By :attr:`torch.device.type`."""

Item = TypeVar("Item")


def choose_program(
    module: nn.Module,
    inputs: Tensor,
    rows: int,
    members: int,
    device: str | torch.device = "cpu",
    each_step: bool = False,
) -> ProgramName:
    """The program for a cell: the same for the same cell on every machine with the same kind of device.

    Args:
        module: an initialized member, on the device of ``inputs``.
        inputs: some rows.
        rows: of a training step.
        members: seeds times learning rates.
        device: where the cell will train.
        each_step: sequences are answered at each step; a chain knows one answer a row.
    """
    span, bounds = footprint(module, inputs).largest * rows, BOUNDS[torch.device(device).type]
    if span <= bounds.chain and not each_step and links_of(module) is not None:
        return "chain"
    small = span <= bounds.vmap and members >= VMAP_MEMBERS
    return "vmap" if small and _stacks(module, inputs[:8], each_step) else "loop"


def most_together(one: Footprint, rows: int, device: torch.device, limit: int | None = None, extra: int = 0) -> int:
    """How many members train as one stack, at least 1.

    Args:
        one: the footprint of a member.
        rows: of a training step.
        device: where they train.
        limit: bytes that the members of a stack may take (an estimate), if there is a limit.
        extra: bytes that each member takes beside its footprint.
    """
    most = BOUNDS[device.type].together // max(1, one.largest * rows)
    if limit is not None:
        most = min(most, limit // max(1, one.bytes(rows) + extra))
    return max(1, most)


def in_runs(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """``items`` in runs of about equal length, none of more than ``most``."""
    count = -(-len(items) // most)
    edges = [len(items) * i // count for i in range(count + 1)]
    return [items[a:b] for a, b in itertools.pairwise(edges)]


def _stacks(module: nn.Module, inputs: Tensor, each_step: bool) -> bool:
    """Two copies can take a step together: no random numbers are drawn and nothing branches on values."""
    copies = [copy.deepcopy(module), copy.deepcopy(module)]
    try:
        with warnings.catch_warnings(action="ignore"):
            rows = inputs.expand(2, *inputs.shape) if each_step else inputs
            Stack(copies, [1e-3, 1e-3]).step(rows, inputs.new_zeros(rows.shape[: 3 if each_step else 1]))
    except (RuntimeError, ValueError):
        return False
    return True
