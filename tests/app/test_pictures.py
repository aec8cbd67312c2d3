"""Images for the screen."""

import base64
import io

import numpy as np
import torch
from PIL import Image

from app import pictures
from dssn_core.images import crop_box


def an_image():
    return torch.randint(0, 256, (3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_enlarging_keeps_every_pixel_sharp():
    large = np.array(pictures.enlarged(an_image(), 64))
    assert large.shape == (64, 64, 3)
    assert (large[::8, ::8] == an_image().permute(1, 2, 0).numpy()).all()
    assert (large[7::8, 7::8] == large[::8, ::8]).all()


def test_a_mark_surrounds_a_pixel_and_leaves_it():
    plain, marked = (
        np.array(shown)
        for shown in (pictures.enlarged(an_image(), 64), pictures.marked(an_image(), [((0, 2, 5), "red")], 64))
    )
    assert (marked[16:24, 40:48] == plain[16:24, 40:48]).all()
    around = (marked != plain).any(axis=2)
    assert around[15, 39:49].all() and around[24, 39:49].all() and not around[:13].any() and not around[:, :37].any()
    assert (marked[14, 38:50] == (255, 0, 0)).all() and (marked[13, 37:51] == 0).all()
    pictures.marked(an_image(), [((0, 0, 0), "red"), ((2, 7, 7), "blue")], 64)  # at the edges


def test_a_data_url_is_lossless():
    data = base64.b64decode(pictures.data_url(an_image()).split(",")[1])
    assert (np.array(Image.open(io.BytesIO(data))) == an_image().permute(1, 2, 0).numpy()).all()


def test_a_sample_is_shown_on_the_whole_scale():
    shown = pictures.sample_image(torch.tensor([0.0, 0.5, 1.0]).reshape(3, 1, 1))
    assert shown.flatten().tolist() == [0, 128, 255]


def test_the_crop_preview_fades_the_outside_only():
    preview = pictures.crop_preview(Image.new("RGB", (640, 320), "red"), (160, 0, 480, 320))
    assert preview.size == (320, 160)
    assert preview.getpixel((160, 80)) == (255, 0, 0)
    assert preview.getpixel((10, 80)) != (255, 0, 0)


def test_the_thinnest_crops_can_be_shown():
    for width in range(1, 21):
        for size in ((width, 1), (1, width)):
            for position in (0, 0.3, 0.5, 1):
                box = crop_box((size[1], size[0]), (32, 32), position)
                assert pictures.crop_preview(Image.new("RGB", size), box).size == size


def test_a_file_name_cannot_draw_anything():
    assert pictures.tame("holiday-2024 (1).png") == "holiday-2024 1 .png"
    assert pictures.tame("![x](https://a.example/b.png)") == "x https a.example_b.png"
    assert pictures.tame("$x$ :material/home: <b>`") == "x material_home b"
    assert pictures.tame("_my_cat_ **b** __init__.png") == "my_cat b init .png"
    assert pictures.tame("größe.webp") == "größe.webp"
    assert len(pictures.tame("a" * 300 + ".png")) == 57 and pictures.tame("a" * 300 + ".png").endswith(".png")
