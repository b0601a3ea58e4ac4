"""The parts of the code to paste that are the same for every table; short names, as one writes them in a notebook."""

from __future__ import annotations

from collections.abc import Mapping

from bench.plan.optimizer import Optimizer

SETUP = """
import copy

import farfield as ff
import numpy as np
import torch
from torch import nn

# The table as split for seed 0 of the comparison: x by the training rows' means and deviations, z likewise.
data = {table}.load()
R = data.problem.radius  # 99% of the training rows lie within this distance of their mean
{constants}


def tensor(values):
    return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)
"""

FARFIELD = """
# This network is not a row of torch's own layers: FarField builds it (it is an ordinary torch.nn.Module).
from architectures import parse_scheme, resolve
from architectures.building import build_network

{loading}drawn = iter(range(10**9))


def network():
    return build_network(resolve({architecture!r}), parse_scheme({norm!r}), data.problem, next(drawn))
"""

TRAIN = '''
def error(net, rows):
    """Relative error: 0 is perfect, 1 no better than answering with the training mean."""
    with torch.no_grad():
        answer = net.eval()(tensor(rows.inputs))[:, 0].numpy()
    return float(np.sqrt(np.square(answer - rows.targets).mean() / np.square(rows.targets).mean()))


def training(seed, rate):
    """Steps on the mean squared error: at each check its number, and the weights kept with their validation error."""
    torch.manual_seed(seed)
    net, least, kept = network(), float("inf"), None
    draw = torch.Generator().manual_seed(seed)
    optimizer = {optimizer}
    x, z = tensor(data.train.inputs), tensor(data.train.targets)
    checks = {max(1, round(STEPS * (i + 1) / CHECKS)) for i in range(CHECKS)}
    for step in range(1, STEPS + 1):
        rows = slice(None) if BATCH is None else torch.randint(len(x), (BATCH,), generator=draw)
        optimizer.zero_grad()
        (net.train()(x[rows])[:, 0] - z[rows]).square().mean().backward()
        optimizer.step()
        if step in checks:
            now = error(net, data.validation)
            if not np.isfinite(now):
                return  # diverged: this rate is out
            if now < least or not BEST:
                least, kept = now, copy.deepcopy(net.state_dict())
            yield step, least, kept


def search(seed):
    """The best rate, its validation error and weights: at each rung only the best rates go on."""
    going, found = {rate: training(seed, rate) for rate in RATES}, {}
    for end, count in (*RUNGS, (STEPS, 1)):
        for rate, run in list(going.items()):
            for step, least, kept in run:
                found[rate] = least, kept
                if step == end:
                    break
            else:  # it ended before: diverged
                del going[rate]
                found.pop(rate, None)
        best = sorted(going, key=lambda rate: found[rate][0])[:count]
        going = {rate: going[rate] for rate in best}
    rate = min(found if BEST or not going else going, key=lambda rate: found[rate][0])
    return rate, *found[rate]


rate, least, kept = search(0)
net = network()
net.load_state_dict(kept)
print(f"learning rate {rate:g}: validation error {least:.3g}, test error {error(net, data.test):.3g}")
for far in data.far:
    print(f"far error {error(net, far.rows):.3g} on {len(far)} rows: {far.label}")
'''

PROBE = """
# How far from the training mean it answers along 64 rays; 1 is as far as the furthest training target.
net = net.double().eval()
directions = np.random.default_rng(0).normal(size=(64, data.problem.size))
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
for r in (1, 10, 100, 1000, 10000):
    with torch.no_grad():
        answers = net(torch.as_tensor(r * R * directions))
    print(f"growth at {r:>5} R: {answers.abs().max().item() / data.target_max:.3g}")
"""


def setup(table: str, constants: Mapping[str, str]) -> str:
    """The imports, the table and the protocol's numbers."""
    lines = "\n".join(f"{name} = {value}" for name, value in constants.items())
    return SETUP.strip().replace("{constants}", lines).replace("{table}", table)


def training(optimizer: Optimizer) -> str:
    """The course of a rate, the search over all of them, and the errors of what it chose."""
    settings = {"lr": "rate", "momentum": optimizer.momentum, "weight_decay": optimizer.weight_decay}
    given = ", ".join(f"{name}={value}" for name, value in settings.items() if value)
    kind = "SGD" if optimizer.kind == "sgd" else "AdamW" if optimizer.weight_decay else "Adam"
    return TRAIN.strip().replace("{optimizer}", f"torch.optim.{kind}(net.parameters(), {given})")
