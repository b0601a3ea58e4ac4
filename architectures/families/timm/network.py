"""Image models of timm (Wightman 2019): fitted to a task's images, their norm layers handed to the scheme."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from architectures.families.timm.frozen import OnFeatures, OnFrozenFeatures, make_head
from architectures.families.timm.loading import load_timm
from architectures.families.timm.options import TimmOptions
from architectures.families.timm.weights import check_loaded, locate
from architectures.norms.own import offer_norms
from architectures.norms.site import Norm
from bench.core.errors import Unsupported
from bench.core.problem import Problem

LEAST_SIDE = 32
"""Most image models shrink their input by 32 in all; smaller images are enlarged to this side."""

FURTHER_SIDES = (64, 96, 128, 160, 192, 224, 256, 384)
"""Tried in turn where a model cannot be built for its smallest size (windows and patches that do not divide it)."""


class Resize(nn.Module):
    """Bilinear interpolation to ``size``: linear in the image, so growth along rays is not touched."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, width) to (N, channels, *size)."""
        return nn.functional.interpolate(x, self.size, mode="bilinear", align_corners=False)


@dataclass(frozen=True)
class Fit:
    """How a model is made for images of one shape.

    Args:
        size: height and width that the model sees.
        takes_size: the model is told its size when it is made.
        features: length of its feature vectors.
    """

    size: tuple[int, int]
    takes_size: bool
    features: int


def build_timm(model: str, problem: Problem, norm: Norm, options: TimmOptions) -> nn.Module:
    """Build timm's ``model`` for the images of ``problem``: (N, channels, height, width) to (N, 1).

    With ``frozen`` the sites are the head's hidden layers and the model keeps its own norms; otherwise they are the
    model's own norm layers, then the head's.

    Raises:
        Unsupported: no size fits.
        InputError: pretrained weights are asked for and are not here, or do not fit.
    """
    fit = fit_model(model, problem.shape, options.size)
    whole = not options.frozen and options.mlp is None
    network = _create(model, problem, fit, options, outputs=1 if whole else 0)
    if not options.frozen:
        network = offer_norms(network, norm, by_name=True)
    if fit.size != problem.shape[1:]:
        network = nn.Sequential(Resize(fit.size), network)
    if whole:
        return network
    head = make_head(fit.features, problem, norm, options.mlp)
    if not options.frozen:
        return OnFeatures(network, head)
    return OnFrozenFeatures(network, head, _identity(model))


def _identity(model: str) -> str:
    versions = [f"{package} {importlib.metadata.version(package)}" for package in ("timm", "torch")]
    return "; ".join([f"timm/{model}", *versions])


def _create(model: str, problem: Problem, fit: Fit, options: TimmOptions, outputs: int) -> nn.Module:
    """The model on torch's default device, with its weights unless that device holds no numbers."""
    if not options.pretrained:
        return _make(model, problem.shape[0], fit.size, fit.takes_size, outputs)
    path = locate(model, options)
    state = torch.random.get_rng_state()
    random = _make(model, problem.shape[0], fit.size, fit.takes_size, outputs)
    if torch.empty(0).is_meta:
        return random
    torch.random.set_rng_state(state)
    overlay = {"file": path, "custom_load": False}
    loaded = _make(
        model, problem.shape[0], fit.size, fit.takes_size, outputs, pretrained=True, pretrained_cfg_overlay=overlay
    )
    check_loaded(loaded, random, _classifier(loaded), path)
    return loaded


def _classifier(network: nn.Module) -> tuple[str, ...]:
    names = getattr(network, "pretrained_cfg", {}).get("classifier") or ()
    return (names,) if isinstance(names, str) else tuple(names)


def _make(model: str, channels: int, size: tuple[int, int], takes_size: bool, outputs: int, **more: Any) -> nn.Module:
    timm = load_timm()

    sized: dict[str, Any] = {"img_size": size} if takes_size else {}
    made: nn.Module = timm.create_model(model, in_chans=channels, num_classes=outputs, **sized, **more)
    return made


def fit_model(model: str, shape: tuple[int, ...], size: int | None) -> Fit:
    """How ``model`` is made for images of ``shape``; draws nothing from the global generators.

    Raises:
        Unsupported: it cannot be made for them.
    """
    sizes = [(size, size)] if size is not None else [*_sizes(*shape[1:]), *_published_size(model)]
    fit, reasons = _first_fit(model, shape[0], sizes, "meta")
    if fit is None and any("meta tensor" in reason for reason in reasons):  # it computes with numbers while it is made
        fit, reasons = _first_fit(model, shape[0], sizes, "cpu")
    if fit is None:
        raise Unsupported(
            f"timm/{model} cannot be made for images of {' x '.join(map(str, shape))} "
            f"(tried {', '.join(f'{h} x {w}' for h, w in sizes)}): {reasons[-1]}"
        )
    return fit


def _first_fit(model: str, channels: int, sizes: list[tuple[int, int]], device: str) -> tuple[Fit | None, list[str]]:
    """The first size for which the model can be made, and why it cannot be for those before it."""
    reasons: list[str] = []
    for size in sizes:
        try:
            return _try(model, channels, size, device), reasons
        except Exception as error:  # whatever timm raises where a size does not fit
            reasons.append(" ".join(f"{type(error).__name__}: {error}".split())[:300])
    return None, reasons


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    """The image's own size where its shorter side has 32 pixels, then larger ones of the same proportions."""
    shorter = min(height, width)
    sides = [max(shorter, LEAST_SIDE), *(side for side in FURTHER_SIDES if side > shorter)]
    return [(round(height * side / shorter), round(width * side / shorter)) for side in sides]


def _published_size(model: str) -> list[tuple[int, int]]:
    """The size that timm's weights of the model were trained at: the last resort."""
    timm = load_timm()

    shape = getattr(timm.get_pretrained_cfg(model), "input_size", None)
    return [tuple(shape[1:])] if shape else []


@lru_cache(maxsize=1024)
def _try(model: str, channels: int, size: tuple[int, int], device: str) -> Fit:
    """Make the model for that size and send zeros through it; raises whatever goes wrong."""
    with _quiet(), torch.random.fork_rng(devices=[]), torch.device(device), torch.no_grad():
        takes_size = True
        try:
            network = _make(model, channels, size, True, 0)
        except TypeError as error:
            if "img_size" not in str(error):
                raise
            takes_size = False
            network = _make(model, channels, size, False, 0)
        features = network.eval()(torch.zeros(2, channels, *size))
    if features.dim() != 2 or len(features) != 2:
        raise ValueError(f"its features have the shape {tuple(features.shape)}")
    return Fit(size, takes_size, features.shape[1])


@contextmanager
def _quiet() -> Iterator[None]:
    """Trials are allowed to complain; what they say is not about the user's choice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
