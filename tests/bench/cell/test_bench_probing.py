"""What is measured along rays and over balls."""

from __future__ import annotations

import math

import pytest


def test_worst_growth_knows_what_rays_met_inside_of_the_ball() -> None:
    import torch

    import tasks
    from bench.cell import probing

    class Bump(torch.nn.Module):  # flat where the search begins, so that its gradient leads nowhere
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return ((x.abs() - 5 * task.radius).abs() < 0.1).to(x.dtype) * 7 + 0 * x

    task = tasks.resolve("sine-1d").load()
    module = Bump()
    rays = probing.directions(task)
    growth = probing.probe_rays(probing.network_predict(module), task, rays).growth
    (_, near), (_, far) = probing.worst_growth(module, task, rays, growth=growth)
    assert near == far == pytest.approx(7 / task.target_max)
    assert probing.worst_growth(module, task, rays, growth=(*growth[:2], None, *growth[3:]))[0] == (10.0, math.inf)
