"""``ntk`` and ``nngp`` as estimators: what they answer, how they choose, what they refuse."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from architectures.kernels import kernel, regress
from architectures.kernels.angles import Array
from architectures.kernels.cards import KernelOptions
from architectures.kernels.estimators import JITTERS, KernelRegression, nngp, ntk
from architectures.norms.scheme import parse_scheme
from bench.core.errors import Unsupported
from bench.core.grammar import bind, parse_call, spell
from bench.core.problem import Problem


def estimator(
    name: str = "ntk", norm: str = "none", shape: tuple[int, ...] = (3,), **options: object
) -> KernelRegression:
    problem = Problem("features" if len(shape) == 1 else "image", shape)
    return {"ntk": ntk, "nngp": nngp}[name](problem, parse_scheme(norm), KernelOptions(**options))  # type: ignore[arg-type]


def rows(count: int, seed: int, noise: float = 0.0) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(count, 3))
    return inputs, np.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + noise * draw.normal(size=count)


@pytest.mark.parametrize("name", ["ntk", "nngp"])
@pytest.mark.parametrize("norm", ["none", "layer@first", "rms@last"])
def test_it_learns_knows_where_it_is_unsure_and_grows_as_its_scheme_says(name: str, norm: str) -> None:
    train, validation, test = rows(400, 0), rows(50, 1), rows(200, 2)
    model = estimator(name, norm)
    model.fit(*train, *validation)
    mean, deviation = model.predict_with_deviation(test[0])
    np.testing.assert_array_equal(mean, model.predict(test[0]))
    assert (mean.dtype, mean.shape, deviation.shape) == (np.float64, (200,), (200,))
    assert np.mean((mean - test[1]) ** 2) < 0.4 * np.var(test[1])
    assert deviation.mean() > 10 * model.predict_with_deviation(train[0])[1].mean()
    far_mean, far_deviation = model.predict_with_deviation(1e6 * test[0])
    assert far_deviation.mean() > deviation.mean()
    bound = model.certificate()
    assert (bound is None) == (norm == "none")
    if bound is None:
        assert np.abs(far_mean).max() > 1e3
    else:
        assert np.abs(far_mean).max() < bound


def test_it_is_the_regression_with_its_kernel() -> None:
    train, test = rows(80, 0), rows(20, 1)
    model = estimator("ntk", "layer@hidden1", depth=2, activation="gelu", weight_std=1.2, bias_std=0.3, jitter=1e-4)
    model.fit(*train, *test)
    k = kernel(2, "gelu", "layer@hidden1", 1.2, 0.3)
    np.testing.assert_array_equal(model.predict(test[0]), regress(k, *train, jitter=1e-4).mean(test[0]))


def test_a_jitter_that_is_open_is_chosen_on_validation_rows_alone() -> None:
    noisy, clean = rows(150, 0, noise=1.0), rows(100, 1)
    model = estimator("nngp", jitter=None)
    model.fit(*noisy, *clean)
    errors = [
        np.mean((regress(model.kernel, *noisy, "nngp", jitter=j).mean(clean[0]) - clean[1]) ** 2) for j in JITTERS
    ]
    assert model.jitter == JITTERS[int(np.argmin(errors))]
    assert model.jitter > 1e-6
    (exact, _), (held_out, _) = rows(150, 0), rows(100, 1)
    model.fit(exact, exact[:, 0], held_out, held_out[:, 0])
    assert model.jitter == JITTERS[0]
    fixed = estimator("nngp", jitter=1e-8)
    fixed.fit(*noisy, *clean)
    answers = fixed.predict(clean[0])
    fixed.fit(*noisy, clean[0][:1], clean[1][:1])
    np.testing.assert_array_equal(answers, fixed.predict(clean[0]))


def test_it_reads_images_and_refuses_what_has_no_limit() -> None:
    draw = np.random.default_rng(0)
    images = draw.normal(size=(40, 1, 4, 4)).astype(np.float32)
    model = estimator("nngp", "layer@input", shape=(1, 4, 4))
    model.fit(images, images.mean((1, 2, 3)), images, images.mean((1, 2, 3)))
    assert model.predict(images).shape == (40,)
    with pytest.raises(Unsupported, match="batch norm"):
        estimator(norm="batch@first")
    with pytest.raises(Unsupported, match="no place 'hidden4'"):
        estimator(norm="layer@hidden4")
    with pytest.raises(Unsupported, match="at most 10,000 training rows"):
        estimator().fit(np.zeros((10_001, 3)), np.zeros(10_001), np.zeros((1, 3)), np.zeros(1))


def test_options_are_spelled_and_checked() -> None:
    options = bind(parse_call("ntk(depth=2, activation=gelu, jitter=none)"), KernelOptions)
    assert (options.depth, options.activation, options.jitter) == (2, "gelu", None)
    assert spell("ntk", KernelOptions()) == "ntk"
    assert spell("ntk", options) == "ntk(depth=2, activation=gelu, jitter=none)"
    for wrong in ({"depth": 0}, {"weight_std": 0.0}, {"bias_std": -1.0}, {"jitter": 0.0}):
        with pytest.raises(ValueError, match="must be"):
            KernelOptions(**wrong)  # type: ignore[arg-type]


def test_options_load_no_numerical_library() -> None:
    code = "import sys, architectures.kernels.cards; sys.exit(bool({'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
