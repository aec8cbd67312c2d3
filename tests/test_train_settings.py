import math
from dataclasses import replace

import pytest

from dssn_core.train_settings import TrainSettings

SMALL = TrainSettings(images=320, batch_size=32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": "gauss"}, "unknown noise 'gauss'; known: dssn, uniform, ssn"),
        ({"images": 10}, "got 10 images and a batch of 32"),
        ({"batch_size": 1}, "batch of 2 or more"),
        ({"seed": -1}, "seed must be"),
        ({"consistency": -0.5}, "consistency must be"),
        ({"operations": -1}, "operations must be 0 or more"),
        ({"held_out_per_class": -5}, "held_out_per_class must be 1 or more"),
        ({"consistency": 1.0, "batch_size": 31}, "make an even batch, not one of 31"),
        ({"consistency": 1.0, "architecture": "denoised-lite0"}, "no use for consistency"),
        ({"precision": "float16"}, "unknown precision 'float16'; known: float32, bfloat16"),
        ({"inference": "float16"}, "unknown inference 'float16'"),
        ({"noise": "ssn", "block": (3, 1, 1)}, "only DSSN splits blocks of pixels together, 'ssn' does not"),
        ({"sigma_range": (3.5, 0.1)}, "sigma_range must be"),
        ({"sigma_range": (0.0, 1.0)}, "levels"),
    ],
)
def test_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
@pytest.mark.parametrize(
    "what",
    ["learning_rate", "weight_decay", "momentum", "stability", "consistency", "warmup", "averaging", "pictures_first"],
)
def test_numbers_that_make_no_sense_are_refused_before_the_run(what, value):
    with pytest.raises(ValueError, match=f"{what} must be"):
        replace(SMALL, **{what: value})


@pytest.mark.parametrize("zoom", [0.5, math.inf, math.nan])
def test_a_zoom_that_makes_no_sense_is_refused(zoom):
    with pytest.raises(ValueError, match="zoom must be a number of 1 or more"):
        replace(SMALL, zoom=zoom)


def test_the_last_batch_of_a_budget_counts():
    assert replace(SMALL, images=321).steps == 11
