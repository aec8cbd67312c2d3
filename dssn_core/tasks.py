"""What there is to train for: a data set, and the settings that suit it."""

from collections.abc import Callable
from dataclasses import dataclass

from .datasets import CIFAR10_CLASSES, Dataset, Listing, list_dataset
from .imagenet_classes import class_names, with_imagenet_labels
from .images import Size
from .train_settings import DENOISER, TrainSettings


def _cifar10(data: Listing) -> Listing:
    if data.class_names != CIFAR10_CLASSES:
        raise ValueError(f"the data holds the classes {data.class_names}, not those of CIFAR-10")
    return data


@dataclass(frozen=True)
class Task:
    """class_names: of its networks, in the order of their answers. size: (H, W) of the training pictures.

    prepare: checks the classes of data, and labels it as the network does; ValueError if it is of another task.
    """

    class_names: Callable[[], tuple[str, ...]]
    size: Size
    prepare: Callable[[Listing], Listing]
    settings: TrainSettings

    def load(self, source: str) -> Dataset:
        """The training images of the task; ValueError for those of another."""
        return self.prepare(list_dataset(source, self.size)).load()


TASKS = {
    "cifar10": Task(lambda: CIFAR10_CLASSES, (32, 32), _cifar10, TrainSettings()),
    "imagenet": Task(
        class_names,
        (160, 160),  # ImageNet in small is distributed so; magnified to 224 at once, all pictures would be blurred
        with_imagenet_labels,
        TrainSettings(
            architecture=DENOISER,
            network={"widths": [64, 128, 192], "patch": 4},
            images=100_000,
            batch_size=32,
            optimizer="muon",
            learning_rate=0.01,
            weight_decay=0.01,
            averaging=0.997,
            sigma_range=(0.05, 2.0),
            held_out_per_class=20,
            crop=0,
            zoom=1.5,
            input_size=(224, 224),
            pictures_first=0.25,
            stability=0.02,
            precision="bfloat16",
            inference="bfloat16",
        ),
    ),
}


def task_of(class_names: tuple[str, ...]) -> str:
    """The name in `TASKS`, as that of the built-in pictures and published figures, of a network of these classes.

    ValueError if there is none.
    """
    for name, task in TASKS.items():
        if task.class_names() == class_names:
            return name
    raise ValueError(f"there are no built-in pictures or published figures for the classes {class_names[:10]}")


def labelled_for(data: Listing, class_names: tuple[str, ...]) -> Listing:
    """The data with the labels of a network of these classes; ValueError says why it has none."""
    if data.class_names == class_names:
        return data
    for task in TASKS.values():
        if task.class_names() == class_names:
            return task.prepare(data)
    raise ValueError(f"the data's classes {data.class_names[:10]} are not the model's {class_names[:10]}")
