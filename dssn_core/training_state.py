"""The state of a training run on disk, from which it resumes exactly: one safetensors file, written atomically.

Weights, their running average, the optimizer's momenta, and the position; `Trainer` draws everything else anew.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor, nn

from .datasets import identity
from .files import write_atomically
from .training import Trainer


def save_state(trainer: Trainer, path: Path) -> None:
    metadata = {"position": str(trainer.position), "run": _run_of(trainer)}
    write_atomically(path, safetensors.torch.save(_tensors_of(trainer), metadata=metadata))


def load_state(trainer: Trainer, path: Path) -> None:
    """Continue a run of the same settings and data; ValueError if the state is of another run."""

    def damaged(why: object) -> ValueError:
        return ValueError(f"{path} is damaged ({why}); delete it to start the run again")

    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except safetensors.SafetensorError as error:
        raise damaged(error) from error
    try:
        other = _other_than(json.loads(_run_of(trainer)), json.loads(metadata.get("run", "")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged("it does not say of which run it is") from error
    if other:
        raise ValueError(f"{path} belongs to a run with other {', '.join(other)}; choose another output folder")

    def part(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

    try:
        trainer.model.load_state_dict(part("model."))
        trainer.average.load_state_dict(part("average."))
        parameters = dict(trainer.model.named_parameters())
        for name, value in part("optimizer.").items():
            key, parameter = name.split(".", 1)
            trainer.optimizer.state[parameters[parameter]][key] = value.clone()
        trainer.position = int(metadata["position"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise damaged("its tensors are not those of this run") from error


def _tensors_of(trainer: Trainer) -> dict[str, Tensor]:
    momenta = {
        f"optimizer.{key}.{name}": value
        for name, parameter in trainer.model.named_parameters()
        for key, value in trainer.optimizer.state[parameter].items()
        if isinstance(value, Tensor)
    }
    parts: dict[str, nn.Module] = {"model": trainer.model, "average": trainer.average}
    weights = {f"{part}.{name}": t for part, module in parts.items() for name, t in module.state_dict().items()}
    return {name: tensor.detach().contiguous() for name, tensor in {**momenta, **weights}.items()}


def _run_of(trainer: Trainer) -> str:
    """What a state must be of to be this run's: its settings, data, and the weights that it started from."""
    run = {
        "settings": asdict(trainer.settings),
        "data": identity(trainer.training.description),
        "start": trainer.start_sha256,
    }
    return json.dumps(run, sort_keys=True)


def _other_than(run: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """What is not the same in two runs, which `_run_of` tells of."""
    settings = {**run["settings"], **kept["settings"]}
    other = [name for name in settings if run["settings"].get(name) != kept["settings"].get(name)]
    return [*other, *(name for name in ("data", "start") if run[name] != kept[name])]
