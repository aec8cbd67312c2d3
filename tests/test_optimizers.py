"""The optimizers and the learning rate. What a run makes of them is in `test_training`."""

import pytest
import torch
from timm.optim import muon

from dssn_core.optimizers import OPTIMIZERS, learning_rate_factor


@pytest.mark.parametrize(("has_it", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_muon_does_not_orthogonalize_in_an_emulated_number_format(monkeypatch, has_it, expected):
    orthogonalize = muon.zeropower_via_newtonschulz
    formats = []

    def recording(*args, **options):
        updates = orthogonalize(*args, **options)
        formats.append(updates.dtype)
        return updates

    monkeypatch.setattr(muon, "zeropower_via_newtonschulz", recording)
    monkeypatch.setattr("dssn_core.optimizers.HAS_BFLOAT16", has_it)
    convolution, linear = torch.nn.Conv2d(2, 4, 3, bias=False), torch.nn.Linear(4, 3, bias=False)
    groups = [{"params": [convolution.weight]}, {"params": [linear.weight], "use_fallback": True}]
    optimizer = OPTIMIZERS["muon"](groups, 0.01, 0.9)
    torch.autograd.backward(linear(convolution(torch.ones(1, 2, 3, 3)).flatten(1)).sum())
    optimizer.step()
    assert formats == [expected]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_a_step_without_momentum(name):
    weight = torch.nn.Parameter(torch.ones(4, 3))
    optimizer = OPTIMIZERS[name]([{"params": [weight]}], 0.01, 0.0)
    torch.autograd.backward(weight.sum())
    optimizer.step()
    assert (weight < 1).all()


def test_the_learning_rate_rises_then_falls():
    assert learning_rate_factor(0.0, 0.1) == 0
    assert learning_rate_factor(0.05, 0.1) == pytest.approx(0.5)
    assert learning_rate_factor(0.1, 0.1) == 1
    assert learning_rate_factor(0.55, 0.1) == pytest.approx(0.5)
    assert learning_rate_factor(1.0, 0.1) == pytest.approx(0)
