"""Writes the list of timm's models anew, for the timm that is installed: ``python -m tools.timm_catalogue``."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import architectures.families.timm.catalogue as catalogue


def text() -> str:
    """The list, a line a model."""
    lines = [catalogue.heading(importlib.metadata.version("timm"))]
    for name, model in sorted(catalogue.asked().items()):
        lines.append(" ".join((name, model.chosen, *sorted(model.tags))))
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    target = Path(catalogue.__file__).with_name(catalogue.FILE)
    target.write_text(text(), encoding="utf-8")
    print(target)
