"""The page in a real browser: what AppTest cannot see (uploads, addresses, the script of the page)."""

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dssn_core import certify, levels_from_sigma, load_model, read_image
from dssn_core.certificate import display_radius
from dssn_core.gallery import sample_pictures

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    server = subprocess.Popen([*command, "--server.address", "127.0.0.1"], cwd=ROOT, env=os.environ)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def page():
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.fail("the browser tests need Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(90_000)
        yield tab
        browser.close()


def radius(page) -> str:
    """The certified radius, once the vote is complete."""
    page.get_by_text("The arithmetic").wait_for()
    return page.get_by_test_id("stMetricValue").first.inner_text().strip()


def test_upload_a_picture_and_read_its_certificate(page, address):
    pixels = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    expected = certify(load_model("cifar10-dssn"), read_image(buffer.getvalue()), levels_from_sigma(0.5))
    page.goto(address)
    radius(page)
    page.get_by_text("My own picture").click()
    page.get_by_text("as soon as there is a picture").wait_for()
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    page.get_by_text("120 × 90").wait_for()
    assert radius(page) == display_radius(expected.radius_steps)


def test_a_file_that_is_no_picture_gets_a_message_and_no_stack_trace(page, address):
    page.goto(address)
    radius(page)
    page.get_by_text("My own picture").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "fake.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    page.get_by_text("cannot be used").wait_for()
    assert page.get_by_test_id("stException").count() == 0


def test_a_copied_link_reopens_the_same_view(page, address):
    page.goto(address)
    radius(page)
    page.get_by_role("button", name="horse").first.click()
    page.get_by_text("true class: horse").wait_for()
    page.get_by_role("button", name="0.25", exact=True).click()
    page.get_by_text("samples · largest possible radius").filter(has_text="220").wait_for()
    page.wait_for_url("**sigma=0.25**")
    link, before = page.url, radius(page)
    page.goto("about:blank")
    page.goto(link)
    page.get_by_text("true class: horse").wait_for()
    assert radius(page) == before


def test_leaving_a_long_vote_and_coming_back_ends_with_the_right_certificate(page, address):
    page.goto(f"{address}?picture=cifar10-02&sigma=3.5")
    page.get_by_role("button", name="0.15", exact=True).click()  # in the middle of 3091 samples
    page.get_by_text("samples · largest possible radius").filter(has_text="132").wait_for()
    radius(page)
    page.get_by_role("button", name="3.5", exact=True).click()
    page.get_by_text("All N = 3091 samples voted").wait_for()
    sample = next(sample for sample in sample_pictures() if sample.key == "cifar10-02")
    expected = certify(load_model("cifar10-dssn"), read_image(sample.path), levels_from_sigma(3.5))
    assert radius(page) == display_radius(expected.radius_steps)
