"""A network as a base classifier: with its number format, classes, input shape, and the manifest it came with.

Shape legend: B samples, C channels, H rows, W columns, K classes.
"""

import torch
from torch import Tensor, nn

from .checks import check_choice
from .constants import PLURALITY
from .manifest import Manifest
from .networks import Network
from .precision import PRECISIONS, computed_in


def centred(x: Tensor) -> Tensor:
    """Samples from [0, 1] to [-1, 1], in float32: rounded to bfloat16 first, they keep only 512 of 1021 values."""
    return (x - 0.5) * 2


class Classifier(nn.Module):
    """A base classifier with everything voting needs to know: its network, number format, classes and input shape.

    `model(x, lam)`: x float32 (B, C, H, W), pixels on the [0, 1] scale, lam a float or a (B,) tensor; returns float32
    (B, K) logits.
    """

    def __init__(
        self,
        network: Network,
        class_names: tuple[str, ...],
        input_shape: tuple[int, int, int],
        precision: str = "bfloat16",
        manifest: Manifest | None = None,
    ) -> None:
        super().__init__()
        check_choice("precision", precision, PRECISIONS)
        self.network = network.to(memory_format=torch.channels_last)
        self.class_names = tuple(class_names)
        self.input_shape = input_shape
        self.precision = precision
        self.made_when_marked: tuple[object, ...] | None = None  # see `base_classifier.answers_by_row`
        self._manifest = manifest

    def running_in(self, precision: str) -> "Classifier":
        """The same network in another of `PRECISIONS`: another base classifier, so of certificates of its own."""
        other = Classifier(self.network, self.class_names, self.input_shape, precision, self._manifest)
        other.made_when_marked = self.made_when_marked
        return other.train(self.training)

    @property
    def manifest(self) -> Manifest:
        """What the checkpoint it was loaded from says of itself; ValueError for a network that was made differently."""
        if self._manifest is None:
            raise ValueError("this network has no manifest, which names its offsets and weights: save it and load it")
        return self._manifest

    @property
    def counting(self) -> str:
        """How its votes are counted: as its manifest says, by plurality without one."""
        return PLURALITY if self._manifest is None else self._manifest.counting

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def check_takes(self, shape: tuple[int, ...]) -> None:
        """ValueError if pictures (C, H, W) do not fit through the network, which is in evaluation mode afterwards."""
        try:
            with torch.inference_mode():
                self.eval()(torch.zeros(1, *shape, dtype=torch.float32), 1.0)
        except RuntimeError as error:
            raise ValueError(f"pictures of {shape[1]} x {shape[2]} do not fit through this network: {error}") from error

    def forward(self, x: Tensor, lam: float | Tensor) -> Tensor:
        return self.answer(x, lam, self.precision)

    def denoised(self, x: Tensor, lam: float) -> Tensor | None:
        """float32 (B, C, H, W): what the classifier behind a denoiser gets to see; None where there is no denoiser."""
        with torch.inference_mode(), computed_in(self.precision):
            found = self.network.pictures(centred(x), torch.full((len(x),), lam, dtype=torch.float32))
        return None if found is None else found.float().clamp(0, 1)

    def answer(self, x: Tensor, lam: float | Tensor, precision: str, channels_last: bool = True) -> Tensor:
        """`forward` in another number format or memory layout, to see what they change."""
        if not isinstance(lam, Tensor):
            lam = torch.full((len(x),), lam, dtype=torch.float32)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        x = centred(x).contiguous(memory_format=layout)
        with computed_in(precision):
            features = self.network.features(x, lam)
        logits: Tensor = self.network.head(features.float())
        return logits
