"""The base classifiers: any function of (x_tilde, lambda) may vote; these are the ones this project trains.

Shape legend: B samples, C channels, H rows, W columns, K classes.

`classifier.Classifier` makes a base classifier of a `Network`; the table of networks by name is in `architectures`.
"""

from collections.abc import Sequence
from operator import index

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING_FREQUENCIES = (0.5, 1.0, 2.0, 4.0)


class Network(nn.Module):
    """What a `Classifier` is made of: features of a sample, and a last layer that turns them into logits."""

    head: nn.Module
    has_denoiser = False

    def features(self, x: Tensor, lam: Tensor) -> Tensor:
        """(B, C, H, W) samples, centred on [-1, 1], and (B,) lambda to (B, F) features before the last layer."""
        raise NotImplementedError

    def pictures(self, x: Tensor, lam: Tensor) -> Tensor | None:
        """(B, C, H, W) on [0, 1]: what a denoiser makes of centred samples; None where there is no denoiser."""
        return None

    def saved_state(self) -> dict[str, Tensor]:
        """What a checkpoint has to hold."""
        return self.state_dict()

    def load_saved_state(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of `saved_state`; RuntimeError for names or shapes that do not fit."""
        self.load_state_dict(tensors, strict=True)


class LambdaEmbedding(nn.Module):
    """(B,) noise parameters lambda > 0 to (B, width) features, smooth in log lambda."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(1 + 2 * len(EMBEDDING_FREQUENCIES), width)

    def forward(self, lam: Tensor) -> Tensor:
        log = lam.float().log()[:, None]
        waves = [wave(log * frequency) for frequency in EMBEDDING_FREQUENCIES for wave in (torch.sin, torch.cos)]
        return F.silu(self.linear(torch.cat([log, *waves], dim=1)))


class ModulatedNorm(nn.Module):
    """Batch norm whose scale and shift are affine functions of the lambda embedding (FiLM, Perez et al. 2018)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.modulation = nn.Linear(width, 2 * channels)
        nn.init.zeros_(self.modulation.weight)
        with torch.no_grad():
            self.modulation.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding).float()[:, :, None, None].chunk(2, dim=1)
        if self.training:
            x = self.norm(x)
        else:  # the running statistics fold into the modulation: one pass over x instead of two
            statistics = self.norm
            assert statistics.running_mean is not None and statistics.running_var is not None
            scale = scale * (statistics.running_var + statistics.eps).rsqrt()[None, :, None, None]
            shift = shift - scale * statistics.running_mean[None, :, None, None]
        return torch.addcmul(shift.to(x.dtype), x, scale.to(x.dtype))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 shortcut, each convolution followed by a modulated norm."""

    def __init__(self, inputs: int, outputs: int, stride: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = ModulatedNorm(outputs, width)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = ModulatedNorm(outputs, width)
        self.shortcut = (
            nn.Identity() if inputs == outputs and stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        )

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = F.relu(self.first_norm(self.first(x), embedding), inplace=True)
        h = self.second_norm(self.second(h), embedding)
        return F.relu(h + self.shortcut(x), inplace=True)


class FilmResNet(Network):
    """A small residual network for small pictures, told lambda in every normalisation layer.

    stem: channels after the stride-2 4x4 stem. stages: channels of each stage; every stage but the first halves the
    resolution. blocks: residual blocks per stage. embedding: width of the lambda embedding. scaled_input: divide by
    twice the standard deviation of a picture with additive uniform noise, whose range grows with lambda.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        stem: int = 48,
        stages: tuple[int, ...] = (96, 192, 384),
        blocks: int = 1,
        embedding: int = 64,
        scaled_input: bool = False,
    ) -> None:
        super().__init__()
        self.scaled_input = scaled_input
        self.embedding = LambdaEmbedding(embedding)
        self.stem = nn.Conv2d(channels, stem, 4, 2, 1, bias=False)
        self.stem_norm = ModulatedNorm(stem, embedding)
        self.blocks = nn.ModuleList()
        inputs = stem
        for stage, outputs in enumerate(stages):
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                self.blocks.append(ResidualBlock(inputs, outputs, stride, embedding))
                inputs = outputs
        self.head = nn.Linear(inputs, num_classes)

    def features(self, x: Tensor, lam: Tensor) -> Tensor:
        embedding = self.embedding(lam)
        if self.scaled_input:
            x = to_one_scale(x, lam)
        h = F.relu(self.stem_norm(self.stem(x), embedding), inplace=True)
        for block in self.blocks:
            h = block(h, embedding)
        return h.mean(dim=(2, 3))


class PooledStage(nn.Module):
    """A 3x3 convolution, halved by a maximum over 2x2, then `depth` more 3x3 convolutions; all with modulated norms.

    The first norm comes after the maximum, where a quarter of the values is left.
    """

    def __init__(self, inputs: int, outputs: int, depth: int, width: int) -> None:
        super().__init__()
        sizes = [inputs] + [outputs] * depth
        self.convolutions = nn.ModuleList(nn.Conv2d(size, outputs, 3, 1, 1, bias=False) for size in sizes)
        self.norms = nn.ModuleList(ModulatedNorm(outputs, width) for _ in sizes)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = F.silu(self.norms[0](F.max_pool2d(self.convolutions[0](x), 2), embedding))
        for convolution, norm in zip(self.convolutions[1:], self.norms[1:], strict=True):
            h = F.silu(norm(convolution(h), embedding))
        return h


class FilmPooledNet(Network):
    """A network of pooled stages (after Jordan 2024, "94% on CIFAR-10 in 3.29 seconds"), told lambda in every norm.

    stem: channels of the 2x2 convolution that sees the sample first, before any pooling. stages: channels of each
    stage. depth: convolutions of a stage after its first. subsample: only every so many rows and columns are read,
    which loses nothing where squares of that side are split together, since their pixels all have one value.
    scaled_input: as in `FilmResNet`.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        stem: int = 24,
        stages: tuple[int, ...] = (64, 256, 256),
        depth: int = 1,
        embedding: int = 64,
        subsample: int = 1,
        scaled_input: bool = False,
    ) -> None:
        super().__init__()
        self.scaled_input = scaled_input
        if index(subsample) < 1:
            raise ValueError(f"subsample must be 1 or more, got {subsample}")
        self.subsample = subsample
        self.embedding = LambdaEmbedding(embedding)
        self.stem = nn.Conv2d(2 * channels, stem, 2)  # the sample and how far from unknown each value is
        sizes = [stem, *stages]
        self.stages = nn.ModuleList(
            PooledStage(inputs, outputs, depth, embedding) for inputs, outputs in zip(sizes, stages, strict=False)
        )
        self.head = nn.Linear(stages[-1], num_classes)

    def features(self, x: Tensor, lam: Tensor) -> Tensor:
        embedding = self.embedding(lam)
        if self.scaled_input:
            x = to_one_scale(x, lam)
        x = x[:, :, :: self.subsample, :: self.subsample]
        h = F.silu(self.stem(torch.cat([x, x.abs()], dim=1)))
        for stage in self.stages:
            h = stage(h, embedding)
        return h.mean(dim=(2, 3))


class MeanOfLogs(nn.Module):
    """(B, sum of F) features of several networks to (B, K): the mean of their log-probabilities."""

    def __init__(self, heads: Sequence[nn.Module], widths: Sequence[int]) -> None:
        super().__init__()
        self.heads = tuple(heads)  # a tuple registers no weights: they stay those of the networks
        self.widths = list(widths)

    def forward(self, features: Tensor) -> Tensor:
        parts = torch.split(features, self.widths, dim=1)
        logs = [head(part).log_softmax(dim=1) for head, part in zip(self.heads, parts, strict=True)]
        return torch.stack(logs).mean(dim=0)


class Ensemble(Network):
    """Several networks asked for the same sample, as one base classifier (Hansen & Salamon 1990; Horvath et al. 2022).

    Any function of (x_tilde, lambda) may vote, so a certificate is exact for the mean as for one network.
    """

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        if len(members) < 2:
            raise ValueError(f"an ensemble has two members or more, got {len(members)}")
        self.networks = tuple(members)  # as they are; registered, for their weights, by the list
        self.members = nn.ModuleList(members)
        heads = [member.head for member in members]
        widths = [head.in_features for head in heads if isinstance(head, nn.Linear)]
        if len(widths) < len(heads):
            raise ValueError("a member of an ensemble must be one network with a linear last layer")
        self.head = MeanOfLogs(heads, widths)

    def features(self, x: Tensor, lam: Tensor) -> Tensor:
        return torch.cat([member.features(x, lam) for member in self.networks], dim=1)

    def saved_state(self) -> dict[str, Tensor]:
        states = enumerate(member.saved_state() for member in self.networks)
        return {f"{place}.{name}": tensor for place, state in states for name, tensor in state.items()}

    def load_saved_state(self, tensors: dict[str, Tensor]) -> None:
        states: list[dict[str, Tensor]] = [{} for _ in self.members]
        for key, tensor in tensors.items():
            place, _, name = key.partition(".")
            if not place.isdecimal() or int(place) >= len(states):
                raise RuntimeError(f"weights of no member: {key}")
            states[int(place)][name] = tensor
        for member, state in zip(self.networks, states, strict=True):
            member.load_saved_state(state)


def to_one_scale(x: Tensor, lam: Tensor) -> Tensor:
    """Centred samples (B, C, H, W) of additive noise over twice their standard deviation at lambda (B,)."""
    # About 1/4 is the variance of pictures on [-1, 1], (2*lambda)^2/3 that of the noise.
    return x * (1 + 16 / 3 * lam.float() ** 2).rsqrt()[:, None, None, None]
