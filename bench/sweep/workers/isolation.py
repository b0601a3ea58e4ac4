"""What one job leaves behind must not reach the next one in the same worker."""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from architectures.contract.precision import keeping_float32


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put the process's global state back afterwards, whatever code from outside has done to it.

    That is: default dtype and device, gradient mode, threads, deterministic mode and float32 precision of torch; all
    global generators; how numpy treats overflow; warning filters; the working folder; stdout and stderr.
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    gradients, threads = torch.is_grad_enabled(), torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    drawn, legacy, python = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    overflow, folder, streams = np.geterr(), os.getcwd(), (sys.stdout, sys.stderr)
    try:
        with keeping_float32(), warnings.catch_warnings():
            yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None)  # nothing here sets one
        torch.set_grad_enabled(gradients)
        torch.set_num_threads(threads)
        if torch.are_deterministic_algorithms_enabled() != deterministic:
            torch.use_deterministic_algorithms(deterministic)  # loads torch's compiler, a second in every new worker
        torch.set_rng_state(drawn)
        np.random.set_state(legacy)  # noqa: NPY002
        random.setstate(python)
        np.seterr(**overflow)
        os.chdir(folder)
        sys.stdout, sys.stderr = streams
