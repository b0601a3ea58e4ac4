"""Cards of drawn images."""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, Truth
from tasks.registry import register_task


def _drawn(name: str, summary: str, target: str, units: str, truth: Truth, far_rule: str) -> None:
    register_task(
        name,
        summary=summary,
        kind="image",
        target=target,
        units=units,
        truth=truth,
        far_rule=far_rule,
        source="drawn by FarField",
        licence="Apache-2.0",
        citation="FarField",
        budget=Budget(steps=300, batch_size=32),
        paper=PaperBudget(epochs=50, batch_size=128),
        build=f"tasks.families.drawn.builders:{name.replace('-', '_')}",
    )


CONTRAST = "intensities multiplied by 2 to 5, 5 to 20 and 20 to 100"
_drawn(
    "dot-count",
    "How many dots there are, of two sizes and any intensity, trained on 1 to 8.",
    "dots",
    "1",
    "growing",
    "9 to 12, 13 to 18 and 19 to 25 dots, as many as find room",
)
_drawn(
    "bar-length",
    "How long a bar is, of any thickness and intensity, lying or upright, trained on 3 to 8 pixels.",
    "length",
    "px",
    "growing",
    "8 to 10.5, 10.5 to 13 and 13 to 16 pixels, as long as the image",
)
_drawn(
    "grating-frequency",
    "How often a grating repeats across the image, at any angle, trained on 1 to 4 cycles.",
    "frequency",
    "cycles",
    # beyond 8 cycles nobody could tell: 16 pixels show a lower frequency instead
    "growing",
    "4 to 5, 5 to 6 and 6 to 7.5 cycles, below the 8 that 16 pixels can show",
)
_drawn(
    "blob-size",
    "How wide a disc is, of any intensity, trained on 2 to 7 pixels.",
    "diameter",
    "px",
    "growing",
    "7 to 9, 9 to 12 and 12 to 15 pixels",
)
_drawn(
    "grating-contrast",
    "How often a grating repeats across the image, at any angle, trained at low contrast.",
    "frequency",
    "cycles",
    "bounded",
    CONTRAST,
)
_drawn(
    "blob-contrast",
    "How wide a disc is, trained at low contrast.",
    "diameter",
    "px",
    "bounded",
    CONTRAST,
)
