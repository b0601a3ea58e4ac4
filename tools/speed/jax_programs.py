"""The jobs in JAX: one jitted program, vectorized over members (mapped for images) and scanned over steps.

The networks are read off the PyTorch modules, so that both train the same thing from the same start; tests hold their
losses equal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from torch import nn

from architectures.blocks.layers import Conv2d, Linear
from architectures.blocks.residual import FeedForward, Residual
from architectures.families.cnn.network import Cnn, ConvBlock
from architectures.families.mlp.network import Flat, Hidden, Mlp
from architectures.families.transformer.network import Attention, Transformer
from architectures.families.transformer.tokenizers import StepTokens
from tools.speed.jobs import TrainingJob

Answer = Callable[[nn.Module, dict[str, Any], str, Any], Any]


def follow(module: nn.Module, weights: dict[str, Any], path: str, x: Any) -> Any:
    """What ``module`` answers to ``x`` with ``weights``, named as in its state under ``path``."""
    return ANSWERS[type(module)](module, weights, path, x)


def _sequential(module: nn.Module, weights: dict[str, Any], path: str, x: Any) -> Any:
    for name, child in module.named_children():
        x = follow(child, weights, f"{path}{name}.", x)
    return x


def _linear(module: nn.Module, weights: dict[str, Any], path: str, x: Any) -> Any:
    return x @ weights[f"{path}weight"].T + weights[f"{path}bias"]


def _layer_norm(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    y = centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + module.eps)
    return y * weights[f"{path}weight"] + weights[f"{path}bias"]


def _convolution(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    edges = [(p, p) for p in module.padding]
    y = jax.lax.conv_general_dilated(x, weights[f"{path}weight"], module.stride, edges)
    return y + weights[f"{path}bias"][:, None, None]


def _attention(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    together = follow(module.qkv, weights, f"{path}qkv.", x)
    q, k, v = (part.reshape(*part.shape[:2], module.heads, -1) for part in jnp.split(together, 3, -1))
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k) / np.sqrt(q.shape[-1])
    mixed = jnp.einsum("nhqk,nkhd->nqhd", jax.nn.softmax(scores), v)
    return follow(module.project, weights, f"{path}project.", mixed.reshape(x.shape))


def _residual(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    inner = follow(module.norm_in, weights, f"{path}norm_in.", x)
    y = follow(module.norm_out, weights, f"{path}norm_out.", follow(module.branch, weights, f"{path}branch.", inner))
    return follow(module.norm_res, weights, f"{path}norm_res.", x + y)


def _step_tokens(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    return follow(module.embed, weights, f"{path}embed.", x) + weights[f"{path}positions.weight"]


def _transformer(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    for name in ("tokenizer", "embed_norm", "blocks", "final_norm"):
        x = follow(getattr(module, name), weights, f"{path}{name}.", x)
    return follow(module.head, weights, f"{path}head.", x.mean(1))


def _cnn(module: Any, weights: dict[str, Any], path: str, x: Any) -> Any:
    for name in ("stem", "stages"):
        x = follow(getattr(module, name), weights, f"{path}{name}.", x)
    return follow(module.head, weights, f"{path}head.", x.mean((2, 3)))


ANSWERS: dict[type[nn.Module], Answer] = {
    **dict.fromkeys((nn.Sequential, Flat, Hidden, Mlp, FeedForward, ConvBlock), _sequential),
    **dict.fromkeys((nn.Linear, Linear), _linear),
    **dict.fromkeys((nn.Conv2d, Conv2d), _convolution),
    nn.LayerNorm: _layer_norm,
    nn.Identity: lambda module, weights, path, x: x,
    nn.ReLU: lambda module, weights, path, x: jax.nn.relu(x),
    nn.GELU: lambda module, weights, path, x: jax.nn.gelu(x, approximate=False),
    nn.Flatten: lambda module, weights, path, x: x.reshape(len(x), -1),
    nn.AdaptiveAvgPool2d: lambda module, weights, path, x: x.mean((2, 3), keepdims=True),
    Residual: _residual,
    Attention: _attention,
    StepTokens: _step_tokens,
    Cnn: _cnn,
    Transformer: _transformer,
}


def program(job: TrainingJob) -> Callable[[], Any]:
    """A function that compiles and trains every member, and returns their losses before each step, (members, steps)."""
    module, data = job.build(0), job.data()
    states = [dict(job.build(seed).named_parameters()) for _ in job.rates for seed in range(job.seeds)]
    start = {name: jnp.stack([s[name].detach().numpy() for s in states]) for name in states[0]}
    rates = jnp.repeat(jnp.array(job.rates), job.seeds)
    x, z = jnp.asarray(data.inputs.numpy()), jnp.asarray(data.targets.numpy())
    drawn = job.batches(range(job.seeds))
    rows = None if drawn is None else jnp.asarray(np.stack([drawn[s] for _ in job.rates for s in range(job.seeds)]))

    def loss(weights: dict[str, Any], batch: Any) -> Any:
        xs, zs = (x, z) if batch is None else (x[batch], z[batch])
        return ((follow(module, weights, "", xs)[:, 0] - zs) ** 2).mean()

    def train(weights: dict[str, Any], rate: Any, batches: Any) -> Any:
        zero = jax.tree.map(jnp.zeros_like, weights)
        step = lambda carry, batch: _adam(carry, jax.value_and_grad(loss)(carry[0], batch), rate)  # noqa: E731
        return jax.lax.scan(step, (weights, zero, zero, 0.0), batches, length=job.steps)

    if job.problem.kind == "image":  # a convolution with an axis of members is slow in XLA: one member after the other
        compiled = jax.jit(lambda *given: jax.lax.map(lambda one: train(one[0], one[1], rows), given))
        return lambda: jax.block_until_ready(compiled(start, rates))[1]
    stacked = jax.jit(jax.vmap(train, in_axes=(0, 0, None if rows is None else 0)))
    return lambda: jax.block_until_ready(stacked(start, rates, rows))[1]


def _adam(carry: Any, found: Any, rate: Any) -> Any:
    weights, first, second, count = carry
    loss, gradients = found
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rise, fall = 1 / (1 - 0.9**count), 1 / (1 - 0.999**count)
    move = lambda p, m, v: p - rate * m * rise / (jnp.sqrt(v * fall) + 1e-8)  # noqa: E731
    return (jax.tree.map(move, weights, first, second), first, second, count), loss


LONG = 15.0


def jax_seconds(job: TrainingJob) -> tuple[float, float | None]:
    """Seconds with compilation, and of a second run without, unless the first took longer than ``LONG``."""
    jax.clear_caches()
    run = program(job)
    started = time.perf_counter()
    run()
    whole = time.perf_counter() - started
    if whole > LONG:
        return whole, None
    started = time.perf_counter()
    run()
    return whole, time.perf_counter() - started
