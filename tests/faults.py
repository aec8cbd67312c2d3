"""kill -9 in training, evaluation, keeping records and file writing: nothing is torn, and going on is exact.

    python -m tests.faults [--times 20] [--seed 0]

Each job runs once undisturbed. Then, `--times` times, it is killed at a random moment of its work, run again to its
end, and its result compared with the undisturbed one. Kills that came after its end are not counted. The exit code is 1
if any result differs.
"""

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from dssn_core.__main__ import main as command
from dssn_core.checkpoints import read_manifest
from dssn_core.constants import DUELS, levels_from_sigma
from dssn_core.datasets import CIFAR10_CLASSES, Dataset
from dssn_core.files import write_atomically
from dssn_core.gallery import built_in_pictures
from dssn_core.record_files import TEST, kept_records, kept_ways
from dssn_core.records import Way, by_levels
from dssn_core.train_settings import TrainSettings
from dssn_core.training import Trainer
from dssn_core.training_run import train
from tests.evaluated import unmeasured

VERSIONS = [bytes([version]) * 3_000_000 for version in range(8)]


@dataclass(frozen=True)
class Job:
    """work: done in a child process, in a folder that it may find half done. result: what has to be the same.

    sound: checked right after the kill, before the job is run again.
    """

    work: Callable[[Path], object]
    result: Callable[[Path], object]
    sound: Callable[[Path], bool] = lambda folder: True


def _training(folder: Path) -> None:
    """A tiny run that saves its state after every step."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (60, 3, 16, 16), generator=generator, dtype=torch.uint8)
    data = Dataset(images, torch.arange(60) % 2, ("a", "b"), "made here")
    network = {"stem": 8, "stages": [8, 16]}
    settings = TrainSettings(images=1600, batch_size=16, held_out_per_class=5, crop=2, network=network)
    train(Trainer(settings, data), folder / "run", save_every=0.0, report=lambda line: None)


def _weights(folder: Path) -> object:
    return json.loads((folder / "run" / "manifest.json").read_text())["weights_sha256"]


def _data(folder: Path) -> Path:
    data = folder / "data"
    for picture, name in zip(built_in_pictures(), CIFAR10_CLASSES, strict=False):  # what they show does not matter here
        place = data / name
        place.mkdir(parents=True, exist_ok=True)
        if not (place / "0.png").exists():
            write_atomically(place / "0.png", picture.path.read_bytes())
    return data


def _evaluate(folder: Path, *options: str) -> None:
    data = ["--data", str(_data(folder)), "--limit", "10", "--sigma", "0.1", "0.15", "0.2"]
    if command(["evaluate", *data, *options]):
        raise RuntimeError("the evaluation was refused")


def _evaluation(folder: Path) -> None:
    _evaluate(folder, "--output", str(folder / "records.jsonl"))


def _records(folder: Path) -> object:
    lines = (folder / "records.jsonl").read_text().splitlines()
    return [{**json.loads(line), "seconds": 0} for line in lines]


def _recording(folder: Path) -> None:
    model = folder / "model"
    if not model.exists():
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            unmeasured(Path(temporary)).rename(model)
    _evaluate(folder, "--model", str(model), "--record")


def _recounting(folder: Path) -> None:
    """Of records at one of the noises, which may be recounted already."""
    model, levels = folder / "model", levels_from_sigma(0.15)
    way = Way(read_manifest(model).precision, None, DUELS) if model.exists() else None
    if way is None or kept_ways(model, TEST, read_manifest(model), levels) != {way}:
        _recording(folder)
    if command(["recount", "--data", str(_data(folder)), "--sigma", "0.15", "--model", str(model)]):
        raise RuntimeError("the recount was refused")


def _kept(folder: Path) -> object:
    records = [replace(record, seconds=0.0) for record in kept_records(folder / "model", TEST)]
    return records, read_manifest(folder / "model").measured


def _consistent(folder: Path) -> bool:
    """Whatever is kept can be read, and is whole: ten images at each noise."""
    if not (folder / "model").exists():
        return True
    records, measured = kept_records(folder / "model", TEST), read_manifest(folder / "model").measured
    whole = {n: len(group) for n, group in by_levels(records).items()}
    said = measured.get("certified_accuracy", {"by_levels": {}})["by_levels"]
    return set(whole.values()) <= {10} and {int(n) for n in said} <= set(whole)


def _writing(folder: Path) -> None:
    for version in VERSIONS * 4:
        write_atomically(folder / "file", version)


def _whole(folder: Path) -> bool:
    return not (folder / "file").exists() or (folder / "file").read_bytes() in VERSIONS


JOBS = {
    "training": Job(_training, _weights),
    "evaluation": Job(_evaluation, _records),
    "recording": Job(_recording, _kept, _consistent),
    "recounting": Job(_recounting, _kept, _consistent),
    "writing": Job(_writing, lambda folder: (folder / "file").read_bytes(), _whole),
}


def _child(name: str, folder: Path) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "tests.faults", "--child", name, str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _at_work(name: str, folder: Path) -> subprocess.Popen[bytes]:
    """A child that has begun: most of its time before that goes into imports."""
    child = _child(name, folder)
    while child.poll() is None and not any(folder.iterdir()):
        time.sleep(0.002)
    return child


def survives(name: str, times: int, seed: int) -> tuple[int, list[str]]:
    """How many kills hit a job at work, until `times` have, or ten times as many were tried; and what went wrong."""
    job, draws, hits, wrong = JOBS[name], random.Random(f"{name} {seed}"), 0, list[str]()
    with tempfile.TemporaryDirectory() as temporary:
        undisturbed = Path(temporary) / "undisturbed"
        undisturbed.mkdir()
        child = _at_work(name, undisturbed)
        began = time.monotonic()
        assert child.wait() == 0
        seconds = time.monotonic() - began
        expected = job.result(undisturbed)
        for number in range(10 * times):
            if hits == times:
                break
            folder = Path(temporary) / f"{number}"
            folder.mkdir()
            child = _at_work(name, folder)
            time.sleep(seconds * draws.uniform(0.0, 1.0))
            child.kill()
            hits += child.wait() == -signal.SIGKILL
            if not job.sound(folder):
                wrong.append(f"{name}, kill {number}: torn")
            if _child(name, folder).wait() != 0 or job.result(folder) != expected:
                wrong.append(f"{name}, kill {number}: another result")
            shutil.rmtree(folder)
    if hits < times:
        wrong.append(f"{name}: killed at work {hits} times only")
    return hits, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=2, metavar=("JOB", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        torch.set_num_threads(1)  # so small a network only waits for a second one
        JOBS[options.child[0]].work(Path(options.child[1]))
        return 0
    wrong = []
    for name in JOBS:
        hits, found = survives(name, options.times, options.seed)
        print(f"{name}: killed {hits} times at work, {len(found)} times not as undisturbed", flush=True)
        wrong += found
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
