"""What certificate and prediction say of networks that are not what their classes are called."""

from __future__ import annotations

from typing import Any

import torch

from architectures.analysis.certificate import certify
from architectures.analysis.prediction import predict_module, trial_batches


def test_no_stranger_gets_a_false_proof(stranger: Any) -> None:
    torch.manual_seed(0)
    network = stranger.make().double().eval()
    batches = trial_batches((5,))
    found = certify(network, batches)
    prediction = predict_module(network, batches)
    print(f"{found.bound} | {found.why} | {prediction.exponent} | {prediction.reason}")
    assert (found.bound is not None) == stranger.proved, found.why
    assert found.bound is not None or found.why
    if not stranger.bounded:
        assert prediction.exponent != 0, prediction.reason
    if stranger.proved:
        scales = torch.logspace(-2, 8, 200, dtype=torch.float64)[:, None]
        rows = scales * torch.randn(200, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            assert network(rows).abs().max() <= found.bound
