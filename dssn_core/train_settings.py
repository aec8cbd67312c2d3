"""What a run of training is told to do."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .checks import check_choice, check_seed
from .constants import DSSN, levels_from_sigma
from .noises import NOISES
from .optimizers import OPTIMIZERS
from .precision import PRECISIONS
from .splitting import PIXELWISE, Block

CHOICES: dict[str, Iterable[str]] = {
    "noise": NOISES,
    "optimizer": OPTIMIZERS,
    "precision": PRECISIONS,
    "inference": PRECISIONS,
}
"""Settings that are names, each out of a table; `architecture` and `offsets` are checked where they are used."""

DENOISER = "denoised-lite0"
"""The architecture that learns pictures, not labels."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything that decides what a run computes.

    `images` is the budget: images seen, with repeats, in whole batches.
    """

    noise: str = DSSN
    offsets: str = "r2"
    block: Block = PIXELWISE  # the pixels that are split together
    images: int = 4_000_000
    batch_size: int = 256
    optimizer: str = "sgd"  # or "adamw", "muon"
    learning_rate: float = 0.2  # peak
    weight_decay: float = 5e-4  # on convolutions and linear weights only
    momentum: float = 0.9
    warmup: float = 0.05  # share of the budget over which the rate rises; then a cosine to zero
    averaging: float = 0.999  # EMA decay a step
    sigma_range: tuple[float, float] = (0.1, 3.5)
    held_out_per_class: int = 200  # of the training images, for making choices
    consistency: float = 0.0  # weight, times lambda, of the disagreement of two samples of one image; 0 draws only one
    crop: int = 4  # pixels of random shift, borders reflected
    zoom: float = 1.0  # a random part of the picture is magnified by up to this factor
    operations: int = 0  # of RandAugment on every picture (Cubuk et al. 2020), at the usual magnitude
    input_size: tuple[int, int] | None = None  # (H, W) the classifier will take; None: the size it is trained at
    seed: int = 0
    architecture: str = "film-resnet"
    network: dict[str, Any] = field(default_factory=lambda: {"stem": 48, "stages": [64, 128, 256]})
    pictures_first: float = 0.3  # share of the budget in which a denoiser only learns the pictures
    stability: float = 0.01  # after that, weight of the classifier's answers beside the squared error
    precision: str = "float32"  # number format of the convolutions while training
    inference: str = "float32"  # and in the classifier that comes out

    def __post_init__(self) -> None:
        for what, table in CHOICES.items():
            check_choice(what, getattr(self, what), table)
        if self.images < self.batch_size or self.batch_size < 2:
            raise ValueError(
                f"images must cover a batch of 2 or more, got {self.images} images and a batch of {self.batch_size}"
            )
        for what in ("learning_rate", "weight_decay", "stability", "consistency"):
            if not 0 <= getattr(self, what) < math.inf:
                raise ValueError(f"{what} must be a number of 0 or more, got {getattr(self, what)}")
        for what in ("momentum", "warmup", "averaging", "pictures_first"):
            if not 0 <= getattr(self, what) < 1:
                raise ValueError(f"{what} must be from 0 to less than 1, got {getattr(self, what)}")
        if not 1 <= self.zoom < math.inf:
            raise ValueError(f"zoom must be a number of 1 or more, got {self.zoom}")
        for what, least in (("operations", 0), ("held_out_per_class", 1)):
            if getattr(self, what) < least:
                raise ValueError(f"{what} must be {least} or more, got {getattr(self, what)}")
        if self.consistency and self.architecture == DENOISER:
            raise ValueError("a denoiser learns pictures, not labels: it has no use for consistency")
        if self.batch_size % self.views:
            raise ValueError(f"two samples of each image make an even batch, not one of {self.batch_size}")
        if self.noise != DSSN and self.block != PIXELWISE:
            raise ValueError(f"only DSSN splits blocks of pixels together, {self.noise!r} does not")
        check_seed(self.seed)
        low, high = (levels_from_sigma(sigma) for sigma in self.sigma_range)
        if low > high:
            raise ValueError(f"sigma_range must be (low, high), got {self.sigma_range}")

    @property
    def steps(self) -> int:
        return -(-self.images // self.batch_size)

    @property
    def views(self) -> int:
        """Samples of each image in a batch; all of them count as images seen."""
        return 2 if self.consistency else 1
