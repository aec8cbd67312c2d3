"""Our certified accuracy beside the paper's. Network and noise are chosen on images that they are not reported on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from .accuracy import Share, certified_curve
from .checkpoints import read_manifest
from .constants import largest_steps, sigma_from_levels, steps_needed
from .files import resolved
from .paper import Published, best_at
from .record_files import HELD_OUT, TEST, kept_records
from .records import WHOLE, Part, Record, by_levels

TABLE_RHOS = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
"""The radii of the paper's headline, and 0.25, where its networks certify more images than ours."""


@dataclass(frozen=True)
class Evaluated:
    """A network's records, of test images and of the held-out training images that choices are made on."""

    network: str
    test: Sequence[Record]
    held_out: Sequence[Record]

    @staticmethod
    def read(folder: Path, part: Part = WHOLE) -> "Evaluated":
        """The records of the model in a folder; of test images those of a part.

        Records of one that has been there before, with other weights, are left out.
        """
        manifest = read_manifest(folder)
        test, held_out = (kept_records(folder, shelf, manifest) for shelf in (TEST, HELD_OUT))
        return Evaluated(folder.name or resolved(folder).name, part.of(test), held_out)

    def by_plurality(self) -> "Evaluated":
        """What the same votes come to if first choices alone are counted. Of DSSN."""
        test, held_out = ([record.by_plurality for record in records] for records in (self.test, self.held_out))
        return Evaluated(self.network, test, held_out)


@dataclass(frozen=True)
class Chosen:
    """At one rho: the network and its N chosen on held-out images, and how its votes are counted there.

    Of test images: how many are answered right, and how many are certified at rho too.
    """

    rho: float
    network: str
    levels: int
    counting: str
    right: Share
    certified: Share

    @property
    def kept(self) -> Share | None:
        """The share of the right answers that are certified at rho; None where there are none."""
        return Share(self.certified.count, self.right.count) if self.right.count else None


class Side(StrEnum):
    """Of a figure beside another one. OPEN: the difference may be chance."""

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"


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
    def side(self) -> Side:
        """Where ours lies beside the paper's figure, by our interval, which knows nothing of the paper's own error."""
        low, high = self.ours.certified.percent_interval
        return Side.ABOVE if low > self.published else Side.BELOW if high < self.published else Side.OPEN

    @property
    def published_kept(self) -> float:
        """As `Chosen.kept`, of the paper's classifier, in percent."""
        return 100 * self.published / self.theirs.certified_accuracy[0.0]

    def row(self) -> dict[str, Any]:
        """The standing as a row of a table, in percent: our figures are never more than they are."""
        ours, kept = self.ours, self.ours.kept
        low, high = ours.certified.percent_interval
        return {
            "network": ours.network,
            "rho": ours.rho,
            "ours": ours.certified.percent,
            "ours_95_low": low,
            "ours_95_high": high,
            "ours_sigma": round(sigma_from_levels(ours.levels), 4),
            "ours_levels": ours.levels,
            "ours_counting": ours.counting,
            "ours_images": ours.certified.images,
            "paper": self.published,
            "paper_sigma": self.theirs.sigma,
            "paper_training": self.theirs.training,
            "difference": self.difference,
            "side": self.side.value,
            "ours_kept": None if kept is None else kept.percent,
            "paper_kept": round(self.published_kept, 2),
        }


def markdown(rows: Sequence[Standing]) -> str:
    """The rows as a table in Markdown, to keep in a text."""
    heads = ("ρ", "ours, %", "95 % interval", "network", "σ", "votes by", "images", "paper, %", "difference")
    form = (
        "| {rho:g} | {ours:.2f} | {ours_95_low:.2f} – {ours_95_high:.2f} | `{network}` | {ours_sigma:.2f} "
        "| {ours_counting} | {ours_images:,} | {paper:.2f} | {difference:+.2f} |"
    )
    lines = [form.format(**row.row()) for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", "| --- " * len(heads) + "|", *lines])


def chosen(networks: Sequence[Evaluated], rhos: Sequence[float]) -> list[Chosen]:
    """For every rho a network and its N, chosen on held-out images among those evaluated on both sets in one way.

    The lower end of the 95 % interval decides, for a share of few images may be luck. Of some that do equally well the
    smallest N is taken, which is cheapest, and of those the first network. A rho that none of them can certify is left
    out: it was not measured.
    """
    curves = [
        (one.network, n, test[n][0].counting, certified_curve(held_out, rhos), certified_curve(test[n], [0.0, *rhos]))
        for one in networks
        for test in [by_levels(one.test)]
        for n, held_out in by_levels(one.held_out).items()
        if n in test and test[n][0].way == held_out[0].way
    ]
    found = []
    for place, rho in enumerate(rhos):
        able = [curve for curve in curves if largest_steps(curve[1]) >= steps_needed(rho)]
        if able:
            best = max(able, key=lambda c: (c[3][place].interval[0], -c[1]))
            network, levels, counting, _, (right, *certified) = best
            found.append(Chosen(rho, network, levels, counting, right, certified[place]))
    return found


def on_shared_images(networks: Sequence[Evaluated], rhos: Sequence[float]) -> list[Evaluated]:
    """The networks with records of those test images only that all `chosen` of them are measured on.

    So their figures at different rho may be compared. What is chosen stays the same. ValueError if there are none.
    """
    used = {(at.network, at.levels) for at in chosen(networks, rhos)}
    measured = [
        {(record.index, record.image_sha256) for record in records}
        for one in networks
        for levels, records in by_levels(one.test).items()
        if (one.network, levels) in used
    ]
    shared = set[tuple[int, str]]().union(*measured).intersection(*measured)
    if used and not shared:
        raise ValueError("no test image is one that all rows are measured on")
    return [
        replace(one, test=[record for record in one.test if (record.index, record.image_sha256) in shared])
        for one in networks
    ]


def standings(
    networks: Sequence[Evaluated], published: Sequence[Published], rhos: Sequence[float] = TABLE_RHOS
) -> list[Standing]:
    """A row for every rho that was measured: what was `chosen` beside the best of `published`."""
    return [Standing(at, best_at(published, at.rho)) for at in chosen(networks, rhos)]
