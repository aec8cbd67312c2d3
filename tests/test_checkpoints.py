import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from dssn_core import certify, count_votes, list_models, load_model
from dssn_core.architectures import build_network
from dssn_core.checkpoints import PRETRAINED, WEIGHTS, read_manifest, save_checkpoint, save_manifest
from dssn_core.classifier import Classifier
from dssn_core.constants import DUELS, PLURALITY
from dssn_core.manifest import MANIFEST, CheckpointError, Manifest, StatedOffsets
from dssn_core.splitting import SplitNoise
from tests.random_networks import randomize

SHAPE = (3, 16, 16)
SETTINGS = {"stem": 4, "stages": [4, 8], "embedding": 8}


def small_network(seed=0):
    return randomize(build_network("film-resnet", SETTINGS, 3, 3), seed)


def small_manifest():
    return Manifest(
        name="tiny",
        architecture="film-resnet",
        settings=SETTINGS,
        precision="float32",
        class_names=("ant", "bee", "cow"),
        input_shape=SHAPE,
        noise="dssn",
        offsets=StatedOffsets.of("white", 3, SHAPE),
        sigma_range=(0.1, 3.5),
        training={"images": 1},
        measured={},
        weights_sha256="",
    )


@pytest.fixture
def folder(tmp_path):
    """A pretrained/ with the one good model `tiny`."""
    save_checkpoint(tmp_path / "pretrained" / "tiny", small_network(), small_manifest())
    return tmp_path / "pretrained"


def edit(folder, **changes):
    """Rewrite fields of tiny's manifest; a value of None removes the field."""
    path = folder / "tiny" / MANIFEST
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))


def put_weights(folder, data):
    """Replace tiny's weights and make their hash match."""
    (folder / "tiny" / WEIGHTS).write_bytes(data)
    edit(folder, weights_sha256=hashlib.sha256(data).hexdigest())


def refused(folder, message):
    with pytest.raises(CheckpointError, match=message):
        load_model("tiny", folder)


# --- round trip ---


def test_a_saved_model_comes_back(folder):
    model = load_model("tiny", folder)
    assert (model.num_classes, model.class_names, model.input_shape) == (3, ("ant", "bee", "cow"), SHAPE)
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    for name, tensor in small_network().state_dict().items():
        found = model.network.state_dict()[name]
        assert found.dtype == tensor.dtype
        expected = tensor.half().float() if tensor.is_floating_point() else tensor  # kept as float16
        assert torch.equal(found, expected), name


def test_a_saved_manifest_comes_back(folder):
    saved = save_checkpoint(folder / "tiny", small_network(), small_manifest())
    model = load_model("tiny", folder)
    assert model.manifest == saved == read_manifest(folder / "tiny")
    assert saved.weights_sha256 == hashlib.sha256((folder / "tiny" / WEIGHTS).read_bytes()).hexdigest()
    assert Manifest.from_json(saved.to_json()) == saved


def test_saving_twice_gives_the_same_bytes(folder, tmp_path):
    save_checkpoint(tmp_path / "again", small_network(), small_manifest())
    for file in (WEIGHTS, MANIFEST):
        assert (tmp_path / "again" / file).read_bytes() == (folder / "tiny" / file).read_bytes()


def test_the_same_weights_saved_again_keep_what_was_measured(folder):
    path = folder / "tiny"
    save_manifest(path, replace(read_manifest(path), measured={"before": {"1": 1}, "again": {"1": 1}}))
    saved = save_checkpoint(path, small_network(), replace(small_manifest(), measured={"again": {"1": 2}}))
    assert read_manifest(path).measured == saved.measured == {"before": {"1": 1}, "again": {"1": 2}}
    other = small_network()
    other.get_parameter("head.bias").data += 1
    assert save_checkpoint(path, other, small_manifest()).measured == {}


def test_another_base_classifier_of_the_same_weights_takes_over_no_figures(folder):
    path = folder / "tiny"
    save_manifest(path, replace(read_manifest(path), measured={"before": {"1": 1}}))
    other = replace(small_manifest(), offsets=StatedOffsets.of("white", 4, SHAPE))
    assert save_checkpoint(path, small_network(), other).measured == {}


def test_saving_leaves_the_network_alone(tmp_path):
    network = small_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save_checkpoint(tmp_path / "tiny", network, small_manifest())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_loaded_model_votes_as_the_saved_one(folder):
    network = small_network()
    network.load_state_dict(
        {n: t.half().float() if t.is_floating_point() else t for n, t in network.state_dict().items()}
    )
    original = Classifier(network, ("ant", "bee", "cow"), SHAPE, "float32").eval()
    model = load_model("tiny", folder)
    image = torch.randint(0, 256, SHAPE, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    expected = count_votes(original, image, SplitNoise(132, SHAPE, "white", seed=3))
    certificate = certify(model, image, levels=132)
    assert certificate.votes == tuple(expected.tolist())


# --- finding models ---


def test_a_model_that_splits_blocks_of_pixels_says_so(folder):
    assert load_model("tiny", folder).manifest.block == (1, 1, 1)
    record = StatedOffsets.of("r2", 0, SHAPE, (3, 1, 1)).to_json()
    assert record["block"] == [3, 1, 1]
    edit(folder, offsets=record)
    model = load_model("tiny", folder)
    assert model.manifest.block == (3, 1, 1)
    noise = model.manifest.noise_at(441)
    assert (noise.block, noise.offsets_sha256) == ((3, 1, 1), record["sha256"]["441"])


def test_models_are_listed_in_order(folder):
    save_checkpoint(folder / "ape", small_network(), small_manifest())
    (folder / "zoo").mkdir()  # no manifest, no model
    assert list_models(folder) == ("ape", "tiny")


def test_a_folder_that_is_not_there_has_no_models(tmp_path):
    assert list_models(tmp_path / "nowhere") == ()


def test_a_model_can_be_named_by_its_path(folder):
    assert load_model(str(folder / "tiny")).num_classes == 3


def test_pretrained_stands_beside_the_package():
    assert PRETRAINED.is_absolute() and (PRETRAINED.parent / "dssn_core").is_dir()


def test_the_working_directory_does_not_matter(folder, tmp_path, monkeypatch):
    # A folder of the same name here must not be mistaken for the model.
    (tmp_path / "elsewhere" / "tiny").mkdir(parents=True)
    (tmp_path / "elsewhere" / "tiny" / MANIFEST).write_text("{}")
    before = list_models()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load_model("tiny", folder).num_classes == 3
    assert list_models() == before


@pytest.mark.parametrize("name", list_models())
def test_shipped_models_load_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_model(name).manifest.weights_sha256


def test_an_unknown_name_is_answered_with_the_known_ones(folder):
    save_checkpoint(folder / "ape", small_network(), small_manifest())
    with pytest.raises(CheckpointError, match="unknown model 'huge'; known: ape, tiny"):
        load_model("huge", folder)


def test_an_unknown_name_where_there_is_no_model(tmp_path):
    with pytest.raises(CheckpointError, match=r"unknown model 'huge'; known: none in .*pip install -e"):
        load_model("huge", tmp_path)


@pytest.mark.parametrize("file", ["manifest.json", "weights.safetensors"])
def test_a_file_that_may_not_be_read(folder, file, monkeypatch):
    readable = Path.read_bytes

    def read(path):
        if path.name == file:
            raise PermissionError(13, "Permission denied")
        return readable(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    with pytest.raises(CheckpointError, match=rf"{file} cannot be read: Permission denied"):
        load_model("tiny", folder)


def test_a_manifest_that_is_not_there(tmp_path):
    with pytest.raises(CheckpointError, match=r"manifest\.json is missing"):
        read_manifest(tmp_path)


# --- tampering: weights ---


def weights_of(folder):
    return (folder / "tiny" / WEIGHTS).read_bytes()


@pytest.mark.parametrize("place", [0, 100, -1])
def test_one_flipped_bit_in_the_weights(folder, place):
    data = bytearray(weights_of(folder))
    data[place] ^= 1
    (folder / "tiny" / WEIGHTS).write_bytes(bytes(data))
    refused(folder, "SHA-256")


def test_truncated_weights(folder):
    data = weights_of(folder)[:-10]
    (folder / "tiny" / WEIGHTS).write_bytes(data)
    refused(folder, "SHA-256")
    put_weights(folder, data)
    refused(folder, "not a safetensors file")


def test_weights_that_are_something_else(folder):
    put_weights(folder, b"\x80\x04\x95 a pickle, perhaps")
    refused(folder, "not a safetensors file")


def test_weights_that_are_not_there(folder):
    os.remove(folder / "tiny" / WEIGHTS)
    refused(folder, r"weights\.safetensors is missing")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(folder, value):
    tensors = safetensors.torch.load(weights_of(folder))
    tensors["head.weight"][0, 0] = value
    put_weights(folder, safetensors.torch.save(tensors))
    refused(folder, "not finite")


def test_a_tensor_missing_or_too_many(folder):
    tensors = safetensors.torch.load(weights_of(folder))
    bias = tensors.pop("head.bias")
    put_weights(folder, safetensors.torch.save(tensors))
    refused(folder, r"head\.bias")
    put_weights(folder, safetensors.torch.save({**tensors, "head.bias": bias, "spare": bias.clone()}))
    refused(folder, "spare")


def test_settings_of_another_size(folder):
    edit(folder, settings={**SETTINGS, "stages": [4, 16]})
    refused(folder, "size mismatch")


def test_a_class_too_many(folder):
    edit(folder, class_names=["ant", "bee", "cow", "dog"])
    refused(folder, r"head\.weight")


def test_a_manifest_of_before_duels_counts_by_plurality(folder):
    assert load_model("tiny", folder).counting == PLURALITY
    edit(folder, counting=None)
    assert load_model("tiny", folder).counting == PLURALITY
    edit(folder, counting=DUELS)
    assert load_model("tiny", folder).counting == DUELS


def test_a_model_that_is_saved_again_is_counted_as_before(folder):
    edit(folder, counting=DUELS, measured={"x": {"count": 1}})
    again = save_checkpoint(folder / "tiny", small_network(), small_manifest())
    assert again == read_manifest(folder / "tiny")
    assert (again.counting, again.measured) == (DUELS, {"x": {"count": 1}})


def test_an_unknown_architecture(folder):
    edit(folder, architecture="vgg")
    refused(folder, "unknown architecture 'vgg'")


def test_settings_with_which_no_picture_fits_through(tmp_path):
    shutil.copytree(PRETRAINED / "cifar10-dssn-blocks", tmp_path / "cifar10-dssn-blocks")
    manifest = read_manifest(tmp_path / "cifar10-dssn-blocks")
    unfit = replace(manifest, settings={**manifest.settings, "subsample": 16})
    save_manifest(tmp_path / "cifar10-dssn-blocks", unfit)
    with pytest.raises(CheckpointError, match="pictures of 32 x 32 do not fit through this network"):
        load_model("cifar10-dssn-blocks", tmp_path)


def test_settings_that_do_not_fit(folder):
    edit(folder, settings={**SETTINGS, "depth": 3})
    refused(folder, "depth")


def test_a_folder_that_is_not_named_as_its_model_is_refused(folder):
    (folder / "tiny").rename(folder / "mine")
    with pytest.raises(CheckpointError, match="mine: the manifest names the model 'tiny'; give both the same name"):
        load_model("mine", folder)
    assert load_model(str(folder / "mine")).manifest.name == "tiny"  # a path says itself what is meant


def test_an_unknown_precision(folder):
    edit(folder, precision="int4")
    refused(folder, "unknown precision 'int4'")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "offsets made here by 'white'"),
        ({"scheme": "r2"}, "offsets made here by 'r2'"),
        ({"sha256": {}}, "offsets made here"),
        ({"scheme": "r3"}, "unknown offset scheme 'r3'"),
        ({"scheme": ["r2"]}, "offsets/scheme: "),
        ({"scheme": None}, "offsets/scheme: "),
        ({"seed": "3"}, "offsets/seed: "),
        ({"seed": -1}, "offsets/seed: "),
        ({"block": [3, 1, 1]}, "offsets made here by 'white'"),
        ({"block": [1, 3, 1]}, "do not divide"),
        ({"block": [1, 1, 1]}, "a block of one pixel must not be stated"),
        ({"block": [1, 1]}, "offsets/block: "),
        ({"block": 3}, "offsets/block: "),
        ({"blocks": [1, 1, 1]}, "offsets: Additional properties"),
    ],
)
def test_offsets_that_are_not_the_manifests(folder, change, message):
    edit(folder, offsets={**StatedOffsets.of("white", 3, SHAPE).to_json(), **change})
    refused(folder, message)


def test_the_three_networks_that_are_compared_differ_in_their_noise_alone():
    manifests = {name: load_model(name).manifest for name in ("cifar10-dssn", "cifar10-uniform", "cifar10-ssn")}
    later = {"consistency": 0.0, "inference": "float32"}  # what older manifests do not say yet, and how it was
    trained = [{k: v for k, v in {**later, **m.training}.items() if k != "noise"} for m in manifests.values()]
    assert trained[0] == trained[1] == trained[2]
    assert trained[0]["images"] == 4_000_000 and trained[0]["precision"] == "float32"
    assert {m.precision for m in manifests.values()} == {"float32"}
    assert [m.noise for m in manifests.values()] == ["dssn", "uniform", "ssn"]
    shapes = [{k: v for k, v in m.settings.items() if k != "scaled_input"} for m in manifests.values()]
    assert shapes[0] == shapes[1] == shapes[2]  # additive noise is brought to one scale first, the others are not


@pytest.mark.parametrize("settings", [{"stages": {}}, {"stages": [1 << 80]}, {"stem": []}])
def test_settings_of_another_kind_are_refused(settings):
    with pytest.raises(ValueError, match="do not fit"):
        build_network("film-pooled", settings, 3, 3)
