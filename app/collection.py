"""The kinds of pictures that the pages know, and the networks that know them. Does not import streamlit."""

from dataclasses import dataclass

from dssn_core import list_models
from dssn_core.constants import DSSN
from dssn_core.records import WHOLE, Part
from dssn_core.standings import TABLE_RHOS

IMAGENET_VALIDATION = "ILSVRC2012_val_*"
"""Names of ImageNet's own validation pictures."""


@dataclass(frozen=True)
class Collection:
    """Pictures of one kind and the networks that know them.

    task: its name in the library, with which the keys of the built-in pictures begin. own: the network trained for each
    method, by name. first: the picture to begin with, one whose vote is divided, and of which each method certifies
    something. sigma: the noise to begin with. n: samples to estimate with. rhos: radii of the table of certified
    accuracy. parts: of the test images, by name. data: how our test images differ from the paper's; comparable: whether
    figures may be set beside each other all the same.
    """

    name: str
    about: str
    task: str
    own: dict[str, str]
    first: str
    sigma: float
    n: int
    rhos: tuple[float, ...]
    parts: dict[str, Part]
    data: str
    comparable: bool

    def key(self, name: str) -> str:
        """What addresses call a setting that each collection has for itself: CIFAR-10's the name that links have."""
        return name if self.task == "cifar10" else f"{self.task}-{name}"

    @property
    def sigma_key(self) -> str:
        """What addresses call the noise."""
        return self.key("sigma")

    @property
    def network_key(self) -> str:
        """What addresses call the network that votes."""
        return f"{self.task}-network"

    @property
    def model(self) -> str:
        """The network for DSSN."""
        return self.own[DSSN]

    def model_for(self, method: str) -> str:
        """The name of the network that votes for `method`: its own, or DSSN's where there is none."""
        name = self.own.get(method)
        return name if name in list_models() else self.model


_COLLECTIONS = (
    Collection(
        name="CIFAR-10",
        about="ten classes, 32 × 32",
        task="cifar10",
        own={DSSN: "cifar10-dssn", "uniform": "cifar10-uniform", "ssn": "cifar10-ssn"},
        first="cifar10-09",
        sigma=0.5,
        n=3000,
        rhos=TABLE_RHOS,
        parts={"all": WHOLE},
        data="Our test images are JPEG copies of CIFAR-10's, the paper's are not.",
        comparable=True,
    ),
    Collection(
        name="ImageNet",
        about="a thousand classes, 224 × 224",
        task="imagenet",
        own={DSSN: "imagenet-dssn", "uniform": "imagenet-uniform", "ssn": "imagenet-ssn"},
        first="imagenet-06",
        sigma=0.25,
        n=300,
        rhos=(0.25, 0.5, 0.75, 1.0, 1.5),
        parts={
            "ImageNet validation pictures": Part(files=IMAGENET_VALIDATION),
            "others, which the classifier may have been trained on": Part(but=IMAGENET_VALIDATION),
        },
        data="Ours are from Imagenette's validation part, of ten of the thousand classes and only 160 pixels in size, "
        "magnified; the paper's are 500 ImageNet validation pictures of all classes at full size. So the difference "
        "says nothing about which method is better.",
        comparable=False,
    ),
)

COLLECTIONS = {collection.name: collection for collection in _COLLECTIONS}
"""By the name that pages and addresses have for them; the pages begin with the first."""
