"""What a model's folder keeps of evaluations, and never loses."""

import gzip
import json
import shutil
import threading
import time
from dataclasses import replace

import pytest

from dssn_core import evaluation, record_files
from dssn_core.__main__ import main
from dssn_core.checkpoints import PRETRAINED, read_manifest, save_manifest
from dssn_core.datasets import list_dataset
from dssn_core.files import only_writer, write_json_lines
from dssn_core.held_out import seen_in
from dssn_core.images import read_image
from dssn_core.manifest import StatedOffsets
from dssn_core.record_files import HELD_OUT, TEST, RecordLog, keep_records, kept_records, measured_on, publish
from dssn_core.records import Part, Record
from dssn_core.voting import certify
from tests.evaluated import SAMPLING, a_record, class_folders, interrupted_after, unmeasured


def test_records_are_kept_once_and_of_one_set_of_weights(tmp_path):
    records = [replace(a_record(steps), index=steps) for steps in (3, 1, 2)]
    keep_records(tmp_path, TEST, records[:2])
    keep_records(tmp_path, TEST, records[1:])
    assert [record.index for record in kept_records(tmp_path, TEST)] == [1, 2, 3]
    assert kept_records(tmp_path, HELD_OUT) == []
    before = (tmp_path / "test.jsonl.gz").read_bytes()
    keep_records(tmp_path, TEST, records)
    assert (tmp_path / "test.jsonl.gz").read_bytes() == before
    with pytest.raises(ValueError, match="counted in another way"):
        keep_records(tmp_path, TEST, [replace(records[0], precision="bfloat16")])
    assert (tmp_path / "test.jsonl.gz").read_bytes() == before
    other_noise = replace(records[0], levels=443, votes=(0, 225, 218), precision="bfloat16")
    keep_records(tmp_path, TEST, [other_noise])
    assert other_noise in kept_records(tmp_path, TEST)  # one number format for each N
    keep_records(tmp_path, TEST, [replace(records[0], weights_sha256="new")])
    assert [record.weights_sha256 for record in kept_records(tmp_path, TEST)] == ["new"]
    with pytest.raises(ValueError, match="more than one model"):
        keep_records(tmp_path, TEST, [records[0], replace(records[1], weights_sha256="new")])


def test_records_are_not_replaced_by_those_of_other_images(tmp_path):
    """Of another data set, or as another decoder reads the same files."""
    keep_records(tmp_path, TEST, records := [a_record(3)])
    with pytest.raises(ValueError, match="the image of index"):
        keep_records(tmp_path, TEST, [replace(records[0], levels=443, votes=(0, 225, 218), image_sha256="another")])
    assert kept_records(tmp_path, TEST) == records


def test_only_the_models_own_method_is_recorded_which_is_said_before_the_data_are_read(tmp_path, capsys):
    data = str(tmp_path / "nothing")
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--limit", "10", "--method", "uniform", "--record"]
    assert main(command) == 1
    assert "only its own method is kept" in capsys.readouterr().err


def test_records_of_another_evaluation_meanwhile_are_not_lost(tmp_path, monkeypatch):
    """Of two evaluations of one model the one that ends last has read the manifest before the other wrote it."""
    folder = unmeasured(tmp_path)
    data = str(class_folders(tmp_path))

    def meanwhile(*arguments):
        manifest = read_manifest(folder)
        save_manifest(folder, replace(manifest, measured={**manifest.measured, "other figures": {"1": 1}}))
        publish(*arguments)

    monkeypatch.setattr(record_files, "publish", meanwhile)
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--limit", "10", "--model", str(folder), "--record"]
    assert main([*command, "--output", str(tmp_path / "records.jsonl")]) == 0
    assert {"other figures", "certified_accuracy"} <= set(read_manifest(folder).measured)


def test_an_evaluation_goes_on_from_what_is_kept(tmp_path, monkeypatch):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "8"]) == 0
    eight = kept_records(folder, TEST)

    counted = []
    monkeypatch.setattr(evaluation, "certify", lambda *a, **k: counted.append(a) or certify(*a, **k))
    output = tmp_path / "records.jsonl"
    assert main([*command, "--limit", "10", "--output", str(output)]) == 0
    ten = kept_records(folder, TEST)
    assert (len(eight), len(ten), len(counted)) == (8, 10, 2)
    assert set(eight) < set(ten)
    assert len(output.read_text().splitlines()) == 10  # the output is whole all the same


def test_an_evaluation_with_an_output_goes_on_from_what_was_under_way(tmp_path, monkeypatch):
    folder, output = unmeasured(tmp_path), tmp_path / "records.jsonl"
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    counted = interrupted_after(8, monkeypatch)
    assert main([*command, "--limit", "10"]) == 130
    monkeypatch.setattr(evaluation, "certify", lambda *a, **k: counted.append(a) or certify(*a, **k))
    assert main([*command, "--limit", "10", "--output", str(output)]) == 0
    assert len(counted) == 10 and len(kept_records(folder, TEST)) == len(output.read_text().splitlines()) == 10
    assert not [*folder.glob(".*.jsonl")]


def test_what_another_evaluation_keeps_meanwhile_is_not_counted_again(tmp_path, monkeypatch):
    folder, counted, others = unmeasured(tmp_path), [], []
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--model", str(folder), "--record", "--limit", "4"]

    def meanwhile(*arguments):
        publish(*arguments)
        if not others:
            others.append(1)
            assert main([*command, "--sigma", "0.1"]) == 0

    monkeypatch.setattr(record_files, "publish", meanwhile)
    monkeypatch.setattr(evaluation, "certify", lambda *a, **k: counted.append(a) or certify(*a, **k))
    assert main([*command, "--sigma", "0.05", "0.1"]) == 0
    assert len(counted) == len(kept_records(folder, TEST)) == 8


def test_noises_that_come_to_the_same_samples_are_evaluated_once(tmp_path, monkeypatch):
    folder, counted = unmeasured(tmp_path), []
    monkeypatch.setattr(evaluation, "certify", lambda *a, **k: counted.append(a) or certify(*a, **k))
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--model", str(folder), "--record", "--limit", "4"]
    assert main([*command, "--sigma", "0.1", "0.1001"]) == 0
    assert len(counted) == 4


def test_records_in_another_number_format_are_not_replaced(tmp_path, capsys):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--limit", "10", "--model", str(folder), "--record"]
    assert main([*command, "--sigma", "0.1"]) == 0
    others = [replace(record, precision="other").to_json() for record in kept_records(folder, TEST)]
    write_json_lines(folder / TEST.file, others)
    before = (folder / "test.jsonl.gz").read_bytes()
    capsys.readouterr()
    assert main([*command, "--sigma", "0.05", "0.1"]) == 1
    said = capsys.readouterr().err
    assert "10 records at N = 88, counted in another way (other, by plurality; not float32, by plurality)" in said
    assert (folder / "test.jsonl.gz").read_bytes() == before
    assert main([*command, "--sigma", "0.05"]) == 0
    assert {record.levels: record.precision for record in kept_records(folder, TEST)} == {44: "float32", 88: "other"}


def test_records_of_other_data_are_not_replaced(tmp_path, capsys):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    before = (folder / "test.jsonl.gz").read_bytes()
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main(command) == 1
    assert "mine keeps records of cifar10-test-half.zip" in capsys.readouterr().err
    assert (folder / "test.jsonl.gz").read_bytes() == before


def test_records_of_other_draws_are_not_replaced(tmp_path, capsys):
    folder = unmeasured(tmp_path, "cifar10-uniform")
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.5", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "2", "--samples", "50"]) == 0
    before = (folder / "test.jsonl.gz").read_bytes()
    assert main([*command, "--limit", "1", "--samples", "40"]) == 1
    assert "n 50, alpha 0.001, seed 0, batch_size 64; not float32" in capsys.readouterr().err
    assert (folder / "test.jsonl.gz").read_bytes() == before


def test_records_at_one_noise_are_drawn_in_one_way(tmp_path):
    drawn = replace(a_record(0), radius_steps=None, sampling=SAMPLING)
    with pytest.raises(ValueError, match="more than one way"):
        keep_records(tmp_path, TEST, [drawn, replace(drawn, sampling=replace(SAMPLING, n=SAMPLING.n + 1))])


def test_each_noise_is_kept_when_it_is_whole(tmp_path, monkeypatch, capsys):
    """An interruption, or a picture that cannot be read, costs what is unfinished only."""
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--limit", "10", "--model", str(folder), "--record"]

    def mortal(model, image, levels, **others):
        if levels == 88:
            raise KeyboardInterrupt
        return certify(model, image, levels, **others)

    monkeypatch.setattr(evaluation, "certify", mortal)
    assert main([*command, "--sigma", "0.05", "0.1"]) == 130
    assert [record.levels for record in kept_records(folder, TEST)] == [44] * 10
    assert list(read_manifest(folder).measured["certified_accuracy"]["by_levels"]) == ["44"]
    monkeypatch.setattr(evaluation, "certify", certify)
    assert main([*command, "--sigma", "0.05", "0.1"]) == 0
    assert {record.levels for record in kept_records(folder, TEST)} == {44, 88}


def test_nothing_is_kept_beside_other_weights(tmp_path):
    folder = unmeasured(tmp_path)
    with pytest.raises(ValueError, match="holds another model than at the start"):
        publish(folder, TEST, [a_record(3)], "data")
    assert kept_records(folder, TEST) == []


def test_records_that_the_manifest_does_not_name_are_known_by_their_images(tmp_path, capsys):
    """As after a kill between the two files."""
    folder = unmeasured(tmp_path)
    keep_records(folder, TEST, [replace(a_record(3), weights_sha256=read_manifest(folder).weights_sha256)])
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main(command) == 1
    assert "the image of index 0 is not the one that mine keeps a record of" in capsys.readouterr().err
    (folder / "test.jsonl.gz").unlink()
    assert main([*command, "--limit", "10"]) == 0
    figures = read_manifest(folder).measured
    save_manifest(folder, replace(read_manifest(folder), measured={}))
    assert main([*command, "--limit", "10"]) == 0
    assert read_manifest(folder).measured == figures


def test_all_records_that_the_manifest_does_not_name_are_compared_with_the_images(tmp_path, monkeypatch, capsys):
    folder = unmeasured(tmp_path)
    monkeypatch.setattr(record_files, "SEEN_AGAIN", 1)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "10"]) == 0
    *others, last = kept_records(folder, TEST)
    forged = [*others, replace(last, image_sha256="another")]
    write_json_lines(folder / TEST.file, (record.to_json() for record in forged))
    save_manifest(folder, replace(read_manifest(folder), measured={}))
    monkeypatch.setattr(evaluation, "certify", lambda *_, **__: pytest.fail("voted"))
    assert main([*command, "--limit", "10"]) == 1
    assert f"the image of index {last.index} is not the one" in capsys.readouterr().err


def test_records_of_weights_that_are_gone_stop_no_evaluation(tmp_path):
    folder = unmeasured(tmp_path)
    keep_records(folder, TEST, [a_record(3)])
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "10"]) == 0
    assert {record.weights_sha256 for record in kept_records(folder, TEST)} == {read_manifest(folder).weights_sha256}


def test_records_of_other_blocks_are_of_another_network(tmp_path):
    alone = a_record(128)
    together = replace(alone, block=(3, 1, 1))
    assert alone.key != together.key and alone.voter != together.voter
    assert Record.from_json(json.loads(json.dumps(together.to_json()))) == together
    before = {name: value for name, value in alone.to_json().items() if name != "block"}
    assert Record.from_json(before) == alone  # as files had it before there were blocks
    with pytest.raises(ValueError, match="block must be"):
        Record.from_json({**alone.to_json(), "block": [3, 1]})
    keep_records(tmp_path, TEST, [alone])
    keep_records(tmp_path, TEST, [together])
    assert kept_records(tmp_path, TEST) == [together]
    with pytest.raises(ValueError, match="more than one model"):
        keep_records(tmp_path, TEST, [alone, together])


def test_records_under_other_offsets_are_of_another_classifier(tmp_path):
    """Of the same weights: a copy of a model with other offsets votes otherwise."""
    folder = unmeasured(tmp_path)
    data = str(class_folders(tmp_path))
    command = ["evaluate", "--data", data, "--limit", "10", "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main(command) == 0
    (evenly,) = {record.offsets for record in kept_records(folder, TEST)}
    before = read_manifest(folder)
    random = StatedOffsets.of("white", 3, before.input_shape)
    save_manifest(folder, replace(before, offsets=random, measured={}))
    assert evenly == "r2 0" and kept_records(folder, TEST, read_manifest(folder)) == []
    output = tmp_path / "records.jsonl"
    write_json_lines(output, (record.to_json() for record in kept_records(folder, TEST)))
    assert main([*command, "--output", str(output)]) == 0
    assert {record.offsets for record in kept_records(folder, TEST)} == {"white 3"}
    assert len(output.read_text().splitlines()) == 20  # ten of either
    record = kept_records(folder, TEST)[0]
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
    older = {name: value for name, value in record.to_json().items() if name != "offsets"}
    assert Record.from_json(older) == replace(record, offsets="r2 0")  # as files had it before offsets were named


def test_an_interrupted_evaluation_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    folder = unmeasured(tmp_path)
    data = str(class_folders(tmp_path))
    command = ["evaluate", "--data", data, "--limit", "10", "--sigma", "0.1", "--model", str(folder), "--record"]
    counted = interrupted_after(4, monkeypatch)
    assert main(command) == 130
    assert not (folder / TEST.file).exists()  # part of the images would not be evenly spread
    monkeypatch.setattr(evaluation, "certify", lambda *a, **k: counted.append(a) or certify(*a, **k))
    with only_writer(folder / ".certified_accuracy-88.jsonl"):  # as of another process that counts the same
        assert main(command) == 1
    assert "another process is writing to" in capsys.readouterr().err
    assert main(command) == 0
    assert len(counted) == 10 and len(kept_records(folder, TEST)) == 10
    assert not [*folder.glob(".*.jsonl")] and "right, certified at rho" in capsys.readouterr().out


def test_a_smaller_evaluation_leaves_what_an_interrupted_one_has_counted(tmp_path, monkeypatch):
    folder = unmeasured(tmp_path)
    data = str(class_folders(tmp_path))
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--model", str(folder), "--record"]
    counted = interrupted_after(8, monkeypatch)
    assert main([*command, "--limit", "10"]) == 130
    assert main([*command, "--limit", "2"]) == 0  # of those that are counted
    assert len(kept_records(folder, TEST)) == 2
    monkeypatch.setattr(evaluation, "certify", lambda *a, **k: counted.append(a) or certify(*a, **k))
    assert main([*command, "--limit", "10"]) == 0
    assert len(counted) == 10 and len(kept_records(folder, TEST)) == 10
    assert not [*folder.glob(".*.jsonl")]


def test_records_drawn_otherwise_do_not_replace_those_before_at_their_noise(tmp_path):
    """Not even where those came while these were counted."""
    drawn = replace(a_record(0), radius_steps=None, votes=(0, 120, 80), sampling=SAMPLING)
    old = [replace(drawn, index=index) for index in range(3)]
    other = replace(drawn, levels=40)
    keep_records(tmp_path, TEST, [*old, other])
    new = replace(old[1], votes=(0, 120, 81), sampling=replace(SAMPLING, n=SAMPLING.n + 1))
    with pytest.raises(ValueError, match="3 records at N = 441, counted in another way"):
        keep_records(tmp_path, TEST, [new])
    assert kept_records(tmp_path, TEST) == [other, *old]


def test_a_manifest_says_what_the_kept_records_add_up_to():
    measured = measured_on([a_record(127), a_record(128)], "some images")
    assert measured["data"] == "some images"
    assert measured["by_levels"]["441"]["precision"] == "float32"
    assert measured["by_levels"]["441"]["by_rho"]["0.5"]["count"] == 1
    assert measured["by_levels"]["441"]["by_rho"]["0.5"]["images"] == 2
    assert list(measured["by_levels"]["441"]["by_rho"]) == ["0", "0.1", "0.25", "0.5"]


@pytest.mark.parametrize("before", [False, True])
def test_the_images_of_the_training_are_no_test_images(tmp_path, capsys, before):
    folder, data = unmeasured(tmp_path), class_folders(tmp_path)
    manifest = read_manifest(folder)
    trained_on = list_dataset(str(data)).description.replace("data", "before it was renamed")
    told = {"seen_before": [seen_in(manifest.training)[0] | {"data": trained_on}]} if before else {"data": trained_on}
    save_manifest(folder, replace(manifest, training={**manifest.training, **told}))
    command = ["evaluate", "--data", str(data), "--sigma", "0.1", "--limit", "10", "--model", str(folder)]
    assert main([*command, "--record"]) == 1
    assert "only --held-out records can be kept" in capsys.readouterr().err
    assert main(command) == 0


def test_the_other_part_of_the_file_that_a_model_was_trained_on_is_a_test_set(tmp_path, capsys):
    """Both parts are in one zip, and equally large: neither hash nor number tells them apart."""
    pictures, both = class_folders(tmp_path), tmp_path / "both"
    for part in ("train", "test"):
        shutil.copytree(pictures, both / part)
    data = shutil.make_archive(str(both), "zip", both)
    folder = unmeasured(tmp_path)
    manifest = read_manifest(folder)
    command = ["evaluate", "--data", data, "--sigma", "0.1", "--limit", "10", "--model", str(folder), "--record"]
    for trained_on, code in ((list_dataset(data).description, 0), (list_dataset(data, train=False).description, 1)):
        save_manifest(folder, replace(manifest, training={**manifest.training, "data": trained_on}))
        assert main(command) == code
    assert "both.zip, part test: 10 images" in capsys.readouterr().err
    # Earlier manifests did not tell the part: then it may be this one.
    save_manifest(
        folder, replace(manifest, training={**manifest.training, "data": trained_on.replace(", part test", "")})
    )
    assert main(command) == 1


def test_images_that_are_read_otherwise_are_refused_before_anything_is_counted(tmp_path, monkeypatch, capsys):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--limit", "10"]) == 0
    monkeypatch.setattr("dssn_core.datasets.read_image", lambda data, size: 255 - read_image(data, size))
    monkeypatch.setattr(evaluation, "certify", lambda *_, **__: pytest.fail("voted"))
    before = (folder / "test.jsonl.gz").read_bytes()
    assert main([*command, "--limit", "10"]) == 1
    assert "the image of index 0 is not the one that mine keeps a record of" in capsys.readouterr().err
    assert (folder / "test.jsonl.gz").read_bytes() == before


def test_the_figures_of_a_part_are_of_its_records_alone(tmp_path):
    folder = unmeasured(tmp_path)
    weights = read_manifest(folder).weights_sha256
    for index, (file, part) in enumerate((("v_0.png", Part("v_*")), ("t_1.png", Part(but="v_*")))):
        publish(folder, TEST, [replace(a_record(3), index=index, file=file, weights_sha256=weights)], "data", part)
        told = read_manifest(folder).measured[f"certified_accuracy{part}"]
        assert told["by_levels"]["441"]["by_rho"]["0"]["images"] == 1


def test_records_of_a_part_are_not_mixed_with_those_of_the_whole(tmp_path, capsys):
    folder = unmeasured(tmp_path)
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--model", str(folder), "--record"]
    assert main([*command, "--files", "0.*", "--limit", "10"]) == 0
    assert main([*command, "--limit", "10"]) == 1
    assert "mine keeps records of parts of the data, not of the whole data" in capsys.readouterr().err
    assert main([*command, "--files", "0.p*", "--limit", "10"]) == 0
    shutil.rmtree(folder)
    folder = unmeasured(tmp_path)
    assert main([*command, "--limit", "10"]) == 0
    assert main([*command, "--files", "0.*", "--limit", "10"]) == 1
    assert "mine keeps records of the whole data, not of parts of the data" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"precision": ["x"]}, {"file": 5}, {"image_sha256": None}, {"seconds": "1"}])
def test_a_record_whose_texts_are_none_is_refused(change):
    with pytest.raises(ValueError, match="not a record"):
        Record.from_json({**a_record(3).to_json(), **change})


def test_a_line_that_is_no_record_is_named(tmp_path):
    path = tmp_path / "records.jsonl"
    good = a_record(3).to_json()
    write_json_lines(path, [good, {**good, "votes": [1, 2]}])
    with pytest.raises(ValueError, match=r"records\.jsonl, line 2: this is not a record .*; take that line out, or"):
        RecordLog(path)


def test_a_record_that_is_there_twice_is_not_counted_twice(tmp_path):
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "model")
    lines = gzip.decompress((folder / TEST.file).read_bytes())
    (folder / TEST.file).write_bytes(gzip.compress(lines + lines.splitlines(keepends=True)[0]))
    with pytest.raises(ValueError, match="more than one record of an image at the same N"):
        kept_records(folder, TEST)


def test_a_label_that_was_put_right_counts_in_the_file_too(tmp_path):
    path = tmp_path / "records.jsonl"
    record = kept_records(PRETRAINED / "cifar10-dssn", TEST)[0]
    for one in (record, replace(record, label=9, file="moved.png"), record):
        RecordLog(path).add(one)
        assert RecordLog(path).records == {record.key: one}
    assert len(path.read_text().splitlines()) == 1


def test_a_network_that_was_trained_anew_may_keep_records_of_other_data(tmp_path):
    """Its manifest has the figures of the one before for a while; of its own there are none."""
    folder = shutil.copytree(PRETRAINED / "cifar10-dssn", tmp_path / "mine")
    for kept in folder.glob("*.jsonl.gz"):
        kept.unlink()
    assert read_manifest(folder).measured
    command = ["evaluate", "--data", str(class_folders(tmp_path)), "--sigma", "0.1", "--limit", "10", "--record"]
    assert main([*command, "--model", str(folder)]) == 0


def test_two_that_publish_at_once_lose_nothing(tmp_path, monkeypatch):
    folder = unmeasured(tmp_path)
    weights, keep, inside = read_manifest(folder).weights_sha256, record_files.keep_records, []

    def slowly(*arguments):
        inside.append(1)
        assert len(inside) == 1
        time.sleep(0.3)
        found = keep(*arguments)
        inside.pop()
        return found

    monkeypatch.setattr(record_files, "keep_records", slowly)
    records = [[replace(a_record(3), index=place, weights_sha256=weights)] for place in range(2)]
    threads = [threading.Thread(target=publish, args=(folder, TEST, of, "data")) for of in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept_records(folder, TEST)) == 2


def test_a_record_of_an_image_that_is_not_there_belongs_to_other_data(tmp_path, capsys):
    folder, data = unmeasured(tmp_path), class_folders(tmp_path)  # of ten images
    weights = read_manifest(folder).weights_sha256
    keep_records(folder, TEST, [replace(a_record(3), index=10, weights_sha256=weights)])
    command = ["evaluate", "--data", str(data), "--sigma", "0.1", "--limit", "10", "--model", str(folder), "--record"]
    assert main(command) == 1 and "the image of index 10 is not the one" in capsys.readouterr().err
