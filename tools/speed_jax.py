"""The MLP jobs in JAX: one jitted program vectorized over seeds, scanned over steps, its compilation counted."""

from __future__ import annotations

import itertools
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tools.speed_training import RATE, SEEDS, TrainingJob

DEPTH = 3


def _initial(key: Any, fans: list[int]) -> list[tuple[Any, ...]]:
    layers = []
    for fan_in, fan_out in itertools.pairwise(fans):
        key, weights, biases = jax.random.split(key, 3)
        bound = fan_in**-0.5
        layers.append(
            (
                jax.random.uniform(weights, (fan_in, fan_out), minval=-bound, maxval=bound),
                jax.random.uniform(biases, (fan_out,), minval=-bound, maxval=bound),
                jnp.ones(fan_out),
                jnp.zeros(fan_out),
            )
        )
    return layers


def _answer(layers: list[tuple[Any, ...]], x: Any) -> Any:
    for weight, bias, gain, shift in layers[:-1]:
        x = x @ weight + bias
        x = (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5) * gain + shift
        x = jax.nn.relu(x)
    return (x @ layers[-1][0] + layers[-1][1])[:, 0]


def jax_seconds(job: TrainingJob) -> float:
    """Seconds for all seeds, from building to the last weights."""
    width = 64 if "64" in job.architecture else 128
    data, rows = job.data(), job.batches(range(SEEDS))
    x, z = jnp.asarray(data.inputs.numpy()), jnp.asarray(data.targets.numpy())
    chosen = None if rows is None else jnp.asarray(np.stack([rows[s] for s in range(SEEDS)]))
    fans = [job.problem.size, *[width] * DEPTH, 1]

    def loss(layers: Any, batch: Any) -> Any:
        xs, zs = (x, z) if batch is None else (x[batch], z[batch])
        return ((_answer(layers, xs) - zs) ** 2).mean()

    def step(carry: Any, batch: Any) -> tuple[Any, None]:
        layers, first, second, count = carry
        g = jax.grad(loss)(layers, batch)
        count = count + 1
        first = jax.tree.map(lambda m, d: 0.9 * m + 0.1 * d, first, g)
        second = jax.tree.map(lambda v, d: 0.999 * v + 0.001 * d * d, second, g)
        layers = jax.tree.map(
            lambda p, m, v: p - RATE * (m / (1 - 0.9**count)) / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-8),
            layers,
            first,
            second,
        )
        return (layers, first, second, count), None

    def run(key: Any, batches: Any) -> Any:
        layers = _initial(key, fans)
        zero = jax.tree.map(jnp.zeros_like, layers)
        carry, _ = jax.lax.scan(step, (layers, zero, zero, 0.0), batches, length=job.steps)
        return carry[0]

    started = time.perf_counter()
    keys = jax.random.split(jax.random.PRNGKey(0), SEEDS)
    jax.clear_caches()
    program = jax.jit(jax.vmap(run, in_axes=(0, None if chosen is None else 0)))
    jax.block_until_ready(program(keys, chosen))
    return time.perf_counter() - started
