"""Our certified accuracy beside the paper's. The noise of each row is chosen on images that it is not reported on."""

from collections.abc import Sequence
from dataclasses import dataclass

from .constants import PIXEL_STEPS, sigma_from_levels
from .evaluation import Record, Share, best_levels, by_levels, certified_accuracy
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


def chosen_levels(test: Sequence[Record], held_out: Sequence[Record], rho: float) -> int:
    """The N that did best at rho on held-out training images, among those that both were evaluated at.

    ValueError if there is none that can certify rho at all.
    """
    both = {*by_levels(test)} & {*by_levels(held_out)}
    able = {levels for levels in both if levels // 2 >= rho * PIXEL_STEPS - 1e-9}
    return best_levels([record for record in held_out if record.levels in able], rho)


def choosable(test: Sequence[Record], held_out: Sequence[Record], rhos: Sequence[float]) -> list[float]:
    """Those of `rhos` that some N evaluated on both can certify."""
    both = {*by_levels(test)} & {*by_levels(held_out)}
    largest = max(both, default=0) // 2
    return [rho for rho in rhos if largest and rho * PIXEL_STEPS <= largest + 1e-9]


def standings(
    test: Sequence[Record],
    held_out: Sequence[Record],
    published: Sequence[Published],
    rhos: Sequence[float] = TABLE_RHOS,
) -> list[Standing]:
    """A row for every rho: the noise chosen on `held_out`, the figure from `test`, the best of `published`.

    There is no row for a rho that no N evaluated on both can certify: it was not measured.
    """
    groups = by_levels(test)
    rows = []
    for rho in choosable(test, held_out, rhos):
        levels = chosen_levels(test, held_out, rho)
        rows.append(Standing(rho, levels, certified_accuracy(groups[levels], rho), best_at(published, rho)))
    return rows
