"""Training a base classifier: one network for every lambda, a stated budget of images.

Every random draw is keyed by (seed, purpose, position), so a resumed run repeats an uninterrupted one bit for bit (on
the same machine and number of threads), and a saved state (`training_state`) needs no generator. Shape legend: B
batch, C, H, W image.
"""

import json
import math
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .architectures import build_network
from .augmentation import augment, distorted, magnify
from .checkpoints import load_model
from .checks import check_shape
from .classifier import Classifier, centred
from .constants import PIXEL_STEPS, lambda_from_levels, levels_from_sigma
from .datasets import Dataset
from .denoising import DenoisedLite0, denoising_loss
from .draws import BATCH, HELD_OUT_CHECK, ORDER, STATISTICS, WEIGHTS, keyed_generator
from .ensembles import members_of
from .held_out import check_unseen, held_out_split, seen_in
from .manifest import Manifest, StatedOffsets
from .networks import Ensemble
from .noises import NOISES
from .offsets import offset_fractions
from .optimizers import OPTIMIZERS, Groups, learning_rate_factor
from .splitting import block_grid, check_block
from .train_settings import TrainSettings

STATISTICS_BATCHES = 20
HELD_OUT_SIGMAS = (0.25, 0.5, 1.0, 2.0, 3.5)


def draw_levels(count: int, sigma_range: tuple[float, float], generator: torch.Generator) -> Tensor:
    """int64 (B,) level counts: sqrt(sigma) uniform over the range, which favours neither end much."""
    low, high = (math.sqrt(sigma) for sigma in sigma_range)
    sigma = (low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)) ** 2
    bounds = [levels_from_sigma(s) for s in sigma_range]
    return (sigma * math.sqrt(3) * 2 * PIXEL_STEPS + 1e-9).floor().long().clamp(*bounds)


def disagreement(logits: Tensor, lam: Tensor) -> Tensor:
    """Mean over images of lambda times the Jensen-Shannon divergence of the answers to their two samples.

    logits: (2B, K), the second samples of the B images after the first ones. lam: (B,). A vote that does not depend on
    the sample has no rivals, and the more noise, the larger the radius that gains from it (consistency regularization:
    Jeong & Shin 2020; Levine & Feizi 2021 train for stability to the same end).
    """
    first, second = logits.log_softmax(dim=1).chunk(2)
    mean = torch.logaddexp(first, second) - math.log(2)
    divergence = sum((p.exp() * (p - mean)).sum(dim=1) for p in (first, second)) / 2
    return (lam * divergence).mean()


def parameter_groups(model: nn.Module, weight_decay: float) -> Groups:
    """Convolutions, other matrices, and vectors, which do not decay: they are scales and shifts."""
    trained = [p for p in model.parameters() if p.requires_grad]
    fallback = {"use_fallback": True}  # to NAdamW; only Muon heeds it
    return [
        {"params": [p for p in trained if p.ndim == 4], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim == 2], "weight_decay": weight_decay, **fallback},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0, **fallback},
    ]


@lru_cache(maxsize=1)
def _epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """int64 (count,): the order of the training images in an epoch."""
    return torch.randperm(count, generator=keyed_generator(seed, ORDER, epoch))


class Trainer:
    """A run: its data, network, optimizer and position. `step` advances it by one batch."""

    def __init__(self, settings: TrainSettings, data: Dataset, start: str | None = None) -> None:
        self.settings = settings
        self.shape = check_shape(data.images.shape[1:])
        training, held_out = held_out_split(data.labels, settings.held_out_per_class, settings.seed)
        self.training, self.held_out = data.subset(training), data.subset(held_out)
        self.input_shape = (self.shape[0], *(settings.input_size or self.shape[1:]))
        for shape in (self.shape, self.input_shape):
            check_block(settings.block, shape)
        grid = block_grid(self.shape, settings.block)
        self.fractions = offset_fractions(settings.offsets, grid, settings.seed)
        # As a manifest has them, where tuples are lists: the same settings are to be found the same.
        self.network_settings: dict[str, Any] = json.loads(json.dumps(settings.network))
        if settings.noise == "uniform":  # the only samples that are not confined to [0, 1]
            self.network_settings["scaled_input"] = True
        self.start = start
        if not 0 <= settings.crop < min(self.shape[1:]):
            raise ValueError(f"crop must be from 0 to less than the image size {self.shape[1:]}, got {settings.crop}")
        if len(self.training) < settings.batch_size:
            raise ValueError(f"a batch of {settings.batch_size} needs more than {len(self.training)} training images")

        with torch.random.fork_rng(devices=[]):  # layers draw their first weights from the global generator
            torch.manual_seed(keyed_generator(settings.seed, WEIGHTS).initial_seed())
            network = build_network(settings.architecture, self.network_settings, self.shape[0], len(data.class_names))
        self.model = Classifier(network, data.class_names, self.input_shape, settings.precision).train()
        self._check_network()
        self.start_sha256: str | None = None
        self.images_before = 0
        self.seen_before: list[dict[str, Any]] = []
        if start is not None:
            self._warm_start(start, data)
        averaging = get_ema_multi_avg_fn(settings.averaging)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.model, multi_avg_fn=averaging)
        groups = parameter_groups(self.model, settings.weight_decay)
        self.optimizer = OPTIMIZERS[settings.optimizer](groups, settings.learning_rate, settings.momentum)
        self.position = 0  # steps done

    def _check_network(self) -> None:
        """ValueError if the network has nothing to train, or cannot take pictures of the sizes it will be given."""
        if isinstance(self.model.network, Ensemble):
            raise ValueError("the members of an ensemble are trained each by itself, and then joined")
        if not any(parameter.requires_grad for parameter in self.model.parameters()):
            raise ValueError(f"a {self.settings.architecture!r} of these settings has nothing to train")
        for shape in {self.shape, self.input_shape}:
            self.model.check_takes(shape)
        self.model.train()

    def averaged(self) -> Classifier:
        """The classifier with averaged weights, in evaluation mode: what the run is for.

        Its batch-norm statistics are measured afresh on training images: those of the single weights, averaged, do not
        fit the averaged weights (Izmailov et al. 2018). The images are not distorted, as those to come will not be.
        """
        average = self.average.module
        assert isinstance(average, Classifier)
        model = average.running_in(self.settings.inference)
        norms = [part for part in model.train().modules() if isinstance(part, nn.BatchNorm2d) and part.training]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches
        with torch.no_grad():
            for batch in range(STATISTICS_BATCHES):
                generator = keyed_generator(self.settings.seed, STATISTICS, batch)
                chosen = torch.randint(len(self.training), (self.settings.batch_size,), generator=generator)
                samples, levels, *_ = self._noisy(chosen, generator)
                model(samples, lambda_from_levels(levels.float()))
        return model.eval()

    def _noisy(
        self, chosen: Tensor, generator: torch.Generator, views: int = 1, operations: int = 0
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Augmented, noisy training samples of the images `chosen`, `views` of each; levels, labels, clean images."""
        images = augment(self.training.images[chosen], self.settings.crop, generator)
        images = magnify(images, self.settings.zoom, generator)
        images = distorted(images, operations, generator).repeat(views, 1, 1, 1)
        levels = draw_levels(len(chosen), self.settings.sigma_range, generator).repeat(views)
        samples = NOISES[self.settings.noise](images, levels, self.fractions, generator)
        return samples, levels, self.training.labels[chosen].repeat(views), images

    def _warm_start(self, name: str, data: Dataset) -> None:
        """Take the weights of a model, or of the member of an ensemble, that is of the same architecture.

        It may have been trained for another noise, whose samples are scaled differently.
        ValueError if there is none, or if it may have seen what this run is to hold out (`check_unseen`).
        """
        members = members_of(load_model(name))

        def without_scale(settings: dict[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in settings.items() if name != "scaled_input"}

        wanted = (self.settings.architecture, without_scale(self.network_settings), self.model.num_classes)
        kinds = [(one.manifest.architecture, without_scale(one.manifest.settings), one.num_classes) for one in members]
        if wanted not in kinds:
            listed = " and ".join(
                f"a {one.manifest.architecture} of {one.manifest.settings}, for {one.num_classes} classes"
                for one in members
            )
            raise ValueError(f"{name} has other settings than this run: {listed}")
        first = members[kinds.index(wanted)]
        self.seen_before = seen_in(first.manifest.training)
        check_unseen(name, self.seen_before, data.description, self.settings.seed, self.settings.held_out_per_class)
        self.model.network.load_saved_state(first.network.saved_state())
        self.start_sha256, self.images_before = first.manifest.weights_sha256, first.manifest.images_seen

    def _batch_indices(self) -> Tensor:
        size = self.settings.batch_size // self.settings.views
        per_epoch = len(self.training) // size
        epoch, place = divmod(self.position, per_epoch)
        return _epoch_order(len(self.training), self.settings.seed, epoch)[place * size :][:size]

    def step(self) -> tuple[float, float]:
        """One batch: returns (mean loss, share classified correctly)."""
        settings = self.settings
        generator = keyed_generator(settings.seed, BATCH, self.position)
        samples, levels, labels, images = self._noisy(
            self._batch_indices(), generator, settings.views, settings.operations
        )
        lam = lambda_from_levels(levels.float())
        rate = settings.learning_rate * learning_rate_factor(self.position / settings.steps, settings.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        objective = self._denoising_loss if self.model.network.has_denoiser else self._label_loss
        loss, right = objective(samples, lam, labels, images)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        self.position += 1
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss is {value} at step {self.position}: lower the learning rate")
        return value, right

    def _label_loss(self, samples: Tensor, lam: Tensor, labels: Tensor, images: Tensor) -> tuple[Tensor, float]:
        """Cross-entropy with the labels, and the disagreement of two views; the share answered right."""
        logits = self.model(samples, lam)
        loss = F.cross_entropy(logits, labels)
        if self.settings.consistency:
            loss = loss + self.settings.consistency * disagreement(logits, lam[: len(lam) // 2])
        return loss, float((logits.argmax(1) == labels).float().mean())

    def _denoising_loss(self, samples: Tensor, lam: Tensor, labels: Tensor, images: Tensor) -> tuple[Tensor, float]:
        """First the pictures alone, then the classifier's answers too; the share answered as the clean picture is."""
        settings, network = self.settings, self.model.network
        assert isinstance(network, DenoisedLite0)
        stability = settings.stability if self.position >= settings.pictures_first * settings.steps else 0.0
        x = centred(samples)
        return denoising_loss(network, x, lam, images.float() / PIXEL_STEPS, stability, settings.precision)

    def held_out_accuracy(self, model: Classifier) -> dict[str, float]:
        """Share of held-out images of which `model` classifies one sample (at a fixed random index) right, by sigma."""
        accuracies = {}
        for place, sigma in enumerate(HELD_OUT_SIGMAS):
            generator = keyed_generator(self.settings.seed, HELD_OUT_CHECK, place)
            levels = torch.full((len(self.held_out),), levels_from_sigma(sigma))
            right = 0
            batches = (torch.split(whole, 250) for whole in (self.held_out.images, levels, self.held_out.labels))
            for images, n, labels in zip(*batches, strict=True):
                samples = NOISES[self.settings.noise](images, n, self.fractions, generator)
                with torch.inference_mode():
                    right += int((model(samples, lambda_from_levels(n.float())).argmax(1) == labels).sum())
            accuracies[f"{sigma:g}"] = round(right / len(self.held_out), 4)
        return accuracies

    def manifest(self, name: str) -> Manifest:
        settings = self.settings
        return Manifest(
            name=name,
            architecture=settings.architecture,
            settings=self.network_settings,
            precision=settings.inference,
            class_names=self.model.class_names,
            input_shape=self.input_shape,
            noise=settings.noise,
            offsets=StatedOffsets.of(settings.offsets, settings.seed, self.input_shape, settings.block),
            sigma_range=settings.sigma_range,
            training={
                **asdict(settings),
                "images": self.position * settings.batch_size,
                "data": self.training.description,
                "held_out": f"{len(self.held_out)} of them set apart",
                "start": self.start,
                "start_weights_sha256": self.start_sha256,
                "images_before": self.images_before,
                "seen_before": self.seen_before,
            },
            measured={},
            weights_sha256="",
        )
