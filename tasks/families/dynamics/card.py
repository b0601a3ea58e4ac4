"""Cards of physical systems."""

from __future__ import annotations

from tasks.card import PaperBudget, Truth
from tasks.registry import register_task

SHELLS = "noise-free truth on the shells (1, 2], (2, 5] and (5, 10] R, which begin further out"
VISCOSITY = "a lower viscosity: 1/ν from 30 to 60 and from 60 to 150, trained on 2 to 20"
BURGERS = "Hopf, The Partial Differential Equation u_t + u u_x = μ u_xx, Comm. on Pure and Applied Mathematics 3, 1950"


def _card(name: str, summary: str, target: str, truth: Truth, far_rule: str, citation: str, build: str) -> None:
    register_task(
        name,
        summary=summary,
        kind="features",
        target=target,
        units="1",
        truth=truth,
        far_rule=far_rule,
        far_kind="distance",
        beyond=1.0,
        source="computed by FarField",
        licence="Apache-2.0",
        citation=citation,
        paper=PaperBudget(epochs=2500),
        build=f"tasks.families.dynamics.{build}",
    )


_card(
    "double-well",
    "Where a damped particle comes to rest in a double well, from its position and speed, from 2,000 noisy points.",
    "the position after 30 time units: 1 or -1",
    "bounded",
    SHELLS,
    "Guckenheimer and Holmes, Nonlinear Oscillations, Dynamical Systems, and Bifurcations of Vector Fields, 1983",
    "motion:double_well",
)
_card(
    "damped-pendulum",
    "Where a damped pendulum comes to rest, turns counted, from its angle and speed, from 2,000 noisy points.",
    "the angle after 20 time units: near a multiple of 2π",
    "growing",
    SHELLS,
    "Strogatz, Nonlinear Dynamics and Chaos, Westview Press, 1994, section 8.5",
    "motion:damped_pendulum",
)
_card(
    "burgers-speed",
    "Speed at one place in Burgers' equation, from two first amplitudes and 1/ν, from 2,000 noisy points.",
    "u(2.5, 2)",
    "bounded",
    VISCOSITY,
    BURGERS,
    "burgers:burgers_speed",
)
_card(
    "burgers-slope",
    "Steepness of the shock in Burgers' equation, from two first amplitudes and 1/ν, from 2,000 noisy points.",
    "-u_x(π, 2)",
    "growing",
    VISCOSITY,
    BURGERS,
    "burgers:burgers_slope",
)
