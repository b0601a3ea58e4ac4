"""What torch says of this machine, for ``farfield doctor``: a script that runs beside it, in a process of its own.

Loading torch takes most of the doctor's time, and a torch that does not load at all is one of the things it looks for.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

Line = tuple[str, str, str, str]
"""Topic, state, what was found, advice: as :class:`bench.checking.doctor.Finding` has them."""


def look() -> Iterator[Line]:
    """The GPUs that torch sees, and whether torchvision was made for this torch."""
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory / 2**30
            yield f"cuda:{index}", "ok", f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB", ""
    else:
        advice = "" if torch.version.cuda is None else "a GPU would need its driver; everything runs on the CPU as well"
        yield "gpu", "note", "none visible to torch", advice
    try:
        _load_torchvision()
    except Exception as error:
        found = " ".join(f"cannot be loaded: {error}".split())[:300]
        yield "torchvision", "wrong", found, "install the torchvision made for this torch"


def _load_torchvision() -> None:
    """Its compiled operators, which is where one made for another torch fails; the whole package takes seconds."""
    import torch

    spec = importlib.util.find_spec("torchvision")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise ImportError("it is not installed")
    compiled = sorted(Path(folders[0]).glob("_C*"))
    if compiled:
        torch.ops.load_library(compiled[0])  # type: ignore[no-untyped-call]
    else:
        import torchvision  # noqa: F401


def main() -> None:
    """Print the lines as JSON."""
    print(json.dumps(list(look())))


if __name__ == "__main__":
    main()
