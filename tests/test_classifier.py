"""What voting relies on: rows of logits, each a function of its own sample and lambda alone."""

import json

import pytest
import torch

from dssn_core import SplitNoise, list_models, load_model
from dssn_core.architectures import ARCHITECTURES
from dssn_core.checkpoints import find_model, read_manifest
from dssn_core.classifier import Classifier
from dssn_core.layout import ChunkLayout
from dssn_core.networks import FilmResNet
from dssn_core.precision import PRECISIONS
from tests.random_networks import SMALL, generator, random_classifier, some_samples


@pytest.mark.parametrize("precision", PRECISIONS)
def test_logits_are_float32_rows(precision):
    with torch.inference_mode():
        logits = random_classifier(precision, classes=7)(some_samples(5), 0.5)
    assert logits.shape == (5, 7) and logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 12), (3, 33, 31)])
def test_other_image_shapes(shape):
    network = FilmResNet(shape[0], 3, **SMALL)
    model = Classifier(network, ("a", "b", "c"), shape, "float32").eval()
    with torch.inference_mode():
        assert model(some_samples(2, shape), 0.5).shape == (2, 3)


def test_lambda_as_a_number_and_as_a_tensor_agree():
    model, x = random_classifier(), some_samples(4)
    with torch.inference_mode():
        for lam in (132 / 510, 441 / 510, 3091 / 510):
            assert torch.equal(model(x, lam), model(x, torch.full((4,), lam)))


def test_every_row_may_have_its_own_lambda():
    model, x = random_classifier(), some_samples(1).expand(3, -1, -1, -1)
    lams = torch.tensor([0.3, 1.0, 6.0])
    with torch.inference_mode():
        together = model(x, lams)
        alone = torch.stack([model(x, float(lam))[0] for lam in lams])
    assert torch.allclose(together, alone, atol=1e-5)
    assert not torch.allclose(together[0], together[2], atol=1e-2)  # lambda matters


def test_the_input_is_left_alone():
    model, x = random_classifier(), some_samples(2)
    before = x.clone()
    with torch.inference_mode():
        model(x, 0.5)
    assert torch.equal(x, before)


def test_centring_keeps_all_values_apart_that_bfloat16_can_tell():
    # Rounded to bfloat16 before 1/2 is taken off, 510/1020 and 511/1020 would be one value, "no information".
    seen = []
    model = random_classifier("bfloat16")
    model.network.stem.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        for numerator in (509, 510, 511):
            model(torch.full((1, 3, 32, 32), numerator) / 1020, 0.5)
    assert len({float(x.bfloat16().flatten()[0]) for x in seen}) == 3


@pytest.mark.parametrize("kernels", [True, False])
def test_the_last_layer_is_computed_in_float32(kernels, monkeypatch):
    monkeypatch.setattr("dssn_core.precision.HAS_BFLOAT16", kernels)
    formats = []
    model = random_classifier("bfloat16")
    model.network.stem.register_forward_hook(lambda module, inputs, found: formats.append(found.dtype))
    model.network.head.register_forward_hook(lambda module, x, found: formats.extend([x[0].dtype, found.dtype]))
    with torch.inference_mode():
        model(some_samples(2), 0.5)
    assert formats == [torch.bfloat16, torch.float32, torch.float32]


def test_another_number_format_is_another_classifier():
    model = load_model("cifar10-dssn")
    other = model.running_in("bfloat16")
    assert (model.precision, other.precision) == ("float32", "bfloat16") and other.network is model.network
    assert other.manifest is model.manifest and other.made_when_marked and not other.training
    assert random_classifier("float32").train().running_in("bfloat16").training
    assert not random_classifier().running_in("bfloat16").made_when_marked


def test_an_unknown_precision_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown precision 'float16'; known: float32, bfloat16"):
        Classifier(FilmResNet(3, 2, **SMALL), ("a", "b"), (3, 32, 32), "float16")


# --- the condition that the certificate rests on ---


def kind(name):
    """All that the arithmetic of a shipped network depends on, but its weights."""
    manifest = read_manifest(find_model(name))
    return manifest.architecture, json.dumps(manifest.settings, sort_keys=True), manifest.precision


ONE_OF_EACH_KIND = list({kind(name): name for name in list_models()}.values())


def test_every_architecture_is_among_those_whose_rows_are_looked_at():
    """A vote takes their word for it: see `answers_by_row`."""
    assert {kind(name)[0] for name in ONE_OF_EACH_KIND} == set(ARCHITECTURES)


@pytest.fixture(scope="module", params=["random float32", "random bfloat16", *ONE_OF_EACH_KIND])
def model(request):
    kind, _, precision = request.param.partition(" ")
    return random_classifier(precision) if kind == "random" else load_model(request.param)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_a_row_does_not_feel_the_other_rows_of_its_chunk(model, threads):
    shape = tuple(model.input_shape)
    rows = ChunkLayout.for_images(441, shape).rows  # the chunks of sigma = 0.5
    assert rows == (63 if shape[-1] == 32 else 13)
    image = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator(3))
    samples = SplitNoise(441, shape).samples(image, 0, rows)
    kept = torch.tensor([0, 1, rows // 3, rows // 2, rows - 2, rows - 1])
    others = torch.ones(rows, dtype=torch.bool).index_fill(0, kept, False)

    def changed(replacement):
        x = samples.clone()
        x[others] = replacement
        return x

    order = torch.randperm(int(others.sum()), generator=generator(4))
    variants = {
        "replaced": changed(some_samples(rows, shape, seed=5)[others]),
        "zeroed": changed(torch.zeros(())),
        "permuted": changed(samples[others][order]),
    }
    with torch.inference_mode():
        expected = model(samples, 441 / 510)
        for name, x in list(variants.items())[: 3 if threads == 1 else 1]:  # of more threads a test gets one core
            found = model(x, 441 / 510)
            assert torch.equal(found[kept], expected[kept]), name
            assert not torch.equal(found[others], expected[others])  # the variant is one


def test_the_same_chunk_twice_gives_the_same_bits(model):
    x = some_samples(ChunkLayout.for_images(132, model.input_shape).rows, tuple(model.input_shape))
    with torch.inference_mode():
        assert torch.equal(model(x, 132 / 510), model(x.clone(), 132 / 510))
