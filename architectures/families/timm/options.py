"""Options of timm's models, and what sits on their features; checked without torch or timm."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from architectures.families.mlp.options import MlpOptions
from bench.core.errors import InputError
from bench.core.grammar import bind, parse_call, spell

LINEAR = "linear"


@dataclass(frozen=True)
class TimmOptions:
    """Options of a model of timm.

    Args:
        size: side in pixels to which images are resized (bilinear); None keeps images of 32 pixels and more as they
            are and enlarges smaller ones to 32, or to what the model needs.
        pretrained: start from the weights that timm publishes. They are taken from this machine, never downloaded.
        weights: safetensors file to start from instead; implies ``pretrained``.
        frozen: only the head is trained, on the features that the model gives.
        head: ``linear``, or ``mlp(...)`` with that family's options.
        random_features: says that frozen features come from random weights; set by itself.
    """

    size: int | None = None
    pretrained: bool = False
    weights: str | None = None
    frozen: bool = False
    head: str = LINEAR
    random_features: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and not 1 <= self.size <= 4096:
            raise ValueError(f"size must be between 1 and 4096 pixels, not {self.size}")
        if self.weights is not None and not self.weights.endswith(".safetensors"):
            raise ValueError(f"weights={self.weights}: only safetensors files are read")
        pretrained = self.pretrained or self.weights is not None
        if self.random_features and (pretrained or not self.frozen):
            raise ValueError("random_features goes with frozen=true, pretrained=false")
        # One meaning has one spelling, whichever way it was written.
        object.__setattr__(self, "pretrained", pretrained)
        object.__setattr__(self, "random_features", self.frozen and not pretrained)
        object.__setattr__(self, "head", _canonical_head(self.head))

    @property
    def mlp(self) -> MlpOptions | None:
        """Options of the head when it is an MLP."""
        return None if self.head == LINEAR else bind(parse_call(self.head, "head"), MlpOptions)

    def source(self) -> str:
        """SHA-256 of the weights file, which is part of what identifies the network.

        Raises:
            InputError: the file cannot be read.
        """
        return hash_file(self.weights) if self.weights is not None else ""


def _canonical_head(text: str) -> str:
    if text == LINEAR:
        return LINEAR
    call = parse_call(text, "head")
    if call.name != "mlp":
        raise InputError(f"unknown head {call.name!r}", hint="head=linear, or head='mlp(width=128, depth=2)'")
    return spell("mlp", bind(call, MlpOptions))


def hash_file(path: str) -> str:
    """SHA-256 of a file, computed again only when its size or time has changed.

    Raises:
        InputError: it cannot be read.
    """
    try:
        stat = Path(path).stat()
        return _hash_file(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}", where=f"weights={path}", hint="name an existing file"
        ) from error


@lru_cache(maxsize=64)
def _hash_file(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
