import pytest
import torch
from torch import nn

from dssn_core import SplitNoise, list_models, load_model
from dssn_core.architectures import build_network
from dssn_core.networks import (
    Classifier,
    FilmResNet,
    LambdaEmbedding,
    ModulatedNorm,
)
from dssn_core.precision import PRECISIONS
from dssn_core.voting import ChunkLayout

SMALL = {"stem": 8, "stages": (8, 16), "embedding": 16}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def randomize(network, seed=0):
    """Fill every parameter and running statistic with something that is neither zero nor one."""
    draw = generator(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.3)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(torch.randn(buffer.shape, generator=draw) * 0.2)
            elif name.endswith("running_var"):
                buffer.copy_(0.5 + torch.rand(buffer.shape, generator=draw))
    return network


def random_classifier(precision="float32", classes=4):
    network = randomize(FilmResNet(3, classes, **SMALL))
    names = tuple(f"class {c}" for c in range(classes))
    return Classifier(network, names, (3, 32, 32), precision).eval()


def some_samples(rows, shape=(3, 32, 32), seed=0):
    return torch.randint(0, 1021, (rows, *shape), generator=generator(seed)).float() / 1020


# --- shapes and arguments ---


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


def test_scaled_input_brings_noisy_pictures_to_one_scale():
    network = FilmResNet(3, 4, **SMALL, scaled_input=True).eval()
    seen = []
    network.stem.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].std()))
    draw = generator()
    for lam in (0.2, 1.0, 6.0):
        noisy = torch.rand(8, 3, 16, 16, generator=draw) + lam * (2 * torch.rand(8, 3, 16, 16, generator=draw) - 1)
        network.features((noisy - 0.5) * 2, torch.full((8,), lam))
    assert all(0.4 < float(scale) < 0.6 for scale in seen)


def test_centring_keeps_all_values_apart_that_bfloat16_can_tell():
    # Rounded to bfloat16 before 1/2 is taken off, 510/1020 and 511/1020 would be one value, "no information".
    seen = []
    model = random_classifier("bfloat16")
    model.network.stem.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        for numerator in (509, 510, 511):
            model(torch.full((1, 3, 32, 32), numerator) / 1020, 0.5)
    assert len({float(x.bfloat16().flatten()[0]) for x in seen}) == 3


def test_the_embedding_has_one_row_a_lambda():
    features = LambdaEmbedding(16)(torch.tensor([0.2, 1.0]))
    assert features.shape == (2, 16) and not torch.equal(features[0], features[1])


# --- normalisation ---


def test_the_folded_norm_is_batch_norm_then_modulation():
    norm = randomize(ModulatedNorm(5, 8)).eval()
    reference = nn.BatchNorm2d(5, affine=False).eval()
    reference.load_state_dict(norm.norm.state_dict())
    x, embedding = torch.randn(3, 5, 4, 4, generator=generator(1)), torch.randn(3, 8, generator=generator(2))
    with torch.inference_mode():
        scale, shift = norm.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        expected = reference(x) * scale + shift
        assert torch.allclose(norm(x, embedding), expected, atol=1e-5)


def test_the_whole_network_in_evaluation_is_the_unfolded_one():
    model, x = random_classifier(), some_samples(6)
    with torch.inference_mode():
        folded = model(x, 0.8)
        for module in model.modules():
            if isinstance(module, ModulatedNorm):
                module.training = True  # the unfolded path, while its BatchNorm2d stays in evaluation mode
        unfolded = model(x, 0.8)
    assert torch.allclose(folded, unfolded, rtol=1e-4, atol=1e-4)


def test_a_new_modulation_does_nothing():
    norm = ModulatedNorm(5, 8).eval()
    x = torch.randn(2, 5, 3, 3, generator=generator(1))
    with torch.inference_mode():
        assert torch.allclose(norm(x, torch.randn(2, 8, generator=generator(2))), norm.norm(x), atol=1e-6)


# --- building ---


def test_build_network():
    network = build_network("film-resnet", {"stem": 8, "stages": [8, 16], "blocks": 2}, channels=1, num_classes=3)
    assert len(network.blocks) == 4


def test_a_subsampling_network_reads_every_block_once():
    settings = {"stem": 4, "stages": [8, 8]}
    whole, one = (build_network("film-pooled", {**settings, "subsample": n}, 3, 4) for n in (1, 2))
    one.load_state_dict(randomize(whole).state_dict())
    noise = SplitNoise(441, (3, 32, 32), block=(1, 2, 2))
    image = torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8, generator=generator())
    samples, lam = noise.samples(image, 0, 5), torch.full((5,), noise.lam)
    with torch.inference_mode():
        blocks = torch.nn.functional.avg_pool2d(samples, 2)
        assert torch.equal(torch.repeat_interleave(blocks.repeat_interleave(2, 3), 2, 2), samples)
        assert torch.allclose(one.eval().features(samples, lam), whole.eval().features(blocks, lam), atol=1e-5)


@pytest.mark.parametrize("subsample", [0, 1.5, "2"])
def test_a_senseless_subsampling_is_refused(subsample):
    with pytest.raises(ValueError, match=r"subsample must be 1 or more|settings of 'film-pooled' do not fit"):
        build_network("film-pooled", {"subsample": subsample}, 3, 10)


def test_an_unknown_architecture_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown architecture 'vgg'; known: .*film-resnet"):
        build_network("vgg", {}, 3, 10)


@pytest.mark.parametrize(
    "settings", [{"depth": 3}, {"stem": "wide"}, {"channels": 3}, {"stages": 5}, {"stem": -1}, {"embedding": -3}]
)
def test_settings_that_do_not_fit_are_refused(settings):
    with pytest.raises(ValueError, match="settings of 'film-resnet' do not fit"):
        build_network("film-resnet", settings, 3, 10)


@pytest.mark.parametrize(("kind", "settings"), [("film-pooled", {"stages": []}), ("denoised-lite0", {"widths": []})])
def test_no_stages_are_no_network(kind, settings):
    with pytest.raises(ValueError, match="do not fit"):
        build_network(kind, settings, 3, 1000)


def test_an_unknown_precision_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown precision 'float16'; known: float32, bfloat16"):
        Classifier(FilmResNet(3, 2, **SMALL), ("a", "b"), (3, 32, 32), "float16")


# --- the condition that the certificate rests on ---


# The random networks are always there; shipped models join them as soon as there are any.
@pytest.fixture(scope="module", params=["random float32", "random bfloat16", *list_models()])
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
        for name, x in variants.items():
            found = model(x, 441 / 510)
            assert torch.equal(found[kept], expected[kept]), name
            assert not torch.equal(found[others], expected[others])  # the variant is one


def test_the_same_chunk_twice_gives_the_same_bits(model):
    x = some_samples(ChunkLayout.for_images(132, model.input_shape).rows, tuple(model.input_shape))
    with torch.inference_mode():
        assert torch.equal(model(x, 132 / 510), model(x.clone(), 132 / 510))
