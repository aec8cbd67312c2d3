"""Many people at once: browser sessions that certify on one server, and what the server makes of it.

    python -m tests.app.load [--sessions 10] [--sigma 2.0]

Every session certifies a picture of its own, all at the same time. Checked: each shows the radius that the library
computes. Measured: how long a slider on another page takes to answer meanwhile, and a button in one more session whose
own vote is under way; the longest that a session waits for news of its vote; the server's memory; and what the server
still computes when all tabs are closed in mid-vote.
It needs what the browser tests need. Exit code 1 if a radius is wrong or work goes on for closed tabs.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

from dssn_core import certify, levels_from_sigma, load_model, read_image
from dssn_core.gallery import built_in_pictures
from dssn_core.wording import display_radius
from tests.app.browser import chromium, running_server
from tests.app.latency import FIGURE, ONE_PIXEL, Slider, milliseconds

START = 0.15  # sigma of a vote that is soon done
DONE = "[data-testid=stMetricValue]"
NEWS = """() => {
  let last = performance.now();
  window.longest = 0;
  const root = document.querySelector("[data-testid=stMain]");
  new MutationObserver(() => {
    const now = performance.now();
    window.longest = Math.max(window.longest, now - last);
    last = now;
  }).observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
}"""
PATIENCE = 5.0  # seconds in which the server must notice that a tab is gone
CLOCK = os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident memory in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def expected_radii(keys: list[str], levels: int) -> dict[str, str]:
    """What the library says, before the server takes the processor."""
    model, paths = load_model("cifar10-dssn"), {picture.key: picture.path for picture in built_in_pictures()}
    return {key: display_radius(certify(model, read_image(paths[key]), levels).radius_steps) for key in keys}


VISITS = (2.5, 3.0)  # sigmas that the visitor presses in turn: long votes, never finished


def answer_in_mid_vote(tab, sigma: float) -> float:
    """Milliseconds from a press of a noise button to the page that shows its N."""
    shown = tab.get_by_text(f"N = {levels_from_sigma(sigma)} samples ·")
    began = time.perf_counter()
    tab.get_by_role("button", name=f"{sigma:g}", exact=True).click()
    shown.wait_for()
    return 1000 * (time.perf_counter() - began)


def certify_all(browser, address: str, pid: int, radii: dict[str, str], sigma: float) -> int:
    """All sessions at once; returns how many show another radius than they should."""
    levels = levels_from_sigma(sigma)
    probe = browser.new_page()
    probe.goto(address + ONE_PIXEL)
    probe.locator(FIGURE).first.wait_for()
    probe.get_by_test_id("stSlider").filter(has_text="Sample index j").get_by_role("slider").focus()
    slider = Slider(ONE_PIXEL, "Sample index j")
    calm = [milliseconds(probe, slider) for _ in range(5)]
    before = peak = memory(pid)

    tabs = {key: browser.new_context().new_page() for key in radii}
    for key, tab in tabs.items():  # the pages first: it is the server that is to be loaded, not the browser
        tab.goto(f"{address}?picture={key}&sigma={START:g}")
        tab.get_by_text(f"All N = {levels_from_sigma(START)} samples voted").wait_for(timeout=90_000)
    visitor = browser.new_context().new_page()
    visitor.goto(f"{address}?picture={next(reversed(radii))}&sigma={START:g}")
    visitor.get_by_text(f"All N = {levels_from_sigma(START)} samples voted").wait_for(timeout=90_000)
    began = time.monotonic()
    for tab in tabs.values():
        tab.evaluate(NEWS)
        tab.get_by_role("button", name=f"{sigma:g}", exact=True).click()
    busy: list[float] = []
    visits: list[float] = []
    waiting = dict(tabs)
    finished = {}
    while waiting:
        busy.append(milliseconds(probe, slider))
        visits.append(answer_in_mid_vote(visitor, VISITS[len(visits) % 2]))
        peak = max(peak, memory(pid))
        for key, tab in list(waiting.items()):
            if tab.get_by_text(f"All N = {levels} samples voted").count():
                finished[key] = time.monotonic() - began
                del waiting[key]
    shown = {key: tab.locator(DONE).first.inner_text().strip() for key, tab in tabs.items()}
    wrong = [key for key in radii if shown[key] != radii[key]]
    news = [tab.evaluate("window.longest") for tab in tabs.values()]
    print(f"{len(tabs)} sessions, N = {levels} each: {len(tabs) - len(wrong)} show the library's radius")
    print(f"first certificate after {min(finished.values()):.1f} s, last after {max(finished.values()):.1f} s")
    print(
        f"a slider elsewhere answers in {statistics.median(busy):.0f} ms, at worst {max(busy):.0f} ms "
        f"({len(busy)} presses; before the load {statistics.median(calm):.0f} ms)"
    )
    print(
        f"a button in one more session, whose vote is under way, answers in {statistics.median(visits):.0f} ms, "
        f"at worst {max(visits):.0f} ms ({len(visits)} presses)"
    )
    print(f"longest wait of a session for news of its vote: {max(news) / 1000:.2f} s")
    print(f"server memory: {before:.0f} MB before, {peak:.0f} MB at most, {memory(pid):.0f} MB after")
    for tab in tabs.values():
        tab.context.close()
    probe.close()
    visitor.context.close()
    return len(wrong)


def close_in_mid_vote(browser, address: str, pid: int, keys: list[str]) -> bool:
    """Whether the server rests soon after the tabs of long votes are closed."""
    levels = levels_from_sigma(3.5)
    tabs = [browser.new_context().new_page() for _ in keys]
    for key, tab in zip(keys, tabs, strict=True):
        tab.goto(f"{address}?picture={key}&sigma=3.5", wait_until="commit")
    for tab in tabs:
        tab.get_by_text(f"of {levels} samples, about").wait_for()
    for tab in tabs:
        tab.context.close()
    time.sleep(PATIENCE)
    spent = processor_seconds(pid)
    time.sleep(PATIENCE)
    spent = processor_seconds(pid) - spent
    print(
        f"{len(tabs)} tabs closed in mid-vote: {PATIENCE:g} s later the server uses "
        f"{100 * spent / PATIENCE:.0f} % of a processor"
    )
    return spent < 0.2 * PATIENCE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--sigma", type=float, default=2.0, help="one of the buttons of the page")
    options = parser.parse_args()
    keys = [picture.key for picture in built_in_pictures()][: options.sessions]
    radii = expected_radii(keys, levels_from_sigma(options.sigma))
    with running_server() as (address, pid), chromium() as browser:
        wrong = certify_all(browser, address, pid, radii, options.sigma)
        rests = close_in_mid_vote(browser, address, pid, keys)
    return 0 if rests and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
