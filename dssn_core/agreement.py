"""How much a network's answers move with what should not matter: threads, chunk size, memory layout, number format.

Every setting is compared with the one that certificates are made in, on the same samples of the same images.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from .base_classifier import counting_of
from .classifier import Classifier
from .layout import ChunkLayout, fitting_batch_size
from .precision import PRECISIONS
from .splitting import SplitNoise
from .strict import certified
from .wording import at_most, counted

SHOWN = 20
"""Most places of differing votes that are printed."""


@dataclass(frozen=True)
class Setting:
    """How the network is run."""

    threads: int
    batch_size: int
    channels_last: bool
    precision: str

    def __str__(self) -> str:
        layout = "channels last" if self.channels_last else "channels first"
        return f"{counted(self.threads, 'thread')}, chunks of {self.batch_size}, {layout}, {self.precision}"


@dataclass(frozen=True)
class Agreement:
    """One setting against the reference. votes: samples compared. differing: votes that are not the same.

    largest_error: of a logit. largest_gap: between the two best reference logits, among the votes that differ.
    changed_radii: certificates whose radius or class is another one. places: (image, j) of the votes that differ.
    """

    setting: Setting
    votes: int
    differing: int
    largest_error: float
    largest_gap: float
    changed_radii: int
    images: int
    places: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        gap = ""
        if self.differing:
            listed = "".join(f" {image}:{j}" for image, j in self.places[:SHOWN]) + " …" * (self.differing > SHOWN)
            gap = f" (image:j{listed}), two best logits up to {at_most(self.largest_gap)} apart"
        return (
            f"{self.setting!s:60} logits off by up to {at_most(self.largest_error)}; {self.differing:,} of "
            f"{self.votes:,} votes differ{gap}; {self.changed_radii} of {self.images} certificates change"
        )


def settings_of(model: Classifier) -> list[Setting]:
    """All settings to compare, the reference first."""
    threads = torch.get_num_threads()
    size = fitting_batch_size(model.input_shape)
    reference = Setting(threads, size, True, model.precision)
    found = [Setting(*choice) for choice in product((1, 2), (max(1, size // 4), size), (True, False), PRECISIONS)]
    return [reference, *(setting for setting in found if setting != reference)]


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _laid_out(model: Classifier, channels_last: bool) -> Classifier:
    """A copy of the model with its weights in a memory layout: kernels follow them as well as the samples."""
    copied = copy.deepcopy(model)
    copied.network.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    return copied


def all_logits(model: Classifier, image: Tensor, noise: SplitNoise, setting: Setting) -> Tensor:
    """float32 (N, K): the logits of every sample in index order, computed in a setting, chunk by padded chunk."""
    layout = ChunkLayout.of(noise.levels, setting.batch_size)
    found = torch.empty(noise.levels, model.num_classes)
    with _threads(setting.threads), torch.inference_mode():
        for chunk in range(layout.chunks):
            indices, real = layout.indices(chunk), layout.real_rows(chunk)
            samples = noise.samples_at(image, indices)
            found[indices[:real]] = model.answer(samples, noise.lam, setting.precision, setting.channels_last)[:real]
    return found


def reference_logits(model: Classifier, images: Sequence[Tensor], levels: int) -> list[Tensor]:
    """Of each image, torch.uint8 (C, H, W), the `all_logits` in the setting that certificates are made in."""
    noise, setting = model.manifest.noise_at(levels), settings_of(model)[0]
    return [all_logits(model, image, noise, setting) for image in images]


def compare(model: Classifier, images: Sequence[Tensor], expected: Sequence[Tensor]) -> Iterator[Agreement]:
    """Every setting but the reference, against it. expected: the `reference_logits` of the images."""
    levels = len(expected[0])
    noise = model.manifest.noise_at(levels)

    def told(logits: Tensor) -> tuple[int, int]:
        certificate = certified(logits.numpy(), counting_of(model))
        return certificate.label, certificate.radius_steps

    plain = [told(logits) for logits in expected]
    laid_out = {last: _laid_out(model, last) for last in (True, False)}
    for setting in settings_of(model)[1:]:
        found = [all_logits(laid_out[setting.channels_last], image, noise, setting) for image in images]
        wrong = [a.argmax(1) != b.argmax(1) for a, b in zip(expected, found, strict=True)]
        gaps = [-logits.topk(2).values.diff(dim=1)[rows] for logits, rows in zip(expected, wrong, strict=True)]
        yield Agreement(
            setting=setting,
            votes=levels * len(images),
            differing=sum(int(rows.sum()) for rows in wrong),
            largest_error=max(float((a - b).abs().max()) for a, b in zip(expected, found, strict=True)),
            largest_gap=max([float(gap.max()) for gap in gaps if len(gap)], default=0.0),
            changed_radii=sum(a != told(b) for a, b in zip(plain, found, strict=True)),
            images=len(images),
            places=tuple((image, j) for image, rows in enumerate(wrong) for j in rows.nonzero().flatten().tolist()),
        )
