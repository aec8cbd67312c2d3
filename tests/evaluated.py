"""Records, data and models of which the tests of evaluations are made."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dssn_core import evaluation
from dssn_core.certificate import Certificate
from dssn_core.checkpoints import PRETRAINED, read_manifest, save_manifest
from dssn_core.constants import DUELS
from dssn_core.datasets import CIFAR10_CLASSES, Dataset, Listing
from dssn_core.gallery import built_in_pictures
from dssn_core.images import read_image, to_picture
from dssn_core.records import Record, Sampling
from dssn_core.voting import certify


def pictures_as_data() -> Listing:
    pictures = built_in_pictures()
    images = torch.stack([read_image(picture.path) for picture in pictures])
    return Dataset(images, torch.tensor([picture.label for picture in pictures]), CIFAR10_CLASSES, "pictures").listing()


def class_folders(parent: Path, places: Sequence[int] = range(10)) -> Path:
    """A folder of class folders, with one picture in each: of those that come with the project the ones at `places`."""
    folder = parent / "data"
    for place, name in zip(places, CIFAR10_CLASSES, strict=True):
        (folder / name).mkdir(parents=True)
        to_picture(pictures_as_data().load().images[place]).save(folder / name / "0.png")
    return folder


def unmeasured(parent: Path, name: str = "cifar10-dssn") -> Path:
    """A copy of a shipped model, without what it keeps of evaluations."""
    folder = shutil.copytree(PRETRAINED / name, parent / "mine")
    save_manifest(folder, replace(read_manifest(folder), measured={}))
    for kept in folder.glob("*.jsonl.gz"):
        kept.unlink()
    return folder


def counting_duels(folder: Path) -> Path:
    """A model in a folder, from now on one whose votes are counted by duels."""
    save_manifest(folder, replace(read_manifest(folder), counting=DUELS))
    return folder


def interrupted_after(count: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Counted votes end in an interruption after so many; the list grows by one for each."""
    counted: list[object] = []

    def mortal(*arguments: Any, **others: Any) -> Certificate:
        if len(counted) == count:
            raise KeyboardInterrupt
        counted.append(arguments)
        return certify(*arguments, **others)

    monkeypatch.setattr(evaluation, "certify", mortal)
    return counted


def a_record(steps: int, right: bool = True) -> Record:
    """Of 441 votes, all between classes 1, the true one, and 2."""
    winner, other = 221 + steps, 220 - steps
    votes = (0, winner, other) if right else (0, other, winner)
    return Record(0, 441, "w", "float32", "i", 1, 1 if right else 2, steps, votes, seconds=0.0)


SAMPLING = Sampling("uniform", n0=20, n=200, alpha=0.01, seed=4, batch_size=64)
