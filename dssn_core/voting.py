"""Running a base classifier over the N samples of one image, chunk by chunk, into votes.

Kernels choose their arithmetic by tensor shape, so the layout of chunks is a pure function of (N, batch_size), and rows
of different images never share a chunk: the vote of a sample, by a `BaseClassifier`, depends on nothing but the sample
(and the layout).
"""

import math
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from .certificate import Certificate, RadiusBounds, certificate_from_votes, radius_bounds
from .checks import check_choice, check_whole
from .constants import COUNTINGS, DUELS, PLURALITY, check_levels
from .duels import certificate_from_duels, count_duels, duel_bounds
from .images import check_image
from .splitting import SplitNoise

BATCH_SIZE, CHUNK_VALUES = 64, 2**21
"""A chunk has at most so many rows, and so many sample values: larger ones are no faster, and report later."""


class BaseClassifier(Protocol):
    """What may vote: row i of the logits is a function of row i of the samples, and of lambda, alone.

    That is what the certificate rests on, and no check can prove it: a network whose answer to one sample depends on
    the others of its chunk, or on anything else, must not vote. `check_alone` catches the usual slips,
    of all but models from `load_model`.

    Called with float32 samples (B, C, H, W) and lambda; returns float32 logits (B, K). If it has `num_classes` or
    `input_shape` they must fit, and a torch module must be in evaluation mode.
    """

    def __call__(self, x: Tensor, lam: float) -> Tensor: ...


class StatesOffsets(Protocol):
    """A `manifest.Manifest`, as far as a vote needs it."""

    def noise_at(self, levels: int) -> SplitNoise: ...


class LoadedModel(BaseClassifier, Protocol):
    """A base classifier from `load_model`, whose manifest states its offsets."""

    @property
    def manifest(self) -> StatesOffsets: ...


def fitting_batch_size(shape: tuple[int, ...]) -> int:
    """The rows of a chunk where none are asked for: 64, and fewer for images (C, H, W) that are large."""
    return max(1, min(BATCH_SIZE, CHUNK_VALUES // math.prod(shape)))


@dataclass(frozen=True)
class ChunkLayout:
    """How N samples are cut: `chunks` equal chunks of `rows` rows; the last one is padded."""

    levels: int
    chunks: int
    rows: int

    @staticmethod
    def of(levels: int, batch_size: int) -> "ChunkLayout":
        chunks = -(-check_levels(levels) // check_whole("batch_size", batch_size))
        return ChunkLayout(levels, chunks, -(-levels // chunks))

    @staticmethod
    def for_images(levels: int, shape: tuple[int, ...], batch_size: int | None = None) -> "ChunkLayout":
        """The layout with at most `batch_size` rows; by default as many as fit images of this shape, (C, H, W)."""
        return ChunkLayout.of(levels, fitting_batch_size(shape) if batch_size is None else batch_size)

    @property
    def passes(self) -> int:
        """Network passes in all, those of the padding too."""
        return self.chunks * self.rows

    def indices(self, chunk: int) -> Tensor:
        """int64 (rows,) sample indices of a chunk, padded by going round; only `real_rows` of them count."""
        places = torch.arange(chunk * self.rows, (chunk + 1) * self.rows, device="cpu")
        return _order(self.levels)[places % self.levels]

    def real_rows(self, chunk: int) -> int:
        return min(self.rows, self.levels - chunk * self.rows)

    def place_of(self, index: int) -> tuple[int, int]:
        """The chunk of a sample, and its row there."""
        return divmod(int(torch.nonzero(_order(self.levels) == index)), self.rows)


@lru_cache(maxsize=16)
def _order(levels: int) -> Tensor:
    """int64 (N,): 0..N-1 in the order of the golden sequence's first N points, so spread evenly from the first few."""
    points = torch.arange(levels, device="cpu") * 2654435769 % 2**32  # 2^32 / golden ratio: all different
    return points.argsort().argsort()


@dataclass(frozen=True)
class Tally:
    """The vote after some chunks. votes: int64 (K,) counts so far. done, total: samples.

    indices, labels: int64 arrays, the samples of the chunk just finished and the class each voted for. duels: int32
    (K, K), as `duels.count_duels` has them, where those are counted. logits: float32, a row for each of `indices`; None
    of a vote that is `complete`. Arrays are read-only.
    """

    votes: np.ndarray
    indices: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    done: int
    total: int
    duels: np.ndarray | None = field(default=None, repr=False)
    logits: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for array in (self.votes, self.indices, self.labels, self.duels, self.logits):
            if array is not None:
                array.setflags(write=False)  # later states add to them, and `bounds` and `certificate` are cached

    @staticmethod
    def of_labels(labels: np.ndarray, num_classes: int) -> "Tally":
        """A complete vote by plurality. labels: int64 (N,), of every sample in index order."""
        votes = np.bincount(labels, minlength=num_classes)
        return Tally(votes, np.arange(len(labels)), labels.copy(), len(labels), len(labels))

    @cached_property
    def bounds(self) -> RadiusBounds:
        """Exact bounds of the final radius."""
        return radius_bounds(self.votes, self.total) if self.duels is None else duel_bounds(self.duels, self.total)

    @cached_property
    def certificate(self) -> Certificate:
        """What the complete vote proves; ValueError before it is complete."""
        if self.duels is None:
            return certificate_from_votes(self.votes, self.total)
        return certificate_from_duels(self.duels, self.votes, self.total)


def check_mode(model: BaseClassifier) -> None:
    """ValueError for a model in training mode."""
    if isinstance(model, nn.Module) and any(part.training for part in model.modules()):
        raise ValueError("the model is in training mode, where answers depend on the batch: call model.eval() first")


def check_model(model: BaseClassifier, expected: tuple[int, ...]) -> None:
    """ValueError for a model in training mode, or one that does not take images of the `expected` shape."""
    check_mode(model)
    shape = tuple(getattr(model, "input_shape", expected))
    if shape != expected:
        raise ValueError(f"the model takes images of shape {shape}, but these have shape {expected}")


def answers_by_row(model: BaseClassifier) -> bool:
    """Whether the model itself, not one that it wraps, is marked so: `load_model` does, whose architectures are tested
    for it."""
    return bool(getattr(model, "__dict__", {}).get("answers_by_row", False))


def check_alone(model: BaseClassifier, samples: Tensor, lam: float) -> None:
    """ValueError if the answers to either half of a chunk change with the other half: by its samples, or by chance.

    Each half is tested while the other is replaced: a statistic of the chunk, such as a maximum, may rest on one half
    alone. It is replaced by black and white samples, whose extremes no sample of splitting noise exceeds. Models marked
    `answers_by_row` are skipped.
    """
    if answers_by_row(model):
        return
    black_and_white = torch.zeros_like(samples)
    black_and_white[2::4] = black_and_white[3::4] = 1
    with torch.inference_mode():
        answers = model(samples.clone(), lam).clone()  # it may work in its input's place
        for half in (0, 1):
            changed = black_and_white.clone()
            changed[half::2] = samples[half::2]
            if not torch.equal(model(changed, lam)[half::2], answers[half::2]):
                raise ValueError(
                    "the model's answer to a sample changes with the others of its chunk, or by chance, so no "
                    "certificate would hold: is a network in it in training mode? Call eval() on that first"
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
    classes = getattr(model, "num_classes", found[-1] if found else 0)
    if found != (len(samples), classes) or classes < 2:
        raise ValueError(f"expected logits of shape {(len(samples), classes)}, with K >= 2, got {found}")
    if logits.dtype != torch.float32:
        raise ValueError(f"the model must return float32 logits, got {logits.dtype}")
    if not bool(torch.isfinite(logits).all()):
        raise ValueError("the model returned logits that are not finite: its weights or its arithmetic are broken")
    own: np.ndarray = logits.detach().numpy().copy()  # detached: a model may pass on what has a gradient
    return own


def classify(model: BaseClassifier, samples: Tensor, lam: float) -> tuple[np.ndarray, int]:
    """The class of each of the float32 samples (B, C, H, W), int64 (B,), and the number of classes K.

    The lowest index wins a tie of logits. ValueError as for `logits_of`.
    """
    logits = logits_of(model, samples, lam)
    return logits.argmax(axis=1), logits.shape[1]


def counting_of(model: BaseClassifier) -> str:
    """How a model's votes are counted: one of `COUNTINGS`, as it says itself; by plurality where it does not."""
    counting: str = getattr(model, "counting", PLURALITY)
    return counting


def tally(
    model: BaseClassifier,
    image: Tensor,
    noise: SplitNoise,
    batch_size: int | None = None,
    counting: str | None = None,
) -> Iterator[Tally]:
    """Vote chunk by chunk; every step yields the state of the whole vote so far.

    image: torch.uint8 (C, H, W). Samples are visited in an order that is spread evenly over 0..N-1 from the start, so
    that the bounds close early. counting: one of `COUNTINGS`; by default that of the model (`counting_of`). Memory is
    that of one chunk, and of K x K counts for duels. ValueError for arguments that do not fit together.
    """
    counting = counting_of(model) if counting is None else counting
    check_choice("counting", counting, COUNTINGS)
    check_model(model, noise.shape)
    check_image(image, noise.shape)
    layout = ChunkLayout.for_images(noise.levels, noise.shape, batch_size)
    image, noise = image.clone(), deepcopy(noise)  # the caller may change its own between two chunks
    votes, duels = None, None
    for chunk in range(layout.chunks):
        indices, real = layout.indices(chunk), layout.real_rows(chunk)
        samples = noise.samples_at(image, indices)
        logits = logits_of(model, samples, noise.lam)[:real]
        if chunk == 0:
            check_alone(model, samples, noise.lam)
        labels, classes = logits.argmax(axis=1), logits.shape[1]
        fresh = np.bincount(labels, minlength=classes)
        if votes is not None and votes.shape != fresh.shape:
            raise ValueError(f"the model returned logits for {classes} classes, after {len(votes)} before")
        votes = fresh if votes is None else votes + fresh
        if counting == DUELS:
            duels = count_duels(logits) + (0 if duels is None else duels)
        yield Tally(votes, indices[:real].numpy(), labels, int(votes.sum()), layout.levels, duels, logits)


def complete(states: Iterable[Tally]) -> Tally:
    """The states of a whole vote as one: that of all samples, in index order. ValueError if they end before it does."""
    state, seen = None, []
    for state in states:
        seen.append((state.indices, state.labels))  # not the state itself: memory is to be that of one chunk
    if state is None or state.done < state.total:
        raise ValueError("the vote ended before all samples had voted: go through all states of `tally`")
    indices, labels = map(np.concatenate, zip(*seen, strict=True))
    return replace(state, indices=np.arange(state.total), labels=labels[indices.argsort()], logits=None)


def count_votes(model: BaseClassifier, image: Tensor, noise: SplitNoise, batch_size: int | None = None) -> np.ndarray:
    """int64 (K,) votes, first choices of all N samples; they add up to N."""
    return complete(tally(model, image, noise, batch_size, PLURALITY)).votes.copy()


def noise_for(model: LoadedModel, levels: int) -> SplitNoise:
    """The splitting noise a loaded model was trained for, at any number of levels: offsets come from its manifest."""
    if not hasattr(model, "manifest"):
        raise ValueError("the model has no manifest to take offsets from: make a SplitNoise and call count_votes")
    return model.manifest.noise_at(levels)


def certify(
    model: LoadedModel, image: Tensor, levels: int, batch_size: int | None = None, counting: str | None = None
) -> Certificate:
    """The exact certificate of one image, torch.uint8 (C, H, W), for a model from `load_model`.

    counting: one of `COUNTINGS`; by default as the model's manifest says. Each makes a smoothed classifier of its own:
    picking the larger radius image by image is a certificate of neither.
    """
    return complete(tally(model, image, noise_for(model, levels), batch_size, counting)).certificate
