"""How much certification costs beside the bare forward passes it consists of, measured side by side in one run."""

import statistics
import sys
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from .classifier import Classifier
from .layout import ChunkLayout
from .voting import complete, tally


@dataclass(frozen=True)
class Speed:
    """Medians over the rounds. *_seconds: for all N samples once. peak_mib: peak memory of the whole process."""

    levels: int
    rows: int
    rounds: int
    certify_seconds: float
    forward_seconds: float
    ratio: float
    sampling_share: float
    peak_mib: float | None

    def __str__(self) -> str:
        memory = "unknown here" if self.peak_mib is None else f"{self.peak_mib:8.0f} MiB of the whole process"
        return "\n".join(
            (
                f"N = {self.levels:,} samples in chunks of {self.rows}; medians of {self.rounds} rounds, run in turn",
                f"certification      {self.levels / self.certify_seconds:8.0f} samples/s",
                f"bare forward pass  {self.levels / self.forward_seconds:8.0f} samples/s (ready-made samples)",
                f"ratio of times     {self.ratio:8.3f} certification / forward pass, round by round",
                f"making the samples {100 * self.sampling_share:7.2f} % of the forward pass on them",
                f"peak memory        {memory}",
            )
        )


def _peak_mib() -> float | None:
    """Peak resident memory of this process; None where the system has no such measure."""
    try:
        import resource
    except ImportError:  # on Windows
        return None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measured(model: Classifier, image: Tensor, levels: int, rounds: int = 7, batch_size: int | None = None) -> Speed:
    """Time certification, bare forward passes and sampling of one image in turn, `rounds` times after a warm-up."""
    noise = model.manifest.noise_at(levels)
    layout = ChunkLayout.for_images(levels, noise.shape, batch_size)

    def timed() -> tuple[float, float, float]:
        """Seconds of a certification, of the forward passes it consists of, and of making the samples."""
        began = time.perf_counter()
        complete(tally(model, image, noise, batch_size))
        certified, forward, sampling = time.perf_counter() - began, 0.0, 0.0
        for chunk in range(layout.chunks):  # one at a time, as certification holds them: all may be large
            began = time.perf_counter()
            samples = noise.samples_at(image, layout.indices(chunk))
            made = time.perf_counter()
            with torch.inference_mode():
                model(samples, noise.lam)
            forward += time.perf_counter() - made
            sampling += made - began
        return certified, forward, sampling

    timed()
    times = [timed() for _ in range(rounds)]
    return Speed(
        levels=levels,
        rows=layout.rows,
        rounds=rounds,
        certify_seconds=statistics.median(c for c, _, _ in times),
        forward_seconds=statistics.median(f for _, f, _ in times),
        ratio=statistics.median(c / f for c, f, _ in times),
        sampling_share=statistics.median(s / f for _, f, s in times),
        peak_mib=_peak_mib(),
    )
