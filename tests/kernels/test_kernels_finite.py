"""Finite networks approach the limit as 1/√width."""

from __future__ import annotations

import numpy as np
import pytest

from architectures.kernels import convergence, finite_kernels, kernel
from architectures.kernels.angles import Array
from bench.core.errors import InputError


def points() -> Array:
    return 2 * np.random.default_rng(0).normal(size=(4, 3))


@pytest.mark.parametrize(
    ("activation", "norm"),
    [
        ("relu", "none"),
        ("relu", "layer@first"),
        ("gelu", "layer@hidden1.post+last"),
        ("leaky_relu", "rms@2"),
        ("erf", "layer@hidden2.post"),
        ("gelu", "rms@input"),
    ],
)
def test_kernels_of_finite_networks_have_the_limit_as_their_mean(activation: str, norm: str) -> None:
    limit = kernel(2, activation, norm).matrices(points())  # type: ignore[arg-type]
    drawn = [finite_kernels(points(), 512, 2, activation, norm, seed) for seed in range(12)]  # type: ignore[arg-type]
    for name, ours, theirs in zip(("nngp", "ntk"), limit, zip(*drawn, strict=True), strict=True):
        size = np.sqrt(np.outer(np.diag(ours), np.diag(ours)))
        spread = np.std(theirs, axis=0, ddof=1) / np.sqrt(len(theirs)) + 0.004 * size  # and a bias of 1/width
        assert np.all(np.abs(np.mean(theirs, axis=0) - ours) < 4 * spread), name


@pytest.mark.parametrize("norm", ["none", "layer@first"])
def test_the_distance_falls_as_one_over_the_root_of_the_width(norm: str) -> None:
    found = convergence(points(), (64, 256, 1024), depth=2, norm=norm, seeds=12)
    assert found.widths == (64, 256, 1024)
    for values in (found.ntk, found.nngp):
        assert values[0] > values[1] > values[2]
        assert found.slope(values) == pytest.approx(-0.5, abs=0.2)


def test_a_seed_is_a_network_and_an_activation_that_networks_lack_is_named() -> None:
    one, again, other = (finite_kernels(points(), 64, seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0
    with pytest.raises(InputError, match="identity"):
        finite_kernels(points(), 64, activation="identity")
