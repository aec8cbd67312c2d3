"""Denoised smoothing (Salman et al. 2020): a denoiser that is told lambda, in front of a pretrained classifier.

x_tilde -> picture -> class. The denoiser is a small U-Net that works on blocks of pixels side by side in channels.
Shape legend: B batch, H, W picture (multiples of 16), P patch side.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .imagenet import efficientnet_lite0, preprocess
from .networks import LambdaEmbedding, ModulatedNorm, Network, to_one_scale
from .precision import computed_in

EMBEDDING = 64
"""Width of the lambda embedding."""


class ConvNorm(nn.Module):
    """A 3x3 convolution and a modulated norm, with a shortcut where the width stays the same."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = ModulatedNorm(outputs, EMBEDDING)
        self.shortcut = inputs == outputs and stride == 1

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = F.relu(self.norm(self.convolution(x), embedding), inplace=True)
        return h + x if self.shortcut else h


class Denoiser(nn.Module):
    """Samples (B, 3, H, W), centred on [-1, 1], and (B,) lambda to pictures (B, 3, H, W) on the same scale.

    patch: pixels are moved into channels in P x P blocks first. widths: channels at each resolution, halved in between.
    The picture is the sample, scaled as fits lambda, plus what the network adds; before any training it is the sample.
    scaled_input: as for `FilmResNet`.
    """

    def __init__(self, widths: Sequence[int] = (64, 128, 192), patch: int = 4, scaled_input: bool = False) -> None:
        super().__init__()
        self.patch, self.scaled_input = patch, scaled_input
        self.embedding = LambdaEmbedding(EMBEDDING)
        self.first = ConvNorm(2 * 3 * patch**2, widths[0])  # the sample, and how far each value is from unknown
        self.down = nn.ModuleList(ConvNorm(a, b, stride=2) for a, b in pairwise(widths))
        self.across = nn.ModuleList(ConvNorm(width, width) for width in widths)
        self.up = nn.ModuleList(ConvNorm(b + a, a) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[0], 3 * patch**2, 3, 1, 1)
        self.gain = nn.Linear(EMBEDDING, 1)
        for weights in (self.last.weight, self.last.bias, self.gain.weight):
            assert weights is not None
            nn.init.zeros_(weights)
        nn.init.ones_(self.gain.bias)

    def forward(self, x: Tensor, lam: Tensor) -> Tensor:
        embedding = self.embedding(lam)
        if self.scaled_input:
            x = to_one_scale(x, lam)
        h = self.first(F.pixel_unshuffle(torch.cat([x, x.abs()], dim=1), self.patch), embedding)
        kept = []
        for across, down in zip(self.across, [*self.down, None], strict=True):
            h = across(h, embedding)
            kept.append(h)
            if down is not None:
                h = down(h, embedding)
        for skipped, up in zip(reversed(kept[:-1]), reversed(self.up), strict=True):
            h = up(torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), skipped], dim=1), embedding)
        added = F.pixel_shuffle(self.last(h), self.patch)
        picture: Tensor = added.float() + x * self.gain(embedding)[:, :, None, None]
        return picture


class Pretrained(Network):
    """EfficientNet-Lite0, as it was pretrained, on the samples themselves: what a denoiser is measured against.

    Its weights are the package's: a checkpoint holds nothing.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        if (channels, num_classes) != (3, 1000):
            raise ValueError(f"it takes 3 channels and has 1000 classes, got {channels} and {num_classes}")
        self.classifier = efficientnet_lite0().requires_grad_(False)
        self.head = self.classifier.get_submodule("classifier")
        self.classifier.classifier = nn.Identity()  # it ends with the features then

    def train(self, mode: bool = True) -> "Pretrained":
        """The classifier stays as it was pretrained, its norms in evaluation mode."""
        super().train(mode)
        self.classifier.eval()
        return self

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """(B, F) features of pictures on [0, 1], with no denoiser between."""
        features: Tensor = self.classifier(preprocess(pictures).contiguous(memory_format=torch.channels_last))
        return features

    def features(self, x: Tensor, lam: Tensor) -> Tensor:
        return self.of_pictures((x + 1) / 2)

    def saved_state(self) -> dict[str, Tensor]:
        return {}

    def load_saved_state(self, tensors: dict[str, Tensor]) -> None:
        if tensors:
            raise RuntimeError(f"unexpected weights: {', '.join(list(tensors)[:5])}")


class DenoisedLite0(Pretrained):
    """EfficientNet-Lite0 on denoised samples. A checkpoint holds the denoiser. settings: those of a `Denoiser`."""

    has_denoiser = True

    def __init__(self, channels: int, num_classes: int, **settings: Any) -> None:
        denoiser = Denoiser(**settings)  # before the classifier, so that its first weights are its own draw
        super().__init__(channels, num_classes)
        self.denoiser = denoiser

    def pictures(self, x: Tensor, lam: Tensor) -> Tensor:
        """(B, 3, H, W) on [0, 1]: what the classifier gets to see of centred samples."""
        picture: Tensor = self.denoiser(x, lam)
        return (picture + 1) / 2

    def features(self, x: Tensor, lam: Tensor) -> Tensor:
        return self.of_pictures(self.pictures(x, lam))

    def saved_state(self) -> dict[str, Tensor]:
        return self.denoiser.state_dict()

    def load_saved_state(self, tensors: dict[str, Tensor]) -> None:
        self.denoiser.load_state_dict(tensors, strict=True)


def denoising_loss(
    network: DenoisedLite0, x: Tensor, lam: Tensor, clean: Tensor, stability: float, precision: str = "float32"
) -> tuple[Tensor, float]:
    """Loss of denoising, and the share of samples that are answered as the clean picture is (0 if stability is 0).

    x: centred samples (B, 3, H, W). clean: their pictures on [0, 1]. The loss is the mean squared error, plus
    `stability` times the divergence of the classifier's answer from its answer to the clean picture: no labels are
    needed, so all its classes are served (Salman et al. 2020). precision: number format of the convolutions; the last
    layer and the divergence are float32, as in a vote.
    """

    def logits_of(pictures: Tensor) -> Tensor:
        with computed_in(precision):
            features = network.of_pictures(pictures)
        logits: Tensor = network.head(features.float())
        return logits

    with computed_in(precision):
        pictures = network.pictures(x, lam)
    pictures = pictures.float()
    loss = F.mse_loss(pictures, clean)
    if not stability:
        return loss, 0.0
    logits = logits_of(pictures)
    with torch.no_grad():
        wanted = logits_of(clean)
    divergence = F.kl_div(logits.log_softmax(1), wanted.log_softmax(1), reduction="batchmean", log_target=True)
    return loss + stability * divergence, float((logits.argmax(1) == wanted.argmax(1)).float().mean())
