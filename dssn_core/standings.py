"""Our certified accuracy beside the paper's. The noise of each row is chosen on images that it is not reported on."""

from collections.abc import Sequence
from dataclasses import dataclass

from .constants import PIXEL_STEPS, sigma_from_levels
from .evaluation import Record, Share, by_levels, certified_curve
from .paper import Published, best_at

TABLE_RHOS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
"""The radii of the paper's headline."""


@dataclass(frozen=True)
class Standing:
    """One rho. levels: our N. ours: certified accuracy on test images. theirs: the paper's best classifier at rho."""

    rho: float
    levels: int
    ours: Share
    theirs: Published

    @property
    def published(self) -> float:
        """The paper's figure, in percent."""
        return self.theirs.certified_accuracy[self.rho]

    @property
    def difference(self) -> float:
        """Ours minus theirs, in points of percent."""
        return 100 * self.ours.share - self.published

    def row(self) -> dict[str, object]:
        """The standing as a row of a table, in percent."""
        low, high = self.ours.interval
        return {
            "rho": self.rho,
            "ours": round(100 * self.ours.share, 2),
            "ours_95_low": round(100 * low, 2),
            "ours_95_high": round(100 * high, 2),
            "ours_sigma": round(sigma_from_levels(self.levels), 4),
            "ours_levels": self.levels,
            "ours_images": self.ours.images,
            "paper": self.published,
            "paper_sigma": self.theirs.sigma,
            "paper_training": self.theirs.training,
            "difference": round(self.difference, 2),
        }


@dataclass(frozen=True)
class Chosen:
    """At one rho: the N that did best on held-out images, and its certified accuracy on test images."""

    rho: float
    levels: int
    ours: Share


def chosen(test: Sequence[Record], held_out: Sequence[Record], rhos: Sequence[float]) -> list[Chosen]:
    """The noise of every rho, chosen on held-out training images among the N that both sets were evaluated at.

    Of two that do equally well the smaller is taken, which is cheaper. A rho that none of them can certify is left
    out: it was not measured.
    """
    ours, theirs = by_levels(test), by_levels(held_out)
    curves = {n: (certified_curve(theirs[n], rhos), certified_curve(ours[n], rhos)) for n in ours if n in theirs}
    found = []
    for place, rho in enumerate(rhos):
        able = [n for n in curves if n // 2 >= rho * PIXEL_STEPS - 1e-9]
        if able:
            levels = -max((curves[n][0][place].share, -n) for n in able)[1]
            found.append(Chosen(rho, levels, curves[levels][1][place]))
    return found


def standings(
    test: Sequence[Record],
    held_out: Sequence[Record],
    published: Sequence[Published],
    rhos: Sequence[float] = TABLE_RHOS,
) -> list[Standing]:
    """A row for every rho that was measured: what was `chosen` beside the best of `published`."""
    return [Standing(at.rho, at.levels, at.ours, best_at(published, at.rho)) for at in chosen(test, held_out, rhos)]
