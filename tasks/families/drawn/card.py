"""Cards of drawn images."""

from __future__ import annotations

from tasks.card import FarKind, PaperBudget, Truth
from tasks.registry import register_task


def _drawn(
    name: str,
    summary: str,
    target: str,
    units: str,
    far_rule: str,
    *,
    truth: Truth,
    note: str,
    far_kind: FarKind,
    beyond: float,
) -> None:
    register_task(
        name,
        summary=summary,
        kind="image",
        target=target,
        units=units,
        truth=truth,
        note=note,
        far_rule=far_rule,
        far_kind=far_kind,
        beyond=beyond,
        source="drawn by FarField",
        licence="Apache-2.0",
        citation="FarField",
        paper=PaperBudget(epochs=50, batch_size=128),
        build=f"tasks.families.drawn.builders:{name.replace('-', '_')}",
    )


CONTRAST = "intensities multiplied by 2 to 5, 5 to 20 and 20 to 100"
_drawn(
    "dot-count",
    "How many dots there are, of two sizes and any intensity, trained on 1 to 8.",
    "dots",
    "1",
    "9 to 12, 13 to 18 and 19 to 25 dots, as many as find room",
    truth="growing",
    note="up to 25 dots find room, three times the most in training",
    far_kind="distance",
    beyond=0.66,
)
_drawn(
    "bar-length",
    "How long a bar is, of any thickness and intensity, lying or upright, trained on 3 to 8 pixels.",
    "length",
    "px",
    "8 to 10.5, 10.5 to 13 and 13 to 16 pixels, as long as the image",
    truth="growing",
    note="up to the 16 pixels of the image, twice the longest in training",
    far_kind="shift",
    beyond=0.2,
)
_drawn(
    "grating-frequency",
    "How often a grating repeats across the image, at any angle, trained on 1 to 4 cycles.",
    "frequency",
    "cycles",
    "4 to 5, 5 to 6 and 6 to 7.5 cycles, below the 8 that 16 pixels can show",
    truth="growing",
    note="up to nearly the 8 cycles that 16 pixels can show (Nyquist), twice the most in training",
    far_kind="shift",
    beyond=0.009,
)
_drawn(
    "blob-size",
    "How wide a disc is, of any intensity, trained on 2 to 7 pixels.",
    "diameter",
    "px",
    "7 to 9, 9 to 12 and 12 to 15 pixels",
    truth="growing",
    note="up to the image, twice the widest in training",
    far_kind="distance",
    beyond=0.52,
)
_drawn(
    "grating-contrast",
    "How often a grating repeats across the image, at any angle, trained at low contrast.",
    "frequency",
    "cycles",
    CONTRAST,
    truth="bounded",
    note="contrast leaves the frequency as it is",
    far_kind="distance",
    beyond=0.96,
)
_drawn(
    "blob-contrast",
    "How wide a disc is, trained at low contrast.",
    "diameter",
    "px",
    CONTRAST,
    truth="bounded",
    note="contrast leaves the width as it is",
    far_kind="distance",
    beyond=0.88,
)
