"""How long a slider takes to answer: from the key press to the changed figure on the screen, in headless Chromium.

    python -m tests.app.latency [PART OF A PAGE'S OR SLIDER'S NAME]

Only sliders behind which no network runs. It needs what the browser tests need, and says most on an idle machine.
"""

import statistics
import sys
from dataclasses import dataclass

from tests.app.browser import chromium_tab, running_app

PRESSES = 11
PAUSE = 700  # milliseconds between presses: each finds the page at rest

FIGURE = "[data-testid=stBidiComponentIsolated]"


@dataclass(frozen=True)
class Slider:
    """A slider, by its label, on a page with one figure that follows it."""

    page: str
    label: str


ONE_PIXEL = "split_and_centre?section=One+pixel&lam=0.25&k=90&j=20"
OFFSETS = "split_and_centre?section=Offsets&offsets-lam=0.5"
PLANE = "why_it_certifies?why=Two-pixel+world"

SLIDERS = (
    *(Slider(ONE_PIXEL, label) for label in ("Noise λ", "Pixel k", "Offset v", "Sample index j")),
    *(Slider(OFFSETS, label) for label in ("Noise λ", "Sample index j")),
    *(
        Slider(PLANE, label)
        for label in ("First pixel", "Second pixel", "N, the number of samples", "Turn its", "Move its")
    ),
)

WATCH = """selector => {
  const shown = () => [...document.querySelectorAll(selector)].map(e => (e.shadowRoot ?? e).innerHTML).join();
  const before = shown();
  window.answered = new Promise(done => {
    const watch = began => requestAnimationFrame(() =>
      shown() === before ? watch(began) : setTimeout(() => done(performance.now() - began)));
    document.addEventListener("keydown", () => watch(performance.now()), { once: true, capture: true });
  });
}"""


def milliseconds(tab, slider: Slider) -> float:
    """From one press of the right arrow to the first frame that shows the changed figure."""
    tab.evaluate(WATCH, FIGURE)
    tab.keyboard.press("ArrowRight")
    answered = float(tab.evaluate("window.answered"))
    tab.wait_for_timeout(PAUSE)
    return answered


def main(wanted: str = "") -> None:
    print(f"milliseconds from key press to changed figure; {PRESSES} presses each, after 2 to warm up")
    print(f"{'median':>7} {'slowest':>8}  slider")
    with running_app() as address, chromium_tab() as tab:
        for slider in (slider for slider in SLIDERS if wanted in f"{slider.page}: {slider.label}"):
            tab.goto(address + slider.page)
            tab.locator(FIGURE).first.wait_for()
            tab.wait_for_timeout(2 * PAUSE)
            tab.get_by_test_id("stSlider").filter(has_text=slider.label).get_by_role("slider").focus()
            times = [milliseconds(tab, slider) for _ in range(PRESSES + 2)][2:]
            print(f"{statistics.median(times):7.0f} {max(times):8.0f}  {slider.page.split('&')[0]}: {slider.label}")


if __name__ == "__main__":
    main(*sys.argv[1:])
