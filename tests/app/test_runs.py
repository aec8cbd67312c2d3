"""Votes under way: shared, carried on, never lost."""

import threading

import torch

from app.runs import VoteRun
from dssn_core import SplitNoise, count_votes


class Darkness(torch.nn.Module):
    """Votes for the class that the mean of a sample falls into."""

    num_classes = 4

    def forward(self, x, lam):
        place = (x.mean(dim=(1, 2, 3)) * 40).long() % 4
        return torch.nn.functional.one_hot(place, 4).float()


def a_run():
    image = torch.arange(48, dtype=torch.uint8).reshape(3, 4, 4) * 5
    noise = SplitNoise(1000, (3, 4, 4))
    return VoteRun(Darkness().eval(), image, noise), image, noise


def test_a_run_carried_on_step_by_step_equals_one_count():
    run, image, noise = a_run()
    assert not run.finished
    while not run.finished:
        run.advance()
    assert run.state.votes.tolist() == count_votes(Darkness().eval(), image, noise).tolist()
    assert torch.tensor(run.labels).bincount(minlength=4).tolist() == run.state.votes.tolist()


def test_many_threads_on_one_run_compute_every_chunk_once():
    run, _, _ = a_run()

    def finish():
        while not run.finished:
            run.advance()

    threads = [threading.Thread(target=finish) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.state.done == 1000
    assert (run.labels >= 0).all()


def test_labels_stay_empty_where_nothing_has_voted():
    run, _, _ = a_run()
    state = run.advance()
    assert int((run.labels >= 0).sum()) == state.done < 1000
    assert run.seconds_left > 0
