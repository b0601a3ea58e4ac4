"""PowerNorm against Algorithm 2 of its paper, written out in numpy: values, gradients and both running statistics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from architectures import parse_scheme, resolve
from architectures.building import build_network
from architectures.norms.layers import make_norm
from architectures.norms.modules.power import PowerNorm
from architectures.norms.site import Site
from bench.core.errors import Unsupported
from bench.core.problem import Problem
from bench.training.program import choose_program


def layer_of(text: str = "power", dim: int = 4) -> PowerNorm:
    layer = make_norm(parse_scheme(f"{text}@x").parts[0].kind, Site("x", dim, "last", (3,))).double()
    assert isinstance(layer, PowerNorm)
    return layer


class Paper:
    """Algorithm 2 of arXiv 2003.07845, with 1 - alpha called momentum; rows (B, d)."""

    def __init__(self, dim: int, momentum: float, eps: float) -> None:
        self.psi2, self.nu = np.ones(dim), np.zeros(dim)
        self.momentum, self.eps = momentum, eps

    def step(self, x: np.ndarray, gain: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values without shift, the gradient at x, the gradient of the gain."""
        psi = np.sqrt(self.psi2 + self.eps)
        x_hat = x / psi
        self.psi2 = (1 - self.momentum) * self.psi2 + self.momentum * (x**2).mean(0)
        g = gain * upper
        g_tilde = g - self.nu * x_hat
        gamma, big_lambda = (x_hat**2).mean(0), (g * x_hat).mean(0)
        self.nu = self.nu * (1 - self.momentum * gamma) + self.momentum * big_lambda
        return gain * x_hat, g_tilde / psi, (upper * x_hat).sum(0)


@pytest.mark.parametrize("momentum", [0.1, 0.5])
def test_training_is_the_algorithm_of_the_paper(momentum: float) -> None:
    layer, paper = layer_of(f"power(momentum={momentum}, eps=1e-3)"), Paper(4, momentum, 1e-3)
    rng = np.random.default_rng(0)
    gain, shift = rng.normal(size=4), rng.normal(size=4)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(gain))  # type: ignore[union-attr]
        layer.bias.copy_(torch.from_numpy(shift))  # type: ignore[union-attr]
    for _ in range(6):
        x, upper = (rng.normal(size=(5, 3, 4)) * np.array([0.1, 1.0, 4.0, 30.0]) for _ in "xg")
        given = torch.from_numpy(x).requires_grad_()
        answer = layer.train()(given)
        got = torch.autograd.grad(answer, [given, layer.weight, layer.bias], torch.from_numpy(upper))  # type: ignore[list-item]
        y, at_x, at_gain = paper.step(x.reshape(15, 4), gain, upper.reshape(15, 4))
        assert answer.detach().numpy().reshape(15, 4) == pytest.approx(y + shift)
        assert got[0].numpy().reshape(15, 4) == pytest.approx(at_x)
        assert got[1].numpy() == pytest.approx(at_gain)
        assert got[2].numpy() == pytest.approx(upper.sum((0, 1)))
        assert layer.square.numpy() == pytest.approx(paper.psi2)
        assert layer.correction.numpy() == pytest.approx(paper.nu)


def test_evaluation_is_an_affine_map_of_the_running_statistics() -> None:
    layer = layer_of().train()
    x = 5 * torch.randn(7, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for _ in range(400):
        layer(x)
    expected = x / (x.square().mean((0, 1)) + 1e-5).sqrt()
    before = {name: value.clone() for name, value in layer.eval().state_dict().items()}
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer(1e6 * x), 1e6 * layer(x))
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())


def test_no_gradient_passes_means_no_step_of_the_correction() -> None:
    layer = layer_of().train()
    layer(torch.ones(2, 3, 4, dtype=torch.float64))
    assert layer.correction.tolist() == [0.0] * 4
    assert layer.square.tolist() == [1.0] * 4  # the mean of squares was 1


def test_the_layer_scale_of_the_authors_code_divides_by_the_root_mean_square_first() -> None:
    x = 9 * torch.randn(7, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def scaled(rows: Tensor) -> Tensor:
        return rows / (rows.square().mean(-1, keepdim=True) + 1e-5).sqrt()

    torch.testing.assert_close(layer_of("power(layer_scale=true)").eval()(x), layer_of().eval()(scaled(x)))
    with pytest.raises(Unsupported, match="over 1 it is"):
        layer_of("power(layer_scale=true)", 1)


def test_its_members_train_one_after_the_other() -> None:
    problem = Problem("features", (5,))
    network = build_network(resolve("mlp(width=16)"), parse_scheme("power@all"), problem, 0)
    assert choose_program(network, torch.zeros(8, 5), 8, 20) == "loop"
