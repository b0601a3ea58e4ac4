"""The multilayer perceptron."""

from __future__ import annotations

from torch import Tensor, nn

from architectures.layers import Linear, activation
from architectures.norms import Norm
from architectures.options import ActivationName, Init, MlpOptions
from bench.core.problem import Problem


class Hidden(nn.Module):
    """``post(activation(norm(W x + b)))``: the norm stands after the linear map and before the activation."""

    def __init__(self, fan_in: int, width: int, name: str, norm: Norm, act: ActivationName, init: Init) -> None:
        super().__init__()
        self.linear = Linear(fan_in, width, init)
        self.norm = norm(name, width)
        self.activation = activation(act)
        self.post = norm(f"{name}.post", width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, fan_in) to (N, width)."""
        return self.post(self.activation(self.norm(self.linear(x))))


class Mlp(nn.Module):
    """Linear maps with norms and activations between them: (N, *shape) to (N, 1).

    Sites: ``input``; ``hidden1`` ... ``hiddenL`` between linear map and activation; ``hidden1.post`` ... after it.
    """

    def __init__(self, problem: Problem, norm: Norm, options: MlpOptions) -> None:
        super().__init__()
        widths = [problem.size] + [options.width] * options.depth
        self.input_norm = norm("input", problem.size)
        self.hidden = nn.Sequential(
            *(
                Hidden(widths[i], widths[i + 1], f"hidden{i + 1}", norm, options.activation, options.init)
                for i in range(options.depth)
            )
        )
        self.head = Linear(options.width, 1, options.init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        return self.head(self.hidden(self.input_norm(x.flatten(1))))


def mlp(problem: Problem, norm: Norm, options: MlpOptions) -> nn.Module:
    """Build a plain multilayer perceptron."""
    return Mlp(problem, norm, options)
