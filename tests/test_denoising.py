"""The denoiser in front of the pretrained classifier."""

import pytest
import torch
from torch.nn import functional as F

from dssn_core.architectures import build_network
from dssn_core.denoising import DenoisedLite0, Denoiser, denoising_loss
from dssn_core.imagenet import efficientnet_lite0, preprocess
from dssn_core.networks import to_one_scale

SETTINGS = {"widths": [8, 12, 16], "patch": 4}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    built = build_network("denoised-lite0", SETTINGS, 3, 1000)
    assert isinstance(built, DenoisedLite0)
    return built.eval()


def some_samples(count=2, side=64):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("shape", [(2, 3, 64, 64), (1, 3, 32, 48), (1, 3, 224, 224)])
def test_before_training_the_picture_is_the_sample(shape):
    x = torch.rand(shape) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(Denoiser(widths=(8, 12, 16)).eval()(x, torch.full((len(x),), 0.5)), x, atol=1e-6)


def test_samples_of_additive_noise_come_at_one_scale():
    x, lam = some_samples() * 4, torch.tensor([0.3, 3.0])
    denoiser = build_network("denoised-lite0", {**SETTINGS, "scaled_input": True}, 3, 1000).denoiser.eval()
    seen = []
    denoiser.first.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0].abs().max()))
    with torch.no_grad():
        picture = denoiser(x, lam)
    assert torch.allclose(picture, to_one_scale(x, lam), atol=1e-6)
    assert torch.isclose(seen[0], to_one_scale(x, lam).abs().max())


def test_the_classifier_sees_the_picture(network):
    x, lam = some_samples(), torch.tensor([0.3, 1.0])
    with torch.inference_mode():
        logits = network.head(network.features(x, lam))
        expected = efficientnet_lite0()(preprocess((x + 1) / 2))
    assert torch.allclose(logits, expected, atol=1e-4)


def test_only_the_denoiser_is_trained_and_saved(network):
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert trained and all(name.startswith("denoiser.") for name in trained)
    assert sum(tensor.numel() for tensor in network.saved_state().values()) < 100_000


def test_the_classifiers_norms_do_not_follow_the_samples():
    network = build_network("denoised-lite0", SETTINGS, 3, 1000).train()
    before = {name: tensor.clone() for name, tensor in network.classifier.state_dict().items()}
    network.features(some_samples(), torch.tensor([0.3, 1.0]))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.classifier.state_dict().items())
    assert not any(part.training for part in network.classifier.modules())
    assert network.denoiser.first.norm.norm.training


def test_a_saved_denoiser_comes_back(network):
    torch.manual_seed(5)
    other = build_network("denoised-lite0", SETTINGS, 3, 1000).eval()
    other.load_saved_state(network.saved_state())
    x, lam = some_samples(), torch.tensor([0.3, 1.0])
    with torch.inference_mode():
        assert torch.equal(other.features(x, lam), network.features(x, lam))
    with pytest.raises(RuntimeError):
        other.load_saved_state({})


def test_the_loss_is_squared_error_plus_divergence(network):
    x, lam = some_samples(), torch.tensor([0.3, 1.0])
    clean = (some_samples(side=64).flip(0) + 1) / 2
    with torch.inference_mode():
        plain, none = denoising_loss(network, x, lam, clean, 0.0)
        both, agreement = denoising_loss(network, x, lam, clean, 0.5)
        answers = [efficientnet_lite0()(preprocess(p)) for p in (clean, (x + 1) / 2)]
        wanted, found = (a.softmax(1) for a in answers)
        divergence = (wanted * (wanted.log() - found.log())).sum(1).mean()
    assert torch.allclose(plain, F.mse_loss((x + 1) / 2, clean), atol=1e-6) and none == 0
    assert torch.allclose(both, plain + 0.5 * divergence, rtol=1e-3)
    assert agreement == float((wanted.argmax(1) == found.argmax(1)).float().mean())


@pytest.mark.parametrize("has_it", [True, False])
def test_the_last_layer_and_the_divergence_are_float32_in_either_format(network, monkeypatch, has_it):
    monkeypatch.setattr("dssn_core.precision.HAS_BFLOAT16", has_it)
    x, lam = some_samples(), torch.tensor([0.3, 1.0])
    answers = []
    handle = network.head.register_forward_hook(lambda *a: answers.append(a[-1].dtype))
    with torch.inference_mode():
        exact, _ = denoising_loss(network, x, lam, (x.flip(0) + 1) / 2, 0.5)
        loss, _ = denoising_loss(network, x, lam, (x.flip(0) + 1) / 2, 0.5, "bfloat16")
    handle.remove()
    assert loss.dtype == torch.float32 and set(answers) == {torch.float32}
    assert loss != exact  # all else is bfloat16


def test_clean_samples_cost_nothing(network):
    x, lam = some_samples(), torch.tensor([0.3, 1.0])
    with torch.inference_mode():
        loss, agreement = denoising_loss(network, x, lam, (x + 1) / 2, 1.0)
    assert float(loss) < 1e-5 and agreement == 1


def test_the_pretrained_classifier_takes_samples_as_they_are():
    bare = build_network("pretrained-lite0", {}, 3, 1000).eval()
    x, lam = some_samples(), torch.tensor([0.3, 1.0])
    with torch.inference_mode():
        expected = efficientnet_lite0()(preprocess((x + 1) / 2))
        assert torch.allclose(bare.head(bare.features(x, lam)), expected, atol=1e-4)
    assert bare.pictures(x, lam) is None and bare.saved_state() == {}
    bare.load_saved_state({})
    with pytest.raises(RuntimeError, match="unexpected weights: denoiser"):
        bare.load_saved_state({"denoiser": torch.zeros(1)})


@pytest.mark.parametrize(("kind", "settings"), [("denoised-lite0", SETTINGS), ("pretrained-lite0", {})])
def test_other_classes_are_refused(kind, settings):
    with pytest.raises(ValueError, match="1000 classes"):
        build_network(kind, settings, 3, 10)
