from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from dssn_core import SplitNoise, certificate_from_votes, certify, count_votes, radius_bounds, tally
from dssn_core.counts import Counts
from dssn_core.layout import ChunkLayout
from dssn_core.manifest import StatedOffsets
from dssn_core.voting import Vote, complete
from tests.test_checkpoints import small_manifest
from tests.toys import Constant, Fixed, Toy

SHAPE = (1, 2, 3)
IMAGE = torch.tensor([[[0, 50, 100], [150, 200, 255]]], dtype=torch.uint8)


def noise_of(levels=100):
    return SplitNoise(levels, SHAPE, "r2")


def naive_votes(model, image, noise):
    """One sample at a time, in order."""
    votes = [0] * model.num_classes
    for j in range(noise.levels):
        logits = model(noise.samples(image, j, j + 1), noise.lam)[0].tolist()
        votes[logits.index(max(logits))] += 1
    return votes


# --- the vote ---


@pytest.mark.parametrize("kind", ["linear", "hash"])
@pytest.mark.parametrize("levels", [2, 20, 255, 441])
def test_votes_are_those_of_a_naive_loop(kind, levels):
    model, noise = Toy(SHAPE, 4, seed=levels, kind=kind), noise_of(levels)
    votes = count_votes(model, IMAGE, noise, batch_size=64)
    assert votes.dtype == np.int64 and votes.shape == (4,) and votes.sum() == levels
    assert votes.tolist() == naive_votes(model, IMAGE, noise)


def test_the_batch_size_does_not_matter_to_exact_arithmetic():
    model, noise = Toy(SHAPE, 5, seed=1, kind="hash"), noise_of(132)
    expected = count_votes(model, IMAGE, noise).tolist()
    for batch_size in (1, 2, 7, 66, 131, 132, 1000):
        assert count_votes(model, IMAGE, noise, batch_size).tolist() == expected


def test_every_state_is_consistent():
    model, noise = Toy(SHAPE, 4, seed=3, kind="hash"), noise_of(100)
    layout = ChunkLayout.of(100, 30)
    so_far, seen = np.zeros(4, dtype=np.int64), []
    for chunk, state in enumerate(tally(model, IMAGE, noise, batch_size=30)):
        so_far = so_far + np.bincount(state.labels, minlength=4)
        seen += state.indices.tolist()
        assert state.votes.tolist() == so_far.tolist() and state.votes.dtype == np.int64
        assert (state.done, state.total) == (len(seen), 100)
        assert state.indices.tolist() == layout.indices(chunk)[: layout.real_rows(chunk)].tolist()
        assert state.bounds == radius_bounds(so_far, 100)
        for j, label in zip(state.indices.tolist(), state.labels.tolist(), strict=True):
            assert label == int(model(noise.samples(IMAGE, j, j + 1), noise.lam).argmax())
    assert chunk + 1 == layout.chunks and sorted(seen) == list(range(100))
    certificate = certificate_from_votes(state.votes, 100)
    assert state.bounds.final and state.bounds.lower == state.bounds.upper == certificate.radius_steps


def test_a_state_is_not_changed_by_the_next_one():
    states = list(tally(Toy(SHAPE, 4, seed=3), IMAGE, noise_of(100), batch_size=10))
    assert [int(state.votes.sum()) for state in states] == list(range(10, 101, 10))


def test_the_class_of_lowest_index_wins_tied_logits():
    tied = torch.tensor([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0], [-0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    noise = SplitNoise(4, (1, 1, 1))
    vote = complete(tally(Fixed(3, lambda x: tied), torch.zeros(1, 1, 1, dtype=torch.uint8), noise))
    assert vote.labels[ChunkLayout.of(4, 4).indices(0)].tolist() == [1, 0, 0, 0] and vote.votes.tolist() == [3, 1, 0]


def test_the_classifier_is_told_lambda_and_given_float32_samples():
    calls = []

    def answer(x, lam):
        calls.append((x.dtype, tuple(x.shape), float(x.min()) >= 0 and float(x.max()) <= 1, lam))
        return torch.zeros(len(x), 2)

    count_votes(answer, IMAGE, noise_of(100), batch_size=40)
    assert calls == [(torch.float32, (34, *SHAPE), True, 100 / 510)] * 6  # three chunks, three looks at the first


# --- what the caller changes meanwhile ---


def test_a_picture_that_changes_during_its_vote_is_certified_as_it_was():
    image, noise, model = IMAGE.clone(), noise_of(), Toy(SHAPE, 3, seed=5)
    expected = count_votes(model, image, noise, 10).tolist()
    votes = []
    for state in tally(model, image, noise, 10):
        image.fill_(255 - int(image[0, 0, 0]))
        votes = state.votes.tolist()
    assert votes == expected
    assert count_votes(model, torch.full(SHAPE, 255, dtype=torch.uint8), noise, 10).tolist() != expected


def test_offsets_that_change_during_a_vote_do_not_change_it():
    noise, model = noise_of(), Toy(SHAPE, 3, seed=5, kind="hash")
    expected = count_votes(model, IMAGE, noise, 10).tolist()
    before = noise.offsets.clone()
    for state in tally(model, IMAGE, noise, 10):
        noise.offsets.zero_()
        votes = state.votes.tolist()
    assert votes == expected
    assert count_votes(model, IMAGE, noise, 10).tolist() != expected
    assert not torch.equal(noise.offsets, before)


def test_a_model_that_uses_its_tensor_again_is_counted_as_it_answered():
    toy, noise = Toy(SHAPE, 4, seed=9), noise_of(100)
    answers = torch.empty(50, 4)

    def thrifty(x, lam):
        answers.copy_(toy(x, lam))
        return answers

    expected = [state.logits.tolist() for state in tally(toy, IMAGE, noise, 50)]
    states = list(tally(thrifty, IMAGE, noise, 50))
    assert [state.logits.tolist() for state in states] == expected and expected[0] != expected[1]
    assert states[-1].votes.tolist() == count_votes(toy, IMAGE, noise, 50).tolist()


def test_a_network_is_found_out_that_uses_its_tensor_again():
    answers = torch.empty(50, 4)

    def thrifty(x, lam):
        answers.copy_(x.flatten(1)[:, :4] - x.mean())
        return answers

    with pytest.raises(ValueError, match="changes with the others of its chunk"):
        count_votes(thrifty, IMAGE, noise_of(100), 50)


def test_a_number_of_classes_that_changes_is_refused():
    classes = iter([4, 4, 4, 4, 3])  # three looks at the first chunk, then that and the second

    with pytest.raises(ValueError, match="logits for 3 classes, after 4 before"):
        count_votes(lambda x, lam: torch.zeros(len(x), next(classes)), IMAGE, noise_of(100), 30)


def test_a_model_without_a_manifest_has_no_offsets():
    with pytest.raises(ValueError, match="no manifest"):
        certify(Constant(2, 0), IMAGE, 441)


@pytest.mark.parametrize("split_together", [(1, 1, 1), SHAPE])
def test_certify_takes_the_offsets_and_the_block_of_the_manifest(split_together):
    stated = StatedOffsets.of("white", 7, SHAPE, split_together)
    model = Toy(SHAPE, 3, seed=2)
    model.manifest, model.input_shape = replace(small_manifest(), input_shape=SHAPE, offsets=stated), SHAPE
    noise = model.manifest.noise_at(132)
    assert (noise.levels, noise.shape, noise.scheme, noise.seed) == (132, SHAPE, "white", 7)
    assert noise.block == split_together
    alike = SplitNoise(132, SHAPE, "white", 7, split_together)
    expected = certificate_from_votes(naive_votes(model, IMAGE, alike), 132)
    assert certify(model, IMAGE, levels=132, batch_size=50) == expected


def test_certify_votes_in_the_chunks_that_are_asked_for():
    rows = []

    class Watched(Toy):
        def __call__(self, x, lam):
            rows.append(len(x))
            return super().__call__(x, lam)

    model = Watched(SHAPE, 4, seed=1)
    model.manifest = replace(small_manifest(), input_shape=SHAPE, offsets=StatedOffsets.of("r2", 0, SHAPE))
    certify(model, IMAGE, levels=132, batch_size=40)
    assert rows == [33, 33, 33, 33]


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        ("a path", {}, "must be a torch.uint8 tensor"),
        (IMAGE[:, 1:], {}, "image must have shape"),
        (IMAGE, {"batch_size": 0}, "batch_size"),
        (IMAGE, {"counting": "points"}, "unknown counting 'points'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_at_the_call(image, options, message):
    with pytest.raises(ValueError, match=message):
        tally(Toy(SHAPE, 3, seed=2), image, noise_of(), **options)


def test_a_vote_is_on_the_image_as_it_is_at_the_call():
    image, model = IMAGE.clone(), Toy(SHAPE, 4, seed=5)
    states = tally(model, image, noise_of(), 30)
    image.fill_(0)
    assert complete(states).votes.tolist() == count_votes(model, IMAGE, noise_of()).tolist()


def test_a_state_cannot_be_changed_under_the_vote():
    for state in tally(Toy(SHAPE, 4, seed=5), IMAGE, noise_of(), 30):
        for array in (state.votes, state.labels, state.indices):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_complete_vote_cannot_be_changed_either():
    labels = np.array([0, 2, 2])
    of_labels = Vote.of_labels(labels, 3)
    labels[:] = 1
    assert of_labels.labels.tolist() == [0, 2, 2]
    for state in (of_labels, complete(tally(Toy(SHAPE, 4, seed=5), IMAGE, noise_of(), 30))):
        assert state.certificate is state.certificate and state.bounds is state.bounds
        for array in (state.votes, state.labels):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_vote_that_ends_early_is_not_complete():
    states = tally(Toy(SHAPE, 4, seed=5), IMAGE, noise_of(), 30)
    for part in (islice(states, 2), []):
        with pytest.raises(ValueError, match="before all samples had voted"):
            complete(part)
    with pytest.raises(ValueError, match="expected the votes of 3 samples, got 3, and 2 labels"):
        Vote(Counts(np.array([1, 2])), 3, np.array([0, 1]))
    with pytest.raises(ValueError, match="expected the votes of 3 samples, got 2, and 3 labels"):
        Vote(Counts(np.array([1, 1])), 3, np.array([0, 1, 1]))


def test_a_default_device_that_was_changed_for_a_while_breaks_no_later_vote():
    levels = 317  # of no other test: what is remembered of it is made here
    with torch.device("meta"):
        order = ChunkLayout.of(levels, 64).indices(0)
    assert order.device.type == "cpu" and sorted(order.tolist()) == sorted(set(order.tolist()))
