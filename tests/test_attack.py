"""One step, one sample, at most one vote."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dssn_core import SplitNoise, Vote, tally
from dssn_core.attack import (
    Poked,
    Step,
    changed_index,
    distance,
    guided_step,
    poke,
    random_step,
    random_walk,
    steps_that_change,
    undo,
    vote_of,
)
from dssn_core.offsets import OFFSET_SCHEMES
from dssn_core.voting import complete
from tests.toys import Toy

SHAPE = (2, 3, 3)
BLOCKS = [(1, 1, 1), (2, 1, 1), (1, 3, 1)]


def an_image(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, SHAPE, generator=generator, dtype=torch.uint8)


def start(levels=60, seed=0, kind="linear", block=(1, 1, 1)):
    model, noise, image = Toy(SHAPE, 3, seed=seed, kind=kind), SplitNoise(levels, SHAPE, block=block), an_image(seed)
    labels = np.zeros(levels, dtype=np.int64)
    for state in tally(model, image, noise, 16):
        labels[state.indices] = state.labels
    return model, noise, Poked(image, image, labels)


def recounted(model, image, noise):
    return list(tally(model, image, noise, 16))[-1].votes.tolist()


@given(st.integers(2, 8192), st.sampled_from(OFFSET_SCHEMES), st.sampled_from(BLOCKS), st.integers(0, 10_000))
def test_a_step_changes_exactly_the_sample_that_is_foretold(levels, scheme, block, seed):
    noise = SplitNoise(levels, SHAPE, scheme, block=block)
    image = an_image(seed)
    step = random_step(image, torch.Generator().manual_seed(seed))
    index = changed_index(image, noise, step)
    after = step.applied(image)
    neighbours = torch.tensor([(index + offset) % levels for offset in (-1, 0, 1, levels // 2)]).unique()
    changed = (noise.numerators_at(image, neighbours) != noise.numerators_at(after, neighbours)).flatten(1).any(1)
    assert neighbours[changed].tolist() == [index]


def test_no_other_sample_changes():
    noise, image = SplitNoise(441, SHAPE), an_image()
    step = Step(1, 2, 0, 1)
    before, after = (noise.numerators(x, 0, 441) for x in (image, step.applied(image)))
    changed = torch.nonzero((before != after).flatten(1).any(1)).flatten()
    assert changed.tolist() == [changed_index(image, noise, step)]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("kind", ["linear", "hash"])
def test_poking_keeps_the_books_straight(kind, block):
    model, noise, state = start(kind=kind, block=block)
    generator = torch.Generator().manual_seed(1)
    for _ in range(40):
        state = poke(model, state, noise, random_step(state.image, generator), 16)
        assert list(Vote.of_labels(state.labels, 3).certificate.votes) == recounted(model, state.image, noise)
        assert state.spent == distance(state.image, state.original)
        before = complete(tally(model, state.original, noise, 16)).labels
        after = complete(tally(model, state.image, noise, 16)).labels
        assert state.moved(before) == sum(a != b for a, b in zip(before, after, strict=True)) <= state.spent


def test_undo_goes_all_the_way_back():
    model, noise, first = start()
    state = first
    for seed in range(10):
        state = poke(model, state, noise, random_step(state.image, torch.Generator().manual_seed(seed)), 16)
    while state.moves:
        state = undo(state)
    assert torch.equal(state.image, first.image)
    assert state.labels.tolist() == first.labels.tolist()
    assert state.spent == 0
    assert undo(state) is state


def test_stepping_back_refunds():
    model, noise, state = start()
    there = poke(model, state, noise, Step(0, 0, 0, 1), 16)
    back = poke(model, there, noise, Step(0, 0, 0, -1), 16)
    assert (there.spent, back.spent) == (1, 0)
    assert back.labels.tolist() == state.labels.tolist()


def test_one_vote_alone_is_the_tallys():
    model, noise, state = start()
    assert [vote_of(model, state.image, noise, j, 16) for j in range(60)] == state.labels.tolist()
    with pytest.raises(ValueError, match="0 to 59"):
        vote_of(model, state.image, noise, 60, 16)


@pytest.mark.parametrize("block", BLOCKS)
def test_all_steps_that_change_a_sample_are_found(block):
    _, noise, state = start(levels=9, block=block)
    found = {j: {s for c in (1, -1) for s in steps_that_change(state.image, noise, j, c)} for j in range(9)}
    for channel, row, column in np.ndindex(*SHAPE):
        for change in (1, -1):
            step = Step(channel, row, column, change)
            if 0 <= int(state.image[step.place]) + change <= 255:
                assert [j for j, steps in found.items() if step in steps] == [changed_index(state.image, noise, step)]


@pytest.mark.parametrize("block", BLOCKS)
def test_guided_steps_move_more_votes_than_random_ones_but_never_beat_the_certificate(block):
    moved = {"guided": 0, "random": 0}
    for seed in range(4):
        model, noise, first = start(levels=300, seed=seed, block=block)
        certificate = Vote.of_labels(first.labels, 3).certificate
        generator = torch.Generator().manual_seed(seed)
        for kind in moved:
            state = first
            for _ in range(min(20, certificate.radius_steps)):
                step = guided_step(model, state, noise, certificate.label)
                if kind == "random" or step is None:
                    step = random_step(state.image, generator)
                state = poke(model, state, noise, step)
            after = Vote.of_labels(state.labels, 3).certificate
            assert after.label == certificate.label
            moved[kind] += certificate.votes[certificate.label] - after.votes[certificate.label]
    assert moved["guided"] > moved["random"]


def a_linear_model():
    torch.manual_seed(0)
    network = torch.nn.Linear(int(np.prod(SHAPE)), 3)
    return lambda x, lam: network(x.flatten(1))


def test_others_get_their_turn_between_the_passes_of_a_guided_step(monkeypatch):
    model, noise, image = a_linear_model(), SplitNoise(9, SHAPE), an_image()
    first = Poked(image, image, complete(tally(model, image, noise)).labels)
    label = int(np.bincount(first.labels).argmax())
    expected = guided_step(model, first, noise, label)
    monkeypatch.setattr("dssn_core.attack.fitting_batch_size", lambda shape: 2)
    rows: list[list[int]] = []

    def watched(x, lam):
        rows[-1].append(len(x))
        return model(x, lam)

    def work(piece):
        rows.append([])
        found = piece()
        rows.append([])  # passes outside of any work would show here
        return found

    assert guided_step(watched, first, noise, label, tried=1000, work=work) == expected
    assert max(rows[::2]) == [2] and not any(rows[1::2])


def test_a_guided_step_follows_the_networks_slope_where_it_cannot_try_all():
    model, noise, image = a_linear_model(), SplitNoise(9, SHAPE), an_image()
    first = Poked(image, image, complete(tally(model, image, noise)).labels)
    labels = first.labels
    label = int(np.bincount(labels).argmax())
    # On a linear network the slope tells all: the best of few is the best of all.
    best, few = (guided_step(model, first, noise, label, tried=tried, searched=1) for tried in (1000, 1))
    assert best is not None and few is not None

    def lead(step):
        j = changed_index(image, noise, step)
        logits = model(noise.samples(step.applied(image), j, j + 1), noise.lam)[0].detach().numpy()
        return logits[label] - np.delete(logits, label).max()

    assert lead(few) <= lead(best) + 1e-5


def test_nothing_to_guide_where_nobody_votes_for_the_label():
    model, noise, state = start()
    absent = next(c for c in range(4) if c not in state.labels)
    assert guided_step(model, state, noise, absent) is None


def test_a_random_walk_spends_exactly_its_steps():
    image = an_image()
    for steps in (0, 1, 50, 400):
        assert distance(random_walk(image, steps, torch.Generator().manual_seed(steps)), image) == steps


def test_a_walk_longer_than_the_room_ends():
    image = torch.tensor([[[1]]], dtype=torch.uint8)
    assert distance(random_walk(image, 10_000, torch.Generator().manual_seed(0)), image) == 1


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step(0, 0, 0, 2), r"\+1 or -1"),
        (Step(0, 3, 0, 1), "no pixel"),
        (Step(0, 0, 0, -1), "must stay within"),
    ],
)
def test_impossible_steps_are_refused(step, message):
    with pytest.raises(ValueError, match=message):
        step.applied(torch.zeros(SHAPE, dtype=torch.uint8))


@pytest.mark.parametrize("block", BLOCKS)
def test_guided_steps_lead_away_from_the_original(block):
    for seed in range(8):
        model, noise, state = start(levels=30, seed=seed, block=block)
        label = Vote.of_labels(state.labels, 3).certificate.label
        for spent in range(1, 20):
            step = guided_step(model, state, noise, label)
            if step is None:
                break
            state = poke(model, state, noise, step)
            assert state.spent == spent


def test_of_all_steps_the_best_is_taken():
    model, noise, image = a_linear_model(), SplitNoise(9, SHAPE), an_image()
    first = Poked(image, image, complete(tally(model, image, noise)).labels)
    label = int(np.bincount(first.labels).argmax())

    def lead(step):
        index = changed_index(image, noise, step)
        logits = model(noise.samples(step.applied(image), index, index + 1), noise.lam)[0].detach().numpy()
        return logits[label] - np.delete(logits, label).max()

    voters = np.flatnonzero(first.labels == label).tolist()
    steps = [step for j in voters for change in (1, -1) for step in steps_that_change(image, noise, j, change)]
    found = guided_step(model, first, noise, label, searched=9, tried=1000)
    assert lead(found) == pytest.approx(min(map(lead, steps)), abs=1e-5)
