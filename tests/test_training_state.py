"""A saved state continues a run to the very bits of an uninterrupted one, and no other run."""

from dataclasses import replace

import pytest
import safetensors.torch
import torch

from dssn_core.training import Trainer
from dssn_core.training_state import load_state, save_state
from tests.tiny_run import TINY, two_colours


@pytest.fixture(scope="module")
def data():
    return two_colours()


@pytest.fixture
def saved(data, tmp_path):
    """The state of a run after three steps, and the run."""
    trainer = Trainer(TINY, data)
    for _ in range(3):
        trainer.step()
    save_state(trainer, tmp_path / "state")
    return trainer, tmp_path / "state"


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_a_state_continues_to_the_same_bits(optimizer, data, tmp_path):
    settings = replace(TINY, optimizer=optimizer)
    whole, resumed = Trainer(settings, data), Trainer(settings, data)
    for _ in range(3):
        whole.step()
    save_state(whole, tmp_path / "state")
    load_state(resumed, tmp_path / "state")
    assert resumed.position == 3
    assert [whole.step() for _ in range(2)] == [resumed.step() for _ in range(2)]
    for part in ("model", "average"):
        weights, others = (getattr(one, part).state_dict() for one in (whole, resumed))
        assert all(torch.equal(tensor, others[name]) for name, tensor in weights.items())


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"learning_rate": 0.1}, {"images": 640}, {"network": {"stem": 8, "stages": [8, 8]}}],
    ids=str,
)
def test_other_settings_do_not_take_it(change, data, saved):
    with pytest.raises(ValueError, match=f"belongs to a run with other {next(iter(change))}; choose"):
        load_state(Trainer(replace(TINY, **change), data), saved[1])


def test_other_data_do_not_take_it(data, saved):
    with pytest.raises(ValueError, match="belongs to a run with other seed, data; choose"):
        load_state(Trainer(replace(TINY, seed=1), replace(data, description="other")), saved[1])


def test_a_damaged_one_is_refused(data, saved):
    path = saved[1]
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    for content, message in (
        (b"no safetensors", "is damaged .*; delete it"),
        (safetensors.torch.save({"model.none": torch.zeros(1)}), r"is damaged \(it does not say of which run it is\)"),
        (safetensors.torch.save({"model.none": torch.zeros(1)}, {"run": "[]"}), "is damaged .*; delete it"),
        (safetensors.torch.save({"model.none": torch.zeros(1)}, metadata), "is damaged .*; delete it"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load_state(Trainer(TINY, data), path)
