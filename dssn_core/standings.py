"""Our certified accuracy beside the paper's. The noise of each row is chosen on images that it is not reported on."""

from collections.abc import Sequence
from dataclasses import dataclass

from .constants import PIXEL_STEPS, rounded_down, sigma_from_levels
from .evaluation import Record, Share, by_levels, certified_curve
from .paper import Published, best_at

TABLE_RHOS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
"""The radii of the paper's headline."""


@dataclass(frozen=True)
class Chosen:
    """At one rho: the N that did best on held-out images. Of test images: answered right, and certified at rho too."""

    rho: float
    levels: int
    right: Share
    certified: Share

    @property
    def kept(self) -> Share | None:
        """The share of the right answers that are certified at rho; None where there are none."""
        return Share(self.certified.count, self.right.count) if self.right.count else None


@dataclass(frozen=True)
class Standing:
    """One rho. ours: the `Chosen` of it. theirs: the paper's best classifier at rho."""

    ours: Chosen
    theirs: Published

    @property
    def published(self) -> float:
        """The paper's figure, in percent."""
        return self.theirs.certified_accuracy[self.ours.rho]

    @property
    def difference(self) -> float:
        """Ours minus theirs, in points of percent, to hundredths."""
        return round(self.ours.certified.percent - self.published, 2)

    @property
    def published_kept(self) -> float:
        """As `Chosen.kept`, of the paper's classifier, in percent."""
        return 100 * self.published / self.theirs.certified_accuracy[0.0]

    def row(self) -> dict[str, object]:
        """The standing as a row of a table, in percent: our figures are never more than they are."""
        ours, kept = self.ours, self.ours.kept
        low, high = ours.certified.interval
        return {
            "rho": ours.rho,
            "ours": ours.certified.percent,
            "ours_95_low": float(rounded_down(100 * low, 2)),
            "ours_95_high": -float(rounded_down(-100 * high, 2)),
            "ours_sigma": round(sigma_from_levels(ours.levels), 4),
            "ours_levels": ours.levels,
            "ours_images": ours.certified.images,
            "paper": self.published,
            "paper_sigma": self.theirs.sigma,
            "paper_training": self.theirs.training,
            "difference": self.difference,
            "ours_kept": None if kept is None else kept.percent,
            "paper_kept": round(self.published_kept, 2),
        }


def chosen(test: Sequence[Record], held_out: Sequence[Record], rhos: Sequence[float]) -> list[Chosen]:
    """The noise of every rho, chosen on held-out training images among the N that both sets were evaluated at.

    Of two that do equally well the smaller is taken, which is cheaper. A rho that none of them can certify is left
    out: it was not measured.
    """
    ours, theirs = by_levels(test), by_levels(held_out)
    curves = {
        n: (certified_curve(theirs[n], rhos), certified_curve(ours[n], [0.0, *rhos])) for n in ours if n in theirs
    }
    found = []
    for place, rho in enumerate(rhos):
        able = [n for n in curves if n // 2 >= rho * PIXEL_STEPS - 1e-9]
        if able:
            levels = -max((curves[n][0][place].share, -n) for n in able)[1]
            right, *certified = curves[levels][1]
            found.append(Chosen(rho, levels, right, certified[place]))
    return found


def standings(
    test: Sequence[Record],
    held_out: Sequence[Record],
    published: Sequence[Published],
    rhos: Sequence[float] = TABLE_RHOS,
) -> list[Standing]:
    """A row for every rho that was measured: what was `chosen` beside the best of `published`."""
    return [Standing(at, best_at(published, at.rho)) for at in chosen(test, held_out, rhos)]
