"""With what precision networks are trained and evaluated, and by which operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

T = TypeVar("T")


@contextmanager
def in_float64() -> Iterator[None]:
    """Tensors that a network makes in its forward (``torch.zeros(n, width)``, a first state) are float64 here.

    Far evaluation runs in float64. What a network makes without naming a dtype has torch's default one, which is that
    of its weights in training; here it is again.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def without_fast_paths() -> Iterator[None]:
    """Torch's attention and encoder layers run operation by operation here, as they do in training.

    In evaluation they would call one kernel for the whole layer, which computes a layer norm with the numbers of
    whatever stands in the norm's place, and which ``torch.vmap`` cannot batch.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def in_full_float32() -> Iterator[None]:
    """Float32 products and convolutions keep all 24 bits of a significand here, on every device.

    On NVIDIA GPUs since Ampere torch's convolutions would read 11 of them (TF32) unless told otherwise, and products
    too after ``torch.set_float32_matmul_precision("high")``: one network would then be trained differently on a GPU.
    """
    with keeping_float32():
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        for switch in _switches():
            if switch.fp32_precision not in ("none", "ieee"):  # a newer one beside those above
                switch.fp32_precision = "ieee"
        yield


@contextmanager
def keeping_float32() -> Iterator[None]:
    """Whatever is done here to torch's switches of float32 arithmetic is undone afterwards.

    Torch has older and newer ones for the same, and refuses to read an older one that a newer one contradicts.
    """
    newer = [(switch, switch.fp32_precision) for switch in _switches()]
    products = _read(torch.get_float32_matmul_precision)
    convolutions = _read(lambda: torch.backends.cudnn.allow_tf32)
    try:
        yield
    finally:
        if products is not None:
            torch.set_float32_matmul_precision(products)
        if convolutions is not None:
            torch.backends.cudnn.allow_tf32 = convolutions
        for switch, value in newer:
            switch.fp32_precision = value


def _switches() -> list[Any]:
    """Torch's newer ones, an object each with ``fp32_precision``; none before torch 2.9."""
    cudnn, cublas, mkldnn = torch.backends.cudnn, torch.backends.cuda.matmul, torch.backends.mkldnn
    found = [getattr(backend, name, None) for backend in (cudnn, mkldnn) for name in ("conv", "rnn", "matmul")]
    return [switch for switch in (*found, cublas) if hasattr(switch, "fp32_precision")]


def _read(switch: Callable[[], T]) -> T | None:
    try:
        return switch()
    except RuntimeError:
        return None
