"""``module(my_models.py:build)``: a network that exists already, without a decorator or a change to its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from architectures.blocks.lazy import materialize
from architectures.families.user_module.loading import arguments, find_function
from architectures.families.user_module.options import ModuleOptions
from architectures.norms.own import offer_norms
from bench.core.problem import Problem

if TYPE_CHECKING:
    from architectures.norms.site import Norm


def build_module(problem: Problem, norm: Norm, options: ModuleOptions) -> nn.Module:
    """Call the function with what it takes of ``problem`` and ``norm``, by those names, and with its own options.

    A function that takes ``norm`` says itself where its network can be normalized. In the network of any other, the
    normalization layers that it brings are the sites (:mod:`architectures.norms.own`): ``own@all`` keeps them all.
    A parameter called ``norm`` or ``problem`` that has a default is an option of the network's own.

    Raises:
        InputError: the function is not there, or needs an argument that nobody gives.
    """
    function = find_function(*options.named, options.where)
    positional, given = arguments(function, {"problem": problem, "norm": norm}, dict(options.own), options.where)
    network = function(*positional, **given)
    takes_norm = any(value is norm for value in (*positional, *given.values()))
    if takes_norm or not isinstance(network, nn.Module):
        return network  # type: ignore[no-any-return]
    materialize(network, problem)
    return offer_norms(network, norm)
