"""Votes and estimates under way, chunk by chunk, on one worker thread.

All network passes run on that thread in order of asking, so that many sessions get fair turns on few cores, and a
session that goes away leaves nothing running. A run belongs to no session: whoever looks at it next carries it on.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

import numpy as np
from torch import Tensor

from dssn_core import PIXEL_STEPS, SplitNoise, Tally, tally
from dssn_core.monte_carlo import Estimation, Plan, estimate, uniform_radius
from dssn_core.networks import Classifier

T = TypeVar("T")

WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="network")


def network_work(work: Callable[[], T]) -> T:
    """Do some work with a network on the worker thread, in its turn."""
    return WORKER.submit(work).result()


class Progress(Protocol):
    """How far a computation has come, in samples."""

    @property
    def done(self) -> int: ...

    @property
    def total(self) -> int: ...


S = TypeVar("S", bound=Progress)


class Run(ABC, Generic[S]):
    """A computation over many samples of one image, as far as it has come."""

    def __init__(self, model: Classifier, image: Tensor, total: int) -> None:
        self.total = total
        self.seconds = 0.0
        """Time spent on it so far, waiting for a turn not counted."""
        self.state: S | None = None
        self.history: list[tuple[int, float, float]] = []
        """After every chunk: samples done, and the bounds of the radius as known by then, on the [0, 1] scale."""
        self._model, self._image = model, image

    @abstractmethod
    def _next(self) -> S:
        """The state after one more chunk."""

    @abstractmethod
    def _bounds(self, state: S) -> tuple[float, float]:
        """Lower and upper bound of the radius at `state`."""

    @property
    def done(self) -> int:
        return 0 if self.state is None else self.state.done

    @property
    def finished(self) -> bool:
        return self.done == self.total

    @property
    def seconds_left(self) -> float:
        """Estimate from the speed so far."""
        return self.seconds / self.done * (self.total - self.done) if self.done else float("nan")

    def _step(self) -> None:
        if self.finished:  # another session was faster
            return
        began = time.perf_counter()
        state = self._next()
        self.history.append((state.done, *self._bounds(state)))
        self.seconds += time.perf_counter() - began
        self.state = state

    def advance(self) -> S:
        """Compute one more chunk, if any are left, and return the state."""
        network_work(self._step)
        assert self.state is not None
        return self.state

    def finish(self) -> S:
        while not self.finished:
            self.advance()
        assert self.state is not None
        return self.state


class VoteRun(Run[Tally]):
    """One image's DSSN vote. labels: the class each sample voted for, in index order; -1 where it has not yet."""

    def __init__(self, model: Classifier, image: Tensor, noise: SplitNoise) -> None:
        super().__init__(model, image, noise.levels)
        self.noise = noise
        self.labels = np.full(noise.levels, -1, dtype=np.int64)

    def _next(self) -> Tally:
        state = next(tally(self._model, self._image, self.noise, resume=self.state))
        self.labels[state.indices] = state.labels
        return state

    def _bounds(self, state: Tally) -> tuple[float, float]:
        return state.bounds.lower / PIXEL_STEPS, state.bounds.upper / PIXEL_STEPS


class EstimateRun(Run[Estimation]):
    """One image's estimate under a randomized method. Its bounds are previews: only the last one is a certificate."""

    def __init__(self, model: Classifier, image: Tensor, plan: Plan) -> None:
        super().__init__(model, image, plan.total)
        self.plan = plan

    def _next(self) -> Estimation:
        return next(estimate(self._model, self._image, self.plan, resume=self.state))

    def _bounds(self, state: Estimation) -> tuple[float, float]:
        preview = uniform_radius(state.p_lower, self.plan.lam) if state.votes.any() else None
        return preview or 0.0, preview or 0.0
