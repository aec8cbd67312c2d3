import pytest
import torch
from torch import nn

from dssn_core import SplitNoise
from dssn_core.architectures import build_network
from dssn_core.networks import FilmResNet, LambdaEmbedding, ModulatedNorm, to_one_scale
from tests.random_networks import SMALL, generator, random_classifier, randomize, some_samples

# --- parts ---


def test_scaled_input_brings_noisy_pictures_to_one_scale():
    network = FilmResNet(3, 4, **SMALL, scaled_input=True).eval()
    seen = []
    network.stem.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].std()))
    draw = generator()
    for lam in (0.2, 1.0, 6.0):
        noisy = torch.rand(8, 3, 16, 16, generator=draw) + lam * (2 * torch.rand(8, 3, 16, 16, generator=draw) - 1)
        network.features((noisy - 0.5) * 2, torch.full((8,), lam))
    assert all(0.4 < float(scale) < 0.6 for scale in seen)


def test_the_pooled_network_scales_each_row_by_its_own_lambda():
    settings = {"stem": 4, "stages": [8, 8]}
    plain, scaled = (build_network("film-pooled", {**settings, "scaled_input": on}, 3, 4).eval() for on in (0, 1))
    scaled.load_state_dict(randomize(plain).state_dict())
    x, lam = some_samples(3), torch.tensor([0.3, 1.0, 6.0])
    with torch.inference_mode():
        assert torch.equal(scaled.features(x, lam), plain.features(to_one_scale(x, lam), lam))


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
