"""What may vote, and what is checked of it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .constants import PLURALITY
from .draws import HALVES, keyed_generator
from .splitting import SplitNoise

T = TypeVar("T")


class BaseClassifier(Protocol):
    """What may vote: row i of the logits is a function of row i of the samples, and of lambda, alone.

    That is what the certificate rests on, and no check can prove it: a network whose answer to one sample depends on
    the others of its chunk, or on anything else, must not vote. `check_alone` catches the usual slips,
    of all but models from `load_model`.

    Called in `torch.inference_mode` with float32 samples (B, C, H, W) and lambda; returns float32 logits (B, K). If it
    has `num_classes` or `input_shape` they must fit, and a torch module must be in evaluation mode.
    """

    def __call__(self, x: Tensor, lam: float) -> Tensor: ...


class StatesOffsets(Protocol):
    """A `manifest.Manifest`, as far as a vote needs it."""

    def noise_at(self, levels: int) -> SplitNoise: ...


class LoadedModel(BaseClassifier, Protocol):
    """A base classifier from `load_model`, whose manifest states its offsets."""

    @property
    def manifest(self) -> StatesOffsets: ...


class Worker(Protocol):
    """Runs a piece of work and returns what it gives, for a caller that has a thread for it; `operator.call` does."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


def check_model(model: BaseClassifier, expected: tuple[int, ...]) -> None:
    """ValueError for a model in training mode, or one that does not take images of the `expected` shape."""
    if isinstance(model, nn.Module) and any(part.training for part in model.modules()):
        raise ValueError("the model is in training mode, where answers depend on the batch: call model.eval() first")
    shape = tuple(getattr(model, "input_shape", expected))
    if shape != expected:
        raise ValueError(f"the model takes images of shape {shape}, but these have shape {expected}")


def made_of(model: BaseClassifier) -> tuple[object, ...] | None:
    """The parts of a model, by name and type; None if any has a hook, or a method put in place of that of its type."""
    parts = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
    for part in parts.values():
        replaced = any(callable(getattr(type(part), name, None)) for name in vars(part))
        if replaced or part._forward_hooks or part._forward_pre_hooks:
            return None
    return type(model), *((name, type(part)) for name, part in parts.items())


def answers_by_row(model: BaseClassifier) -> bool:
    """Whether the model itself, not one that it wraps, is marked so, and made as it was then.

    `load_model` marks its models by what they are `made_of`: its architectures are tested for it.
    """
    mark = getattr(model, "__dict__", {}).get("made_when_marked")
    return mark is not None and mark == made_of(model)


def check_alone(model: BaseClassifier, samples: Tensor, lam: float) -> None:
    """ValueError if the answers to either half of a chunk change with the other half: by its samples, or by chance.

    The halves are drawn, always the same, so that no pairing of rows that follows a rule lies in one half throughout.
    Each is tested while the other is replaced: a statistic of the chunk, such as a maximum, may rest on one half alone.
    It is replaced by black and white samples, whose extremes no sample of splitting noise exceeds. Models marked
    `answers_by_row` are skipped. To be asked before the chunk votes, for a model may work in its input's place; the
    samples stay as they are. ValueError also for what `logits_of` refuses.
    """
    if answers_by_row(model):
        return
    black_and_white = torch.zeros_like(samples)
    black_and_white[2::4] = black_and_white[3::4] = 1
    answers = logits_of(model, samples.clone(), lam)
    order = torch.randperm(len(samples), generator=keyed_generator(0, HALVES))
    for half in order.chunk(2):
        changed = black_and_white.clone()
        changed[half] = samples[half]
        if not np.array_equal(logits_of(model, changed, lam)[half], answers[half]):
            raise ValueError(
                "the model's answer to a sample changes with the others of its chunk, or by chance, so no certificate "
                "would hold: is a network in it in training mode? Call eval() on that first"
            )


def logits_of(model: BaseClassifier, samples: Tensor, lam: float) -> np.ndarray:
    """float32 (B, K) logits of the float32 samples (B, C, H, W), no longer the model's: it may use its tensor again.

    ValueError if they are of another shape or type, or not finite.
    """
    with torch.inference_mode():
        logits = model(samples, lam)
    if not isinstance(logits, Tensor):
        raise ValueError(f"the model must return a tensor of logits, got {type(logits).__name__}")
    found = tuple(logits.shape)
    classes = getattr(model, "num_classes", None)
    if len(found) != 2 or found != (len(samples), classes or found[1]) or found[1] < 2:
        raise ValueError(f"expected logits of shape ({len(samples)}, {classes or 'K'}), with K >= 2, got {found}")
    if logits.dtype != torch.float32:
        raise ValueError(f"the model must return float32 logits, got {logits.dtype}")
    if not bool(torch.isfinite(logits).all()):
        raise ValueError("the model returned logits that are not finite: its weights or its arithmetic are broken")
    own: np.ndarray = logits.detach().numpy().copy()  # detached: a model may pass on what has a gradient
    return own


def counting_of(model: BaseClassifier) -> str:
    """How a model's votes are counted: one of `COUNTINGS`, as it says itself; by plurality where it does not."""
    counting: str = getattr(model, "counting", PLURALITY)
    return counting
