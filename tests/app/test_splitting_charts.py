"""Figures of the laboratory."""

import json
from dataclasses import asdict

import torch

from app import splitting_charts as charts
from dssn_core import SplitNoise

IMAGE = torch.randint(0, 256, (3, 32, 32), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)


def test_the_number_line_shows_what_the_core_computes():
    noise = SplitNoise(127, (1, 1, 1), torch.tensor([[[40]]]))
    image = torch.full((1, 1, 1), 100, dtype=torch.uint8)
    title, line, _ = charts.number_line(noise, 100, 9).still
    assert title.startswith("j = 9;")
    assert f'title="centre {int(noise.numerators(image, 9, 10)) / 4:g} of 255"' in line
    assert f"left: {100 * 100 / 255:.3f}%" in line


def test_the_histogram_is_of_all_samples_and_grows_as_it_plays():
    film = charts.number_line(SplitNoise(127, (1, 1, 1)), 100, 9)
    assert film.names[film.start] == "j = 9"  # though not every sample has a frame
    bars = [parts[2].count("h0.84") for parts in film.frames]
    assert bars[0] == 1 and bars == sorted(bars)
    assert film.still[2].count("h0.84") == bars[-1]


def test_animations_are_short_and_light():
    noise = SplitNoise(3091, (3, 32, 32))
    for film in (charts.image_laboratory(IMAGE, noise, 0, 0, 0), charts.number_line(SplitNoise(3091, (1, 1, 1)), 7, 0)):
        assert len(film.frames) == len(film.names) == 32
        assert len(json.dumps(asdict(film))) < 400_000


def test_every_frame_fills_the_template():
    films = (
        charts.image_laboratory(IMAGE, SplitNoise(20, (3, 32, 32)), 19, 4, 5),
        charts.number_line(SplitNoise(20, (1, 1, 1)), 7, 19),
        charts.moving_splits(SplitNoise(20, (1, 1, 1)), 7, 19),
    )
    for film in films:
        parts = film.template.count("data-part")
        assert {len(frame) for frame in (film.still, *film.frames)} == {parts}
        assert film.start == 19


def test_the_marked_pixel_is_the_chosen_one():
    film = charts.image_laboratory(IMAGE, SplitNoise(20, (3, 32, 32)), 0, 8, 16)
    assert "left: 50.000%; top: 25.000%" in film.still[0]


def test_offsets_and_splits_are_dark_where_they_are_low():
    noise = SplitNoise(511, (1, 1, 4), torch.tensor([[[0, 100, 255, 510]]]))
    assert charts.offset_picture(noise).tolist() == [[[0, 50, 127, 255]]]
    assert charts.split_picture(noise, 1).tolist() == [[[1, 101, 255, 0]]]  # white for none, the last one begins anew


def test_what_did_not_change_is_dimmed():
    before = torch.zeros(3, 1, 2, dtype=torch.uint8)
    after = torch.tensor([[[0, 0]], [[200, 0]], [[0, 0]]], dtype=torch.uint8)
    assert charts.changed_alone(before + 40, after + 40).tolist() == [[[40, 10]], [[240, 10]], [[40, 10]]]


def test_frames_visit_different_samples_of_a_whole_cycle():
    for levels in (2, 31, 32, 33, 3091):
        chosen = charts.frame_indices(levels)
        assert len(set(chosen)) == len(chosen) == min(32, levels)
        assert min(chosen) >= 0 and max(chosen) < levels
        assert [charts.nearest_frame(chosen, index) for index in chosen] == list(range(len(chosen)))
        assert charts.nearest_frame(chosen, levels - 1) == len(chosen) - 1
