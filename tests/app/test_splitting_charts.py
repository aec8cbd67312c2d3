"""Figures of the laboratory."""

import json

import torch

from app import splitting_charts as charts
from dssn_core import SplitNoise

IMAGE = torch.randint(0, 256, (3, 32, 32), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)


def test_the_number_line_shows_what_the_core_computes():
    noise = SplitNoise(127, (1, 1, 1), torch.tensor([[[40]]]))
    image = torch.full((1, 1, 1), 100, dtype=torch.uint8)
    figure = charts.number_line(noise, 100, 9)
    centre = next(trace for trace in figure.data if trace.name == "centre = the sample value")
    assert centre.x[0] == int(noise.numerators(image, 9, 10)) / 4
    histogram = next(trace for trace in figure.data if trace.name == "centres")
    assert abs(sum(histogram.y) - 1) < 1e-9


def test_animations_are_short_and_light():
    noise = SplitNoise(3091, (3, 32, 32))
    for figure in (charts.image_laboratory(IMAGE, noise, 0), charts.number_line(SplitNoise(3091, (1, 1, 1)), 7, 0)):
        assert len(figure.frames) == 32
        assert len(json.dumps(figure.to_plotly_json(), default=lambda array: array.tolist())) < 700_000


def test_frames_visit_different_samples_of_a_whole_cycle():
    for levels in (2, 31, 32, 33, 3091):
        chosen = charts.frame_indices(levels)
        assert len(set(chosen)) == len(chosen) == min(32, levels)
        assert min(chosen) >= 0 and max(chosen) < levels


def test_captions_are_escaped():
    assert "<i>" not in charts.filmstrip([("<i>", [IMAGE])]).split("</style>")[1]
