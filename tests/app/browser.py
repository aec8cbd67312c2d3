"""The running app and a tab of headless Chromium: for the browser tests and for `latency`."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_server() -> Iterator[tuple[str, int]]:
    """The address of the app, started on a free port, and the number of its process; OSError if it does not answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port)]
    options = ["--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none"]
    server = subprocess.Popen([*command, *options], cwd=ROOT)
    try:
        for _ in range(480):
            if server.poll() is not None:
                raise ChildProcessError("the app ended before it answered")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        else:
            raise TimeoutError("the app did not start")
        yield f"http://127.0.0.1:{port}/", server.pid
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()


@contextmanager
def running_app() -> Iterator[str]:
    """The address of the app, started on a free port; an OSError if it does not answer."""
    with running_server() as (address, _):
        yield address


@contextmanager
def chromium():
    """Headless Chromium; FileNotFoundError without it."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise FileNotFoundError("this needs Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def chromium_tab():
    """An empty tab; FileNotFoundError without Chromium."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(300_000)  # for a machine ten times as slow
        yield page
