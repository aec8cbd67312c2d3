from dataclasses import replace

import pytest
import torch

from dssn_core import SplitNoise, certify, load_model
from dssn_core.__main__ import main
from dssn_core.architectures import build_network
from dssn_core.checkpoints import save_checkpoint
from dssn_core.classifier import Classifier
from dssn_core.constants import COUNTINGS
from dssn_core.ensembles import joined
from dssn_core.manifest import CheckpointError, StatedOffsets
from dssn_core.networks import Ensemble
from tests.test_checkpoints import SHAPE, small_manifest, small_network

TRAINING = {"images": 5, "data": "some", "seed": 0, "held_out_per_class": 2}


def member(seed, **changes):
    manifest = replace(small_manifest(), name=f"member {seed}", training=TRAINING)
    network = small_network(seed)
    return Classifier(network, manifest.class_names, SHAPE, "float32", replace(manifest, **changes)).eval()


def samples(rows=7):
    image = torch.randint(0, 256, SHAPE, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return SplitNoise(132, SHAPE, "white", 3).samples(image, 0, rows)


def of_network(network):
    return Classifier(network, small_manifest().class_names, SHAPE, "float32").eval()


def test_it_answers_with_the_mean_of_its_members_logs():
    members = [member(seed) for seed in range(3)]
    ensemble, _ = joined(members, "three")
    x = samples()
    with torch.inference_mode():
        expected = torch.stack([one(x, 0.3).log_softmax(1) for one in members]).mean(0)
        assert torch.allclose(of_network(ensemble)(x, 0.3), expected, atol=1e-6)


def test_a_network_beside_itself_answers_as_it_does_alone():
    one = member(0)
    ensemble, _ = joined([one, member(0)], "twice")
    with torch.inference_mode():
        assert torch.equal(of_network(ensemble)(samples(), 0.3).argmax(1), one(samples(), 0.3).argmax(1))


def test_a_joined_model_comes_back_from_its_folder(tmp_path):
    ensemble, manifest = joined([member(0), member(1, sigma_range=(0.2, 4.5))], "pair")
    assert manifest.sigma_range == (0.2, 3.5) and manifest.images_seen == 10
    assert [m["name"] for m in manifest.training["members"]] == ["member 0", "member 1"]
    halves = {name: t.half().float() if t.is_floating_point() else t for name, t in ensemble.saved_state().items()}
    ensemble.load_saved_state(halves)
    save_checkpoint(tmp_path / "pair", ensemble, manifest)
    found = load_model("pair", tmp_path)
    with torch.inference_mode():
        assert torch.equal(found(samples(), 0.3), of_network(ensemble)(samples(), 0.3))
    image = torch.zeros(SHAPE, dtype=torch.uint8)
    assert certify(found, image, levels=132).levels == 132


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": "ssn"}, "differ in noise: dssn, ssn"),
        ({"counting": "duels"}, "differ in counting: plurality, duels"),
        ({"class_names": ("ant", "bee", "cat")}, "differ in class_names"),
        (
            {"offsets": StatedOffsets.of("white", 3, SHAPE, (1, 2, 2))},
            r"differ in offsets: white \(seed 3\) over blocks of 1 x 1 x 1, white \(seed 3\) over blocks of 1 x 2 x 2$",
        ),
        ({"training": TRAINING | {"seed": 1}}, "differ in seed: 0, 1"),
        ({"training": TRAINING | {"held_out_per_class": 3}}, "differ in held_out_per_class: 2, 3"),
        ({"sigma_range": (4.0, 5.0)}, "no noise that all of them"),
    ],
)
def test_models_that_do_not_fit_are_not_joined(changes, message):
    with pytest.raises(ValueError, match=message):
        joined([member(0), member(1, **changes)], "pair")


def test_a_joined_model_may_count_otherwise_than_its_members():
    members = [member(0), member(1, counting="duels")]
    assert [joined(members, "pair", counting)[1].counting for counting in COUNTINGS] == list(COUNTINGS)
    with pytest.raises(ValueError, match="only DSSN counts votes by duels, not 'ssn'"):
        joined([member(seed, noise="ssn") for seed in range(2)], "pair", "duels")


def test_models_of_the_same_data_are_joined_whatever_its_name_and_if_it_has_none(tmp_path):
    digest = "5 images, sha256 " + "5" * 64
    one, other = (member(seed, training=TRAINING | {"data": f"{seed}.zip: {digest}"}) for seed in range(2))
    assert joined([one, other], "pair")[1].training["data"] == f"0.zip: {digest}"
    unnamed = {"images": 5}
    ensemble, manifest = joined([member(seed, training=unnamed) for seed in range(2)], "pair")
    save_checkpoint(tmp_path / "pair", ensemble, manifest)
    assert "data" not in load_model(str(tmp_path / "pair")).manifest.training
    with pytest.raises(ValueError, match="differ in data"):
        joined([one, member(2)], "pair")


def test_members_of_two_number_formats_are_joined_in_the_finer():
    formats = {"float32": {"float32", "bfloat16"}, "bfloat16": {"bfloat16"}}
    for expected, of_members in formats.items():
        members = [member(seed, precision=name) for seed, name in enumerate([*of_members] * 2)]
        assert joined(members, "pair")[1].precision == expected


def test_one_model_is_no_ensemble():
    with pytest.raises(ValueError, match="two members or more, got 1"):
        joined([member(0)], "one")


def test_a_joined_model_is_joined_as_its_members():
    one, two, three = (member(seed, training=TRAINING | {"sigma_range": (0.1, 3.5)}) for seed in range(3))
    ensemble, manifest = joined([one, two], "pair")
    pair = Classifier(ensemble, manifest.class_names, SHAPE, "float32", manifest).eval()
    at_once, expected = joined([one, two, three], "three")
    in_turn, found = joined([pair, three], "three")
    assert found == expected
    assert in_turn.saved_state().keys() == at_once.saved_state().keys()
    assert all(torch.equal(in_turn.saved_state()[name], tensor) for name, tensor in at_once.saved_state().items())
    with pytest.raises(ValueError, match="must be one network"):
        Ensemble([ensemble, three.network])


@pytest.mark.parametrize("members", [[{"architecture": "film-resnet"}, {}], [1, 2], 3, [{"architecture": "vgg"}] * 2])
def test_settings_that_make_no_ensemble_are_refused(members):
    with pytest.raises(ValueError, match="do not fit"):
        build_network("ensemble", {"members": members}, 3, 3)


@pytest.mark.parametrize("key", ["2.head.bias", "head.bias", "x.head.bias"])
def test_weights_of_no_member_are_refused(tmp_path, key):
    ensemble, manifest = joined([member(0), member(1)], "pair")
    state = ensemble.saved_state()
    ensemble.saved_state = lambda: {**state, key: torch.zeros(3)}
    save_checkpoint(tmp_path / "pair", ensemble, manifest)
    with pytest.raises(CheckpointError, match=f"weights of no member: {key}"):
        load_model("pair", tmp_path)


@pytest.fixture
def folders(tmp_path):
    """Two saved models that may be joined."""
    for seed in range(2):
        one = member(seed)
        save_checkpoint(tmp_path / f"member {seed}", one.network, one.manifest)
    return [str(tmp_path / f"member {seed}") for seed in range(2)]


def test_the_command_joins_models(folders, tmp_path, capsys):
    assert main(["join", "--model", *folders, "--output", str(tmp_path / "pair"), "--precision", "bfloat16"]) == 0
    assert load_model("pair", tmp_path).manifest.precision == "bfloat16"
    assert main(["join", "--model", *folders, "--output", str(tmp_path / "duels"), "--counting", "duels"]) == 0
    assert load_model("duels", tmp_path).counting == "duels"
    assert main(["join", "--model", folders[0], "--output", str(tmp_path / "one")]) == 1
    assert "two members or more" in capsys.readouterr().err


def test_the_command_writes_over_no_model(folders, tmp_path, capsys):
    before = (tmp_path / "member 0" / "weights.safetensors").read_bytes()
    assert main(["join", "--model", *folders, "--output", folders[0]]) == 1
    assert "holds a model already" in capsys.readouterr().err
    assert (tmp_path / "member 0" / "weights.safetensors").read_bytes() == before


def test_an_ensemble_that_does_not_tell_its_members_is_refused():
    ensemble, manifest = joined([member(0), member(1)], "pair")
    for training in ({}, {"members": [{}, {}]}, {"members": [5, 5]}):
        told = replace(manifest, training=training)
        model = Classifier(ensemble, manifest.class_names, manifest.input_shape, "float32", told)
        with pytest.raises(ValueError, match="does not say what it was joined from"):
            joined([model, model], "four")
