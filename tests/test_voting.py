import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from dssn_core import SplitNoise, certificate_from_votes, certify, count_votes, radius_bounds, tally
from dssn_core.classifier import Classifier
from dssn_core.manifest import offsets_record
from dssn_core.monte_carlo import Plan, certify_randomized
from dssn_core.networks import Network
from dssn_core.voting import CHUNK_VALUES, ChunkLayout, Tally, classify, complete, fitting_batch_size, noise_for
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


# --- the layout of chunks ---


@pytest.mark.parametrize("levels", [2, 3, 5, 100, 132, 255, 256, 257, 441, 1766, 8191, 8192])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 64, 255, 256, 257, 10_000])
def test_a_layout_is_a_partition_into_equal_chunks(levels, batch_size):
    layout = ChunkLayout.of(levels, batch_size)
    assert layout.chunks == math.ceil(levels / batch_size)
    assert layout.rows == math.ceil(levels / layout.chunks) <= batch_size
    seen = []
    for chunk in range(layout.chunks):
        indices, real = layout.indices(chunk), layout.real_rows(chunk)
        assert indices.shape == (layout.rows,) and indices.dtype == torch.int64
        assert 1 <= real <= layout.rows
        assert real == layout.rows or chunk == layout.chunks - 1  # only the last one is padded
        assert indices.min() >= 0 and indices.max() < levels
        assert layout.place_of(int(indices[real - 1])) == (chunk, real - 1)
        seen += indices[:real].tolist()
    assert sorted(seen) == list(range(levels))


@pytest.mark.parametrize("levels", [132, 441, 1766, 3091, 8192])
@pytest.mark.parametrize("first", [8, 32, 64])
def test_the_first_samples_are_spread_evenly(levels, first):
    indices = np.sort(ChunkLayout.of(levels, first).indices(0).numpy()[:first])
    gaps = np.diff(np.append(indices, indices[0] + levels))
    assert gaps.max() <= 3 * levels / len(indices)


def test_the_chunks_of_large_images_have_fewer_rows():
    assert ChunkLayout.for_images(441, (3, 32, 32)) == ChunkLayout.of(441, 64)
    large = ChunkLayout.for_images(441, (3, 224, 224))
    assert 8 <= large.rows <= 16 and large.rows * 3 * 224 * 224 <= CHUNK_VALUES
    assert fitting_batch_size((3, 10_000, 10_000)) == 1
    assert ChunkLayout.for_images(441, (3, 224, 224), 7) == ChunkLayout.of(441, 7)
    assert ChunkLayout.of(441, 10**400) == ChunkLayout.of(441, 441)  # no number is too large
    with pytest.raises(ValueError, match="batch_size must be an integer of 1 or more"):
        ChunkLayout.for_images(441, (3, 4, 4), 0)


@pytest.mark.parametrize("batch_size", [0, -1, True, 2.0, "256", None])
def test_batch_sizes_are_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size must be an integer of 1 or more"):
        ChunkLayout.of(441, batch_size)


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
    labels, classes = classify(Fixed(3, lambda x: tied), torch.zeros(4, 1, 1, 1), 0.5)
    assert labels.tolist() == [1, 0, 0, 0] and classes == 3


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
    classes = iter([4, 4, 4, 4, 3])  # the first chunk, the three looks at it, and the second

    with pytest.raises(ValueError, match="logits for 3 classes, after 4 before"):
        count_votes(lambda x, lam: torch.zeros(len(x), next(classes)), IMAGE, noise_of(100), 30)


# --- refusals ---


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: torch.full((len(x), 3), math.nan), "not finite"),
        (lambda x: torch.full((len(x), 3), math.inf), "not finite"),
        (lambda x: torch.tensor([[0.0, 0.0, -math.inf]]).expand(len(x), 3), "not finite"),
        (lambda x: torch.zeros(len(x), 3, dtype=torch.float64), "float32 logits, got torch.float64"),
        (lambda x: torch.zeros(len(x), 3, dtype=torch.bfloat16), "float32 logits, got torch.bfloat16"),
        (lambda x: torch.zeros(len(x), 3, dtype=torch.int64), "float32 logits, got torch.int64"),
        (lambda x: torch.zeros(len(x), 4), r"shape \(50, 3\), .* got \(50, 4\)"),
        (lambda x: torch.zeros(len(x) - 1, 3), r"shape \(50, 3\), .* got \(49, 3\)"),
        (lambda x: torch.zeros(3), r"shape \(50, 3\), .* got \(3,\)"),
        (lambda x: torch.tensor(0.0), r"got \(\)"),
    ],
)
def test_answers_are_refused(answer, message):
    with pytest.raises(ValueError, match=message):
        count_votes(Fixed(3, answer), IMAGE, noise_of(100), batch_size=50)


def test_one_bad_row_among_the_padding_is_refused_too():
    # 100 samples in three chunks of 34 rows: the last two rows of the last chunk are padding.
    def answer(x):
        logits = torch.zeros(len(x), 2)
        logits[-1] = math.nan
        return logits

    with pytest.raises(ValueError, match="not finite"):
        count_votes(Fixed(2, answer), IMAGE, noise_of(100), batch_size=34)


def test_any_callable_may_vote():
    votes = count_votes(lambda x, lam: torch.tensor([[0.0, 1.0, 0.0]]).repeat(len(x), 1), IMAGE, noise_of(100))
    assert votes.tolist() == [0, 100, 0]


def test_a_single_class_is_no_vote():
    with pytest.raises(ValueError, match="K >= 2"):
        count_votes(lambda x, lam: torch.zeros(len(x), 1), IMAGE, noise_of())


class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.part = torch.nn.BatchNorm2d(1)

    def forward(self, x, lam):
        return self.part(x).flatten(1)[:, :2]


def test_training_mode_is_refused():
    with pytest.raises(ValueError, match=r"training mode.*model.eval\(\)"):
        count_votes(Module(), IMAGE, noise_of())
    assert count_votes(Module().eval(), IMAGE, noise_of()).sum() == 100


def test_a_part_in_training_mode_is_refused():
    model = Module().eval()
    model.part.train()
    with pytest.raises(ValueError, match="where answers depend on the batch"):
        count_votes(model, IMAGE, noise_of())


def test_no_estimate_of_a_model_in_training_or_for_other_shapes():
    plan = Plan("uniform", 40, n0=10, n=20)
    with pytest.raises(ValueError, match="where answers depend on the batch"):
        certify_randomized(Module(), IMAGE, plan)
    model = Constant(2, 0)
    model.input_shape = (3, 32, 32)
    with pytest.raises(ValueError, match="takes images of shape"):
        certify_randomized(model, IMAGE, plan)


def test_a_model_for_other_shapes_is_refused():
    model = Constant(2, 0)
    model.input_shape = (3, 32, 32)
    with pytest.raises(ValueError, match=r"takes images of shape \(3, 32, 32\), but these have shape \(1, 2, 3\)"):
        count_votes(model, IMAGE, noise_of())


def test_an_image_of_another_shape_or_type_is_refused():
    with pytest.raises(ValueError, match=r"image must have shape \(1, 2, 3\)"):
        count_votes(Constant(2, 0), IMAGE[:, :1], noise_of())
    with pytest.raises(ValueError, match=r"torch\.uint8"):
        count_votes(Constant(2, 0), IMAGE.float() / 255, noise_of())
    for other in (IMAGE.numpy(), IMAGE.tolist(), None):
        with pytest.raises(ValueError, match=r"image must be a torch\.uint8 tensor"):
            count_votes(Constant(2, 0), other, noise_of(20))


def test_a_model_without_a_manifest_has_no_offsets():
    with pytest.raises(ValueError, match="no manifest"):
        noise_for(Constant(2, 0), 441)


@pytest.mark.parametrize("split_together", [(1, 1, 1), SHAPE])
def test_certify_takes_the_offsets_and_the_block_of_the_manifest(split_together):
    stated = offsets_record("white", 7, SHAPE, split_together)
    model = Toy(SHAPE, 3, seed=2)
    model.manifest, model.input_shape = replace(small_manifest(), input_shape=SHAPE, offsets=stated), SHAPE
    noise = noise_for(model, 132)
    assert (noise.levels, noise.shape, noise.scheme, noise.seed) == (132, SHAPE, "white", 7)
    assert noise.block == split_together
    alike = SplitNoise(132, SHAPE, "white", 7, split_together)
    expected = certificate_from_votes(naive_votes(model, IMAGE, alike), 132)
    assert certify(model, IMAGE, levels=132, batch_size=50) == expected


def test_a_state_cannot_be_changed_under_the_vote():
    for state in tally(Toy(SHAPE, 4, seed=5), IMAGE, noise_of(), 30):
        for array in (state.votes, state.labels, state.indices):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_complete_vote_cannot_be_changed_either():
    labels = np.array([0, 2, 2])
    of_labels = Tally.of_labels(labels, 3)
    labels[:] = 1
    assert of_labels.labels.tolist() == [0, 2, 2]
    for state in (of_labels, complete(tally(Toy(SHAPE, 4, seed=5), IMAGE, noise_of(), 30))):
        assert state.certificate is state.certificate and state.bounds is state.bounds
        for array in (state.votes, state.labels, state.indices):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_a_vote_that_ends_early_is_not_complete():
    states = tally(Toy(SHAPE, 4, seed=5), IMAGE, noise_of(), 30)
    for part in (islice(states, 2), []):
        with pytest.raises(ValueError, match="before all samples had voted"):
            complete(part)


def in_training():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(math.prod(SHAPE), 8), torch.nn.BatchNorm1d(8))


def without_statistics():
    norm = torch.nn.BatchNorm2d(SHAPE[0], track_running_stats=False)
    return torch.nn.Sequential(norm, torch.nn.Flatten(), torch.nn.Linear(math.prod(SHAPE), 8)).eval()


class Beside(torch.nn.Module):
    """Answers by how bright a sample is beside a statistic of its chunk."""

    def __init__(self, statistic):
        super().__init__()
        self.statistic = statistic

    def forward(self, x):
        return torch.stack([x.mean((1, 2, 3)), self.statistic(x).expand(len(x))], 1)


def beside_the_brightest():  # it lies in one half of the chunk
    return Beside(lambda x: x.mean((1, 2, 3)).amax())


def beside_the_largest():  # which, in quarters, is the same in both
    return Beside(lambda x: (4 * x.amax()).floor() / 4)


def beside_the_smallest():
    return Beside(lambda x: (4 * x.amin()).ceil() / 4)


def by_chance():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(math.prod(SHAPE), 8), torch.nn.Dropout())


NETWORKS = [
    in_training,
    without_statistics,
    beside_the_brightest,
    beside_the_largest,
    beside_the_smallest,
    by_chance,
]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("vote", ["dssn", "randomized"])
def test_a_network_whose_samples_are_not_alone_does_not_vote(network, vote):
    hidden = network()
    image = torch.randint(30, 100, SHAPE, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))

    def model(x, lam):  # hides the network's mode
        return hidden(x)

    with pytest.raises(ValueError, match="changes with the others of its chunk, or by chance"):
        if vote == "dssn":
            count_votes(model, image, SplitNoise(40, SHAPE))
        else:
            certify_randomized(model, image, Plan("uniform", 40, n0=10, n=20, alpha=0.1, seed=0))


def test_a_classifier_of_ones_own_is_looked_at_as_any_network_is():
    """Only what `load_model` gives is known to answer row by row."""

    class Centred(Network):
        head = torch.nn.Identity()

        def features(self, x, lam):
            return x.flatten(1) - x.flatten(1).mean(0)

    with pytest.raises(ValueError, match="changes with the others of its chunk"):
        count_votes(Classifier(Centred(), tuple("abcdef"), SHAPE, "float32").eval(), IMAGE, noise_of(100))


def test_a_network_may_work_in_the_place_of_its_input():
    def model(x, lam):
        return x.sub_(0.5).flatten(1)[:, :3]

    expected = count_votes(lambda x, lam: (x - 0.5).flatten(1)[:, :3], IMAGE, noise_of(100))
    assert (count_votes(model, IMAGE, noise_of(100)) == expected).all()


def test_logits_with_a_gradient_are_counted():
    bias = torch.nn.Parameter(torch.arange(3.0))
    assert count_votes(lambda x, lam: bias.expand(len(x), 3), IMAGE, noise_of(20)).tolist() == [0, 0, 20]


@pytest.mark.parametrize("answer", [None, [[0.0, 1.0]], np.zeros((1, 2), dtype=np.float32)])
def test_logits_must_be_a_tensor(answer):
    with pytest.raises(ValueError, match="must return a tensor of logits, got"):
        count_votes(lambda x, lam: answer, torch.zeros(SHAPE, dtype=torch.uint8), SplitNoise(2, SHAPE))


def test_a_default_device_that_was_changed_for_a_while_breaks_no_later_vote():
    levels = 317  # of no other test: what is remembered of it is made here
    with torch.device("meta"):
        order = ChunkLayout.of(levels, 64).indices(0)
    assert order.device.type == "cpu" and sorted(order.tolist()) == sorted(set(order.tolist()))
