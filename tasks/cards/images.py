"""Cards of image tasks."""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, TaskCard

CARDS = (
    TaskCard(
        name="digits-rotation",
        version="1",
        summary="By how many degrees a handwritten 3, 4 or 7 is turned, trained within ±45°.",
        kind="image",
        target="angle, counter-clockwise",
        units="°",
        truth="growing",
        far_rule="other images, turned by 45° to 90° and by 90° to 135° to either side",
        source="scikit-learn (load_digits), turned by FarField",
        licence="CC BY 4.0 (UCI data set 80)",
        citation="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, doi:10.24432/C50P49",
        real=True,
        budget=Budget(steps=300, batch_size=128),
        paper=PaperBudget(epochs=50, batch_size=128),
        build="tasks.digits:rotation",
    ),
)
