"""Which optimizer a protocol trains everybody with, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Optimizer:
    """An optimizer without its learning rate, which is searched for.

    ``adam``: betas 0.9 and 0.999, eps 1e-8 (Kingma and Ba, arXiv 1412.6980); with a weight decay it is AdamW
    (Loshchilov and Hutter, arXiv 1711.05101): before each step ``p ← p - rate · weight_decay · p``.
    ``sgd``: ``v ← momentum · v + gradient + weight_decay · p``, ``p ← p - rate · v``; no dampening, no Nesterov.

    Both are what ``torch.optim`` computes. Weight decay acts on all parameters that are trained, as it does there
    unless told otherwise: weights, biases, and the gains and shifts of norms.

    Args:
        kind: which.
        weight_decay: its factor; 0 is none.
        momentum: of ``sgd``.
    """

    kind: Literal["adam", "sgd"] = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.0

    def __str__(self) -> str:
        if self.kind == "sgd":
            decay = f"weight decay {self.weight_decay:g}" if self.weight_decay else "no weight decay"
            return f"SGD, momentum {self.momentum:g}, {decay}"
        return f"AdamW, weight decay {self.weight_decay:g} of all parameters" if self.weight_decay else _PLAIN


_PLAIN = "Adam, no weight decay"

ADAM = Optimizer()
"""What protocol 2 takes."""
