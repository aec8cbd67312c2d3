"""The built-in pictures."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from .classifier import Classifier
from .tasks import task_of


@dataclass(frozen=True)
class BuiltIn:
    """One built-in picture: a key for links, its file, and its true class index."""

    key: str
    path: Path
    label: int


def built_in_pictures(task: str = "cifar10") -> tuple[BuiltIn, ...]:
    """The test images of `task` that ship inside the package foolbox, some twenty, in order of their index.

    FileNotFoundError if there are none.
    """
    # Located, not imported: importing foolbox loads far more than its pictures.
    spec = importlib.util.find_spec("foolbox")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the built-in pictures come with the package foolbox: pip install foolbox")
    found = []
    for path in (Path(spec.submodule_search_locations[0]) / "data").glob(f"{task}_*"):
        _, index, label = path.stem.split("_")
        found.append(BuiltIn(key=f"{task}-{int(index):02d}", path=path, label=int(label)))
    if not found:
        raise FileNotFoundError(f"foolbox has no pictures of {task!r}")
    return tuple(sorted(found, key=lambda picture: picture.key))


def pictures_for(model: Classifier) -> tuple[BuiltIn, ...]:
    """The built-in pictures of the model's classes; ValueError if there are none."""
    return built_in_pictures(task_of(model.class_names))
