"""One image's certificate in an evaluation: a line of JSON, checked when it is read."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from .certificate import Certificate, certificate_from_votes
from .checks import check_choice, check_shape
from .constants import COUNTINGS, DUELS, PIXEL_STEPS, PLURALITY, NoiseLevel
from .duels import DuelCertificate, bounds_of_first_choices, least_wins
from .manifest import Voter
from .monte_carlo import Plan, lower_confidence_bound, uniform_radius
from .splitting import PIXELWISE, Block


@dataclass(frozen=True)
class Sampling:
    """How a randomized method's votes were drawn, so that they can be drawn again; see `monte_carlo.Plan`."""

    method: str
    n0: int
    n: int
    alpha: float
    seed: int
    batch_size: int

    def plan(self, levels: int) -> Plan:
        return Plan(levels=levels, **vars(self))


@dataclass(frozen=True)
class Way:
    """How votes are made and counted: in which number format, with which draws, by what. Each is another classifier."""

    precision: str
    sampling: Sampling | None
    counting: str

    def __str__(self) -> str:
        drawn = {} if self.sampling is None else asdict(self.sampling)
        counted = [f"by {self.counting}"] if self.sampling is None else []
        return ", ".join([self.precision, *counted, *(f"{name} {value}" for name, value in drawn.items())])


@dataclass(frozen=True)
class Key:
    """What a record is about."""

    index: int
    levels: int
    image_sha256: str
    voter: Voter
    way: Way


@dataclass(frozen=True)
class Record(NoiseLevel):
    """One image's certificate. index: place in the data set. label: its true class. predicted: the certified one.

    radius_steps: R, of DSSN; None for a randomized method, whose `sampling` is given instead. precision: number format
    of the convolutions. file: the image's name in the data set, where it has one. block: pixels split together.
    offsets: their scheme and seed, which older records do not name. counting: of DSSN's votes, one of `COUNTINGS`.
    wins: by duels, as a `DuelCertificate` has them, or at least so many, see `at_least`.
    """

    index: int
    levels: int
    weights_sha256: str
    precision: str
    image_sha256: str
    label: int
    predicted: int
    radius_steps: int | None
    votes: tuple[int, ...]
    seconds: float
    sampling: Sampling | None = None
    file: str = ""
    block: Block = PIXELWISE
    offsets: str = "r2 0"
    counting: str = PLURALITY
    wins: tuple[int, ...] = ()

    @property
    def key(self) -> Key:
        return Key(self.index, self.levels, self.image_sha256, self.voter, self.way)

    @property
    def voter(self) -> Voter:
        return Voter(self.weights_sha256, self.offsets, self.block)

    @property
    def way(self) -> Way:
        return Way(self.precision, self.sampling, self.counting)

    @property
    def right(self) -> bool:
        return self.label == self.predicted

    @cached_property
    def at_least(self) -> bool:
        """Whether its wins by duels are those of first choices alone, as of `recount`, and its radius may be larger."""
        if self.counting != DUELS or self.wins != least_wins(self.votes, self.predicted):
            return False
        return self.certificate.radius_steps < bounds_of_first_choices(self.votes, self.levels).upper

    @property
    def certificate(self) -> Certificate:
        """What DSSN's votes prove, as far as they are told, see `at_least`; ValueError for what cannot be counted."""
        if self.counting == DUELS:
            return DuelCertificate(self.levels, self.votes, self.predicted, self.wins)
        return certificate_from_votes(self.votes, self.levels)

    @property
    def by_plurality(self) -> "Record":
        """The record of the same votes, counted by first choices alone. Of DSSN."""
        plain = certificate_from_votes(self.votes, self.levels)
        return replace(self, counting=PLURALITY, wins=(), predicted=plain.label, radius_steps=plain.radius_steps)

    @cached_property
    def radius_in_steps(self) -> float | None:
        """The certified radius in steps of 1/255, whole for DSSN; None for an abstention."""
        if self.sampling is None:
            return self.radius_steps
        p_lower = lower_confidence_bound(self.votes[self.predicted], sum(self.votes), self.sampling.alpha)
        radius = uniform_radius(p_lower, self.lam)
        return None if radius is None else radius * PIXEL_STEPS

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(found: dict[str, Any]) -> "Record":
        """ValueError unless `found` is what `to_json` gives, and what it claims follows from its votes.

        Two answers are taken as stated, for the record does not hold what they follow from: a randomized method's
        class, which the selection samples chose; and by duels the answer where no class wins all of its own.
        """
        try:
            sampling = Sampling(**found["sampling"]) if found.get("sampling") else None
            block = check_shape(found.get("block", PIXELWISE), "block")
            rows = {name: tuple(found.get(name, ())) for name in ("votes", "wins")}
            record = Record(**{**found, **rows, "sampling": sampling, "block": block})
            record._check()
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is not a record of an evaluation, {error}: {found!r:.200}") from error
        return record

    def _check(self) -> None:
        """ValueError for what is of the wrong kind, and for claims that the votes do not bear out."""
        steps = () if self.radius_steps is None else (self.radius_steps,)
        counts = (self.index, self.levels, self.label, self.predicted, *steps, *self.votes, *self.wins)
        texts = (self.weights_sha256, self.precision, self.image_sha256, self.file, self.offsets)
        _require(all(type(n) is int and n >= 0 for n in counts), "every count must be an integer of 0 or more")
        _require(all(isinstance(text, str) for text in texts), "hashes, number format, file and offsets must be text")
        _require(isinstance(self.seconds, int | float), f"seconds must be a number, got {self.seconds!r}")
        _require(max(self.label, self.predicted) < len(self.votes), "label and predicted must be classes with votes")
        check_choice("counting", self.counting, COUNTINGS)
        _require(not self.wins or self.counting == DUELS, "only duels have wins")
        if self.sampling is None:
            certificate = self.certificate
            followed = certificate.label, certificate.radius_steps
            _require(followed == (self.predicted, self.radius_steps), "answer or radius is not that of the votes")
        else:
            _require(self.counting == PLURALITY, "a randomized method counts first choices")
            _require(self.radius_steps is None, "a randomized method states no radius_steps")
            samples = self.sampling.plan(self.levels).n
            _require(sum(self.votes) == samples, f"votes must add up to {samples}, got {sum(self.votes)}")


def _require(fits: bool, otherwise: str) -> None:
    if not fits:
        raise ValueError(otherwise)


def by_levels(records: Iterable[Record]) -> dict[int, list[Record]]:
    """Records by N, ascending."""
    groups: dict[int, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.levels):
        groups.setdefault(record.levels, []).append(record)
    return groups


@dataclass(frozen=True)
class Part:
    """The images of a data set whose file names match the pattern `files` and not the pattern `but`, as in a shell."""

    files: str = "*"
    but: str = ""

    def __contains__(self, name: str) -> bool:
        return fnmatchcase(name, self.files) and not (self.but and fnmatchcase(name, self.but))

    def __str__(self) -> str:
        """How a manifest names it; empty for the whole."""
        return f", files {self.files}" * (self.files != "*") + f" but {self.but}" * bool(self.but)

    def of(self, records: Iterable[Record]) -> list[Record]:
        return [record for record in records if record.file in self]


WHOLE = Part()
