"""Settings of the whole suite: one thread, and hypothesis without deadlines or luck. And what many tests are about."""

import pytest
import torch
from hypothesis import HealthCheck, settings

from dssn_core import load_model, read_image
from dssn_core.gallery import built_in_pictures

torch.set_num_threads(1)
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def model():
    """The small network."""
    return load_model("cifar10-dssn")


@pytest.fixture(scope="session")
def image():
    return read_image(built_in_pictures()[9].path)


@pytest.fixture(scope="session")
def contested():
    """A picture of which the network's samples have many opinions."""
    return read_image(built_in_pictures()[12].path)
