"""Votes and estimates under way, chunk by chunk, each in its turn.

A run belongs to no session: whoever looks at it next carries it on.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from torch import Tensor

from app.turns import in_turn
from dssn_core import PIXEL_STEPS, SplitNoise, Tally, Vote, tally
from dssn_core.certificate_file import Document, make
from dssn_core.classifier import Classifier
from dssn_core.comparison import Outcome, exact_outcome, randomized_outcome
from dssn_core.images import image_sha256
from dssn_core.layout import ChunkLayout
from dssn_core.monte_carlo import (
    Estimation,
    Plan,
    estimate,
    lower_confidence_bound,
    randomized_certificate,
    uniform_radius,
)
from dssn_core.stored import Stored
from dssn_core.voting import VoteState


class Progress(Protocol):
    """How far a computation has come, in samples."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int: ...


S = TypeVar("S", bound=Progress)

MOST_STATES = 256


class Run(ABC, Generic[S]):
    """A computation over many samples of one image, as far as it has come."""

    def __init__(self, model: Classifier, image: Tensor, total: int) -> None:
        self.total = total
        self.seconds = 0.0
        """Time spent on it so far, waiting for a turn not counted."""
        self.state: S | None = None
        self.history: list[tuple[int, int, int]] = []
        """`_known` after every chunk; of a long run after every second one, fourth one and so on, and the last."""
        self._chunks, self._stride = 0, 1
        self._model, self.image = model, image
        self._states: Iterator[S] | None = None

    @abstractmethod
    def _begin(self) -> Iterator[S]:
        """The states from the start, chunk by chunk."""

    @staticmethod
    @abstractmethod
    def _known(state: S) -> tuple[int, int, int]:
        """What `known_radii` needs of a state; first the samples done."""

    @abstractmethod
    def known_radii(self, alpha: float) -> list[tuple[int, float, float]]:
        """After every chunk so far: samples done, and lower and upper bound of the radius in steps, whole for DSSN.

        alpha: of a randomized method.
        """

    @abstractmethod
    def outcome(self, alpha: float) -> Outcome:
        """What the finished run says, a randomized one at `alpha`."""

    @property
    def model_name(self) -> str:
        return self._model.manifest.name

    @property
    def done(self) -> int:
        return 0 if self.state is None else self.state.done

    @property
    def finished(self) -> bool:
        return self.done == self.total

    def _step(self) -> S:
        if self.state is not None and self.finished:  # another session was faster
            return self.state
        began = time.perf_counter()
        try:
            self._states = self._states or self._begin()
            state = next(self._states)
        except BaseException:  # a generator that has failed is at its end: whoever asks next begins anew
            self._states, self.state, self.history = None, None, []
            self.seconds, self._chunks, self._stride = 0.0, 0, 1
            raise
        self.seconds += time.perf_counter() - began
        self._chunks += 1
        if state.done == self.total:
            self._states = None  # with its copies of picture and offsets
        if self._chunks % self._stride == 0 or state.done == self.total:
            self.history.append(self._known(state))
        if len(self.history) > MOST_STATES and state.done < self.total:
            self.history, self._stride = self.history[1::2], 2 * self._stride
        self.state = state  # last: who sees a finished run, in another session, sees all of its history
        return state

    def advance(self, waiting: Callable[[], object] = lambda: None) -> S:
        """Compute one more chunk, if any are left, and return the state. waiting: as for `in_turn`."""
        return in_turn(self._step, waiting)

    def finish(self) -> S:
        while (state := self.state) is None or state.done < self.total:
            self.advance()
        return state


class VoteRun(Run[VoteState]):
    """One image's DSSN vote, counted by one of `COUNTINGS`.

    labels: each sample's first choice, in index order; -1 where it has not voted yet.
    """

    def __init__(self, model: Classifier, image: Tensor, noise: SplitNoise, counting: str) -> None:
        super().__init__(model, image, noise.levels)
        self.noise, self.counting = noise, counting
        self.labels = np.full(noise.levels, -1, dtype=np.int64)
        self.made: dict[str, Any] | None = None
        """How it was counted, where that was not here."""

    def _begin(self) -> Iterator[Tally]:
        self.labels[:] = -1
        for state in tally(self._model, self.image, self.noise, counting=self.counting):
            self.labels[state.indices] = state.labels
            yield state

    @staticmethod
    def _known(state: VoteState) -> tuple[int, int, int]:
        bounds = state.bounds
        return state.done, bounds.lower, bounds.upper

    def known_radii(self, alpha: float) -> list[tuple[int, float, float]]:
        return [*self.history]

    def take(self, stored: Stored) -> None:
        """Take over a vote that was counted before, as it ended."""
        self.labels[:] = stored.labels
        self.state = Vote.of_labels(self.labels, self._model.num_classes)
        self.history.append(self._known(self.state))
        self.made, self.seconds = stored.made, stored.seconds

    def document(self, embed: bool) -> Document:
        """The finished vote as a certificate file, with the picture in it or without."""
        vote = Vote(self.finish().counts, self.total, self.labels.copy())
        return make(self._model, self.image, vote, seconds=self.seconds, embed=embed, made=self.made)

    def outcome(self, alpha: float) -> Outcome:
        certificate = self.finish().certificate
        passes = ChunkLayout.for_images(self.total, self.noise.shape).passes
        return exact_outcome(certificate, passes, self.model_name, image_sha256(self.image), self.seconds)


class EstimateRun(Run[Estimation]):
    """One image's counts under a randomized method. They serve every alpha: that of its plan has no meaning."""

    def __init__(self, model: Classifier, image: Tensor, plan: Plan) -> None:
        super().__init__(model, image, plan.total)
        self.plan = plan

    def _begin(self) -> Iterator[Estimation]:
        return estimate(self._model, self.image, self.plan)

    @staticmethod
    def _known(state: Estimation) -> tuple[int, int, int]:
        return state.done, int(state.votes[state.label]), int(state.votes.sum())

    def known_radii(self, alpha: float) -> list[tuple[int, float, float]]:
        """Previews, both bounds the same: the certificate counts when all samples are in."""
        found = []
        for done, own, total in list(self.history):
            preview = uniform_radius(lower_confidence_bound(own, total, alpha), self.plan.lam) or 0.0
            found.append((done, preview * PIXEL_STEPS, preview * PIXEL_STEPS))
        return found

    def outcome(self, alpha: float) -> Outcome:
        state = replace(self.finish(), plan=replace(self.plan, alpha=alpha))
        certificate = randomized_certificate(state)
        return randomized_outcome(certificate, self.model_name, image_sha256(self.image), self.seconds)
