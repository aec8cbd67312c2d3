"""Votes under way: shared, carried on, never lost."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app import runs
from app.runs import EstimateRun, VoteRun
from app.turns import NETWORK_THREAD, in_turn
from dssn_core import SplitNoise, certificate_from_votes, count_votes, load_model
from dssn_core.constants import PLURALITY
from dssn_core.monte_carlo import Plan, certify_randomized
from dssn_core.stored import Stored


class Darkness(torch.nn.Module):
    """Votes for the class that the mean of a sample falls into."""

    num_classes = 4
    manifest = SimpleNamespace(name="darkness")

    def forward(self, x, lam):
        place = (x.mean(dim=(1, 2, 3)) * 40).long() % 4
        return torch.nn.functional.one_hot(place, 4).float()


def a_run():
    image = torch.arange(48, dtype=torch.uint8).reshape(3, 4, 4) * 5
    noise = SplitNoise(1000, (3, 4, 4))
    return VoteRun(Darkness().eval(), image, noise, PLURALITY), image, noise


def test_a_run_carried_on_step_by_step_equals_one_count():
    run, image, noise = a_run()
    assert not run.finished
    while not run.finished:
        run.advance()
    assert run.state.votes.tolist() == count_votes(Darkness().eval(), image, noise).tolist()
    assert torch.tensor(run.labels).bincount(minlength=4).tolist() == run.state.votes.tolist()


def test_a_vote_counted_before_is_taken_over_as_it_ended():
    counted, _, _ = a_run()
    counted.finish()
    taken, _, _ = a_run()
    taken.take(Stored(counted.labels, {"seconds": 2.5, "processor": "another"}, 2.5))
    assert taken.finished and taken.seconds == 2.5 and taken.made == {"seconds": 2.5, "processor": "another"}
    assert taken.labels.tolist() == counted.labels.tolist()
    assert taken.known_radii(0.001) == counted.known_radii(0.001)[-1:]
    assert taken.advance().votes.tolist() == counted.state.votes.tolist()  # nothing is left to do


def test_a_file_of_a_vote_taken_over_says_how_that_was_counted():
    model = load_model("cifar10-dssn")
    image = torch.full((3, 32, 32), 100, dtype=torch.uint8)
    run = VoteRun(model, image, model.manifest.noise_at(20), PLURALITY)
    run.take(Stored(np.zeros(20, dtype=np.int64), {"seconds": 2.5}, 2.5))
    document = run.document(embed=False)
    assert document["made"] == {"seconds": 2.5}
    assert document["claim"]["votes"] == [20] + 9 * [0] and document["image"]["png"] is None


def test_a_long_run_keeps_a_part_of_its_states(monkeypatch):
    monkeypatch.setattr(runs, "MOST_STATES", 4)
    run, _, _ = a_run()
    run.finish()
    done = [done for done, _, _ in run.known_radii(0.001)]
    assert done == [252, 504, 756, 1000]  # every fourth of 16 chunks, evenly spread, and the last


def test_many_threads_on_one_run_compute_every_chunk_once():
    run, _, _ = a_run()
    passes = []
    run._model.register_forward_hook(lambda *_: passes.append(1))

    def finish():
        while not run.finished:
            run.advance()

    threads = [threading.Thread(target=finish) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.state.done == 1000
    assert len(passes) == 16 + 3  # the three look at a network that did not come from `load_model`
    assert (run.labels >= 0).all()


def test_whoever_sees_a_run_finished_sees_all_of_its_history():
    run, _, _ = a_run()
    known, seen = run._known, []
    run._known = lambda state: seen.append(run.finished) or known(state)
    run.finish()
    assert len(seen) == 16 and not any(seen)


def test_a_run_that_failed_begins_anew():
    run, image, noise = a_run()
    calls = []

    def fail_once(*_):
        calls.append(1)
        if len(calls) == 8:
            raise MemoryError

    run._model.register_forward_pre_hook(fail_once)
    with pytest.raises(MemoryError):
        run.finish()
    assert (run.state, run.done, run.seconds, run.known_radii(0.001)) == (None, 0, 0.0, [])
    assert run.finish().votes.tolist() == count_votes(Darkness().eval(), image, noise).tolist()
    assert len(run.known_radii(0.001)) == 16 and (run.labels >= 0).all()


def test_labels_stay_empty_where_nothing_has_voted():
    run, _, _ = a_run()
    state = run.advance()
    assert int((run.labels >= 0).sum()) == state.done < 1000


def test_an_estimate_carried_on_equals_one_in_one_call():
    image, plan = a_run()[1], Plan("uniform", 300, n0=50, n=900)
    run = EstimateRun(Darkness().eval(), image, plan)
    run.advance()
    known = run.known_radii(0.001)
    assert known == [(50, 0.0, 0.0)]
    for alpha in (0.001, 0.2):
        found, expected = (
            run.outcome(alpha),
            certify_randomized(Darkness().eval(), image, Plan("uniform", 300, 50, 900, alpha)),
        )
        assert (found.votes, found.radius, found.box_radius) == (expected.votes, expected.radius, expected.box_radius)
        steps = 255 * (found.radius or 0.0)
        assert run.known_radii(alpha)[-1] == (950, steps, steps)


def test_the_bounds_of_a_vote_close_at_its_certificate():
    run, image, noise = a_run()
    outcome = run.outcome(0.001)
    known = run.known_radii(0.001)
    lower, upper = [low for _, low, _ in known], [high for _, _, high in known]
    assert lower == sorted(lower) and upper == sorted(upper, reverse=True)
    assert known[-1] == (1000, outcome.radius_steps, outcome.radius_steps)
    assert outcome.radius == certificate_from_votes(count_votes(Darkness().eval(), image, noise), 1000).radius


def test_a_page_that_gives_up_its_turn_leaves_nothing_to_compute():
    run, _, _ = a_run()
    busy, free = threading.Event(), threading.Event()
    NETWORK_THREAD.submit(lambda: (busy.set(), free.wait(60)))  # somebody else's work
    assert busy.wait(60)

    def give_up():
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            run.advance(give_up)
    finally:
        free.set()
    in_turn(lambda: None)  # whatever was queued has been done
    assert run.state is None
    assert run.advance().done > 0


def test_what_a_run_cost_is_said_with_it():
    run, _, _ = a_run()
    assert run.outcome(0.001).passes == 16 * 63  # with the padding of the last chunk
    model = load_model("cifar10-dssn")
    vote = VoteRun(model, torch.full((3, 32, 32), 9, dtype=torch.uint8), model.manifest.noise_at(20), PLURALITY)
    vote.finish()
    assert vote.document(False)["made"]["seconds"] == round(vote.seconds, 3) > 0
