"""Where a record was made: versions, device, processor. Nothing that names a person or a path."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from functools import cache

PACKAGES = ("farfield", "torch", "numpy", "scipy", "scikit-learn", "timm", "datasets", "wandb")


@cache
def describe_environment(device: str = "cpu") -> dict[str, str]:
    """Versions of Python and of the packages that matter, the platform and the device's name."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    found["device"] = device
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def available_cores() -> int:
    """Processor cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_memory(device: str) -> int:
    """Bytes of memory that the GPU ``device`` has in all."""
    import torch

    return torch.cuda.get_device_properties(device).total_memory
