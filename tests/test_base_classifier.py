"""What may vote, and what is refused."""

import math

import numpy as np
import pytest
import torch

from dssn_core import SplitNoise, certify, count_votes, load_model, read_image
from dssn_core.base_classifier import answers_by_row
from dssn_core.checkpoints import list_models
from dssn_core.classifier import Classifier
from dssn_core.gallery import built_in_pictures
from dssn_core.monte_carlo import Plan, certify_randomized
from dssn_core.networks import Network
from tests.test_voting import IMAGE, SHAPE, noise_of
from tests.toys import Constant, Fixed


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
    for shape in ((1,), (10, 1)):
        with pytest.raises(ValueError, match=r"shape \(50, K\), with K >= 2, got \(50, "):
            count_votes(lambda x, lam, shape=shape: torch.zeros(len(x), *shape), IMAGE, noise_of())


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


def where_an_odd_one_is_white():  # as no sample is
    return Beside(lambda x: (x[1::2].amax() > 0.9).float())


def where_an_even_one_is_white():
    return Beside(lambda x: (x[::2].amax() > 0.9).float())


def where_an_odd_one_is_black():
    return Beside(lambda x: (x[1::2].amin() < 0.01).float())


class Paired(torch.nn.Module):
    """Answers by the brighter of two samples, a row of the chunk and a partner of it."""

    def __init__(self, partners):
        super().__init__()
        self.partners = partners

    def forward(self, x):
        rows = torch.arange(len(x))
        brightness = x.mean((1, 2, 3))
        brighter = torch.maximum(brightness, brightness[self.partners(rows) % len(x)])
        return torch.stack([brighter, torch.full_like(brighter, 0.5)], 1)


def in_neighbours():
    return Paired(lambda rows: rows ^ 1)


def two_apart():
    return Paired(lambda rows: rows + 2)


def half_a_chunk_apart():
    return Paired(lambda rows: rows + len(rows) // 2)


def turned_round():
    return Paired(lambda rows: -1 - rows)


class Shifted(torch.nn.Module):
    """Takes a statistic of the chunk off in its input's place: what has been through it once is not changed again."""

    def forward(self, x):
        return x.sub_(x.amin().clone()).flatten(1)[:, :3]


def by_chance():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(math.prod(SHAPE), 8), torch.nn.Dropout())


NETWORKS = [
    in_training,
    without_statistics,
    beside_the_brightest,
    beside_the_largest,
    beside_the_smallest,
    in_neighbours,
    two_apart,
    half_a_chunk_apart,
    turned_round,
    Shifted,
    where_an_odd_one_is_white,
    where_an_even_one_is_white,
    where_an_odd_one_is_black,
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


def test_a_wrapper_is_not_known_to_answer_by_row_because_what_it_wraps_is():
    class Wrapper:
        """Passes on all that its network has, and takes a statistic of the chunk off its input."""

        def __init__(self, network):
            self.network = network

        def __getattr__(self, name):
            return getattr(self.network, name)

        def __call__(self, x, lam):
            return self.network(x - x.mean(), lam)

    network = load_model("cifar10-dssn")
    image = read_image(built_in_pictures()[0].path)
    assert network.made_when_marked and Wrapper(network).made_when_marked
    with pytest.raises(ValueError, match="changes with the others of its chunk"):
        count_votes(Wrapper(network), image, network.manifest.noise_at(60))


def with_another_forward(model):
    model.forward = lambda x, lam: (x - x.mean()).flatten(1)[:, :10]


def with_other_features(model):
    features = model.network.features
    model.network.features = lambda x, lam: features(x - x.mean(), lam)


def with_a_hook(model):
    model.register_forward_pre_hook(lambda model, inputs: (inputs[0] - inputs[0].mean(), *inputs[1:]))


def with_a_hook_inside(model):
    model.network.register_forward_hook(lambda *_: None)  # whatever it does


def with_another_part(model):
    stem = model.network.stem
    model.network.stem = torch.nn.Sequential(stem, torch.nn.BatchNorm2d(48, track_running_stats=False)).eval()


def of_another_class(model):
    class Centred(Classifier):
        def forward(self, x, lam):
            return super().forward(x - x.mean(), lam)

    model.__class__ = Centred


@pytest.mark.parametrize("name", list_models())
def test_every_network_here_is_known_to_answer_by_row(name):
    """Else each of its votes would take two chunks more."""
    assert answers_by_row(load_model(name))


@pytest.mark.parametrize(
    "change",
    [
        with_another_forward,
        with_other_features,
        with_a_hook,
        with_a_hook_inside,
        with_another_part,
        of_another_class,
    ],
)
def test_a_loaded_model_that_was_changed_is_not_known_to_answer_by_row(change):
    model = load_model("cifar10-dssn")
    assert answers_by_row(model) and answers_by_row(model.running_in("bfloat16"))
    change(model)
    assert not answers_by_row(model)
    if change is not with_a_hook_inside:  # for it does nothing
        with pytest.raises(ValueError, match="changes with the others of its chunk"):
            certify(model, read_image(built_in_pictures()[0].path), 60)


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
