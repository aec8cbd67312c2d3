"""The pages in a real browser: what AppTest cannot see (uploads, addresses, animations, changes of page)."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from dssn_core import certify, levels_from_sigma, load_model, read_image
from dssn_core.gallery import built_in_pictures
from dssn_core.wording import display_radius

pytestmark = pytest.mark.browser


def at_rest(tab) -> None:
    """Wait until the page is drawn to its end. An address changes earlier: before the widget that it speaks of does."""
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def radius(tab, levels: int) -> str:
    """The certified radius, once the vote of this many samples is complete and drawn."""
    tab.get_by_text(f"All N = {levels:,} samples voted").wait_for()
    at_rest(tab)  # the same N may still stand there of the picture before, while the page is drawn anew from the top
    return tab.get_by_test_id("stMetricValue").first.inner_text().strip()


def test_upload_a_picture_and_read_its_certificate(tab, address):
    pixels = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    expected = certify(load_model("cifar10-dssn"), read_image(buffer.getvalue()), levels_from_sigma(0.5))
    tab.goto(address)
    radius(tab, 441)
    tab.get_by_text("My own picture").click()
    tab.get_by_text("as soon as there is a picture").wait_for()
    tab.locator("input[type=file]").set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    tab.get_by_text("120 × 90").wait_for()
    assert radius(tab, 441) == display_radius(expected.radius_steps)


def test_a_file_that_is_no_picture_gets_a_message_and_no_stack_trace(tab, address):
    tab.goto(address)
    radius(tab, 441)
    tab.get_by_text("My own picture").click()
    tab.locator("input[type=file]").set_input_files(
        {"name": "fake.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    tab.get_by_text("cannot be used").wait_for()
    assert tab.get_by_test_id("stException").count() == 0


def test_a_copied_link_reopens_the_same_view(tab, address):
    tab.goto(address)
    radius(tab, 441)
    tab.get_by_role("button", name="horse").first.click()
    tab.get_by_text("true class: horse").wait_for()
    tab.get_by_role("button", name="0.25", exact=True).click()
    tab.wait_for_url("**sigma=0.25**")
    link, before = tab.url, radius(tab, 220)
    tab.goto("about:blank")
    tab.goto(link)
    tab.get_by_text("true class: horse").wait_for()
    assert radius(tab, 220) == before


def test_the_guessed_address_of_the_first_page_leads_there_with_what_it_says(tab, address):
    tab.goto(f"{address}certify?picture=cifar10-03&sigma=0.15")
    tab.get_by_text("true class: airplane").wait_for()
    radius(tab, 132)
    assert "/certify" not in tab.url and "picture=cifar10-03" in tab.url


def test_leaving_a_long_vote_and_coming_back_ends_with_the_right_certificate(tab, address):
    tab.goto(f"{address}?picture=cifar10-02&sigma=3.5")
    tab.get_by_role("button", name="0.15", exact=True).click()  # in the middle of 3091 samples
    radius(tab, 132)
    tab.get_by_role("button", name="3.5", exact=True).click()
    picture = next(picture for picture in built_in_pictures() if picture.key == "cifar10-02")
    expected = certify(load_model("cifar10-dssn"), read_image(picture.path), levels_from_sigma(3.5))
    assert radius(tab, 3091) == display_radius(expected.radius_steps)


def figure(tab, part: str):
    """An element of the figure on the page, by its class; its title says what it shows."""
    return tab.get_by_test_id("stBidiComponentIsolated").locator(part)


def test_the_number_line_plays_and_pauses_by_keyboard(tab, address):
    tab.goto(f"{address}split_and_centre?section=One+pixel&lam=0.25&k=90")
    figure(tab, ".centre").wait_for()
    title = figure(tab, ".title")
    assert title.inner_text() == "j = 0; below, all 127 samples"
    tab.get_by_role("button", name="Play j").press("Enter")
    figure(tab, ".title").get_by_text(re.compile(r"\b([2-9]|[12]\d) of 32 shown, of all ")).wait_for()
    tab.get_by_role("button", name="Pause").press("Enter")
    paused = title.inner_text()
    tab.wait_for_timeout(800)
    assert title.inner_text() == paused
    tab.get_by_label("Frame").press("End")
    figure(tab, ".title").get_by_text("32 of 32 shown, of all ").wait_for()


def test_a_link_to_the_laboratory_reopens_the_same_pixel(tab, address):
    tab.goto(f"{address}split_and_centre?lam=0.5&k=201&v=7&j=33")
    centre = figure(tab, ".centre").get_attribute("title")
    link = tab.url
    tab.goto("about:blank")
    tab.goto(link)
    assert figure(tab, ".centre").get_attribute("title") == centre
    assert figure(tab, ".pixel").get_attribute("title") == "pixel 201"


def test_the_index_keeps_its_share_of_the_cycle_in_the_address_too(tab, address):
    tab.goto(f"{address}split_and_centre?section=One+picture&lam=0.25&j=20")
    index = tab.get_by_role("slider", name="Sample index j")
    for preset, levels in (("0.5", 255), ("0.1", 51), ("1", 510)):
        tab.get_by_role("button", name=preset, exact=True).click()
        expected = 20 * levels // 127
        tab.wait_for_url(re.compile(rf"[?&]j={expected}&lam={preset}$"))
        at_rest(tab)
        assert index.get_attribute("aria-valuetext") == str(expected)
    for told, lam, shown in (
        (80, 0.1, 8),
        (8, 0.1, 8),
        (8, 0.5, 8),
        (40, 0.5, 40),
    ):  # two entries of the history for each
        tab.go_back()
        tab.wait_for_url(re.compile(rf"[?&]j={told}&lam={lam}$"))
        tab.get_by_test_id("stSliderThumbValue").get_by_text(f"{lam:.2f}", exact=True).wait_for()
        at_rest(tab)
        tab.get_by_test_id("stSliderThumbValue").get_by_text(f"{shown}", exact=True).wait_for()


def test_a_clicked_pixel_is_marked_and_carried_to_the_number_line(tab, address):
    tab.goto(f"{address}split_and_centre?section=One+picture&lam=0.5")
    picture = figure(tab, ".picture").first
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] * 20.5 / 32, "y": box["height"] * 8.5 / 32})
    tab.wait_for_url("**row=8&column=20")
    at_rest(tab)
    carry = tab.get_by_role("button", name="on the number line")
    value = carry.inner_text().split("k = ")[1].split(")")[0]
    carry.click()
    figure(tab, f".pixel[title='pixel {value}']").wait_for()
    tab.wait_for_url(f"**k={value}**")
    at_rest(tab)


def test_back_from_the_number_line_leads_to_the_picture(tab, address):
    tab.goto(f"{address}split_and_centre?section=One+picture&lam=0.5")
    carry = tab.get_by_role("button", name="on the number line")
    carry.click()
    tab.wait_for_url(re.compile(r"\?lam=0.5&k="))
    at_rest(tab)
    tab.go_back()
    carry.wait_for()
    at_rest(tab)


def test_an_image_of_the_two_pixel_world_is_chosen_by_a_click(tab, address):
    tab.goto(f"{address}why_it_certifies?why=Two-pixel+world")
    plane = figure(tab, ".plane")
    box = plane.bounding_box()
    plane.click(position={"x": box["width"] * 200.5 / 256, "y": box["height"] * 55.5 / 256})
    tab.wait_for_url("**k1=200&k2=200")
    at_rest(tab)


def test_a_poke_changes_one_sample(tab, address):
    tab.goto(f"{address}why_it_certifies?why=Poke+it&sigma=0.1")
    tab.get_by_text("0 of").first.wait_for()
    tab.get_by_role("button", name="Random step").click()
    tab.get_by_text("only j =").wait_for()
    tab.get_by_text("1 of").first.wait_for()


def test_a_certificate_leads_to_what_lies_beyond_it(tab, address):
    tab.goto(f"{address}?picture=cifar10-03&sigma=0.15")
    radius(tab, 132)
    steps = tab.get_by_test_id("stMetricValue").nth(1).inner_text().strip()
    tab.get_by_text("And beyond it?").click()
    tab.get_by_text(f"R = {steps}", exact=True).first.wait_for()
    tab.get_by_role("button", name="Find a flip").click()
    tab.get_by_text("The certificate holds: no change that it covers").wait_for()
    assert "why_it_certifies" in tab.url and "picture=cifar10-03" in tab.url and "sigma=0.15" in tab.url


def test_the_picture_goes_with_one_from_page_to_page(tab, address):
    tab.goto(f"{address}?picture=cifar10-03&sigma=0.15")
    tab.get_by_text("true class: airplane").wait_for()
    radius(tab, 132)
    tab.get_by_role("link", name="Why it certifies").click()
    tab.get_by_text("Choose a picture").click()
    tab.get_by_role("button", name="airplane, picture 03, chosen").wait_for()
    tab.get_by_role("link", name="Certify").first.click()
    tab.get_by_text("true class: airplane").wait_for()


def test_what_came_with_a_link_stays_in_the_address_of_the_next_page(tab, address):
    tab.goto(f"{address}?sigma=0.25&cifar10-network=cifar10-dssn-long")
    radius(tab, 220)
    tab.get_by_role("link", name="Why it certifies").click()
    tab.wait_for_url("**/why_it_certifies**sigma=0.25**")
    assert "cifar10-network=cifar10-dssn-long" in tab.url
    at_rest(tab)


def test_the_lesson_is_answered_and_followed(tab, address):
    tab.goto(f"{address}lesson?step=3")
    tab.get_by_text("exactly one", exact=True).click()
    tab.get_by_role("button", name="Reveal").click()
    tab.get_by_text("The grid moves by one level").wait_for()
    tab.get_by_role("link", name="See it").click()
    figure(tab, ".pixel[title='pixel 100']").wait_for()
    tab.go_back()  # once: the link left nothing in the address that the page would have to take out again
    tab.get_by_text("The grid moves by one level").wait_for()


def test_a_lesson_begun_again_has_no_answer_marked(tab, address):
    tab.goto(f"{address}lesson?step=1")
    tab.get_by_role("radio").first.check(force=True)
    tab.get_by_role("button", name="Reveal").click()
    tab.get_by_role("button", name="Start again").click()
    tab.get_by_text("0 answered").wait_for()
    at_rest(tab)
    assert tab.get_by_role("radio", checked=True).count() == 0


def test_a_step_of_the_lesson_shows_what_it_speaks_of_whatever_was_chosen(tab, address):
    tab.goto(f"{address}?data=ImageNet")
    tab.get_by_text("Count it here").wait_for()
    tab.get_by_role("link", name="Lesson", exact=True).click()
    tab.get_by_role("button", name="Skip").click()
    tab.get_by_text("142", exact=True).click()
    tab.get_by_role("button", name="Reveal").click()
    tab.get_by_role("link", name="See it").click()
    tab.get_by_text("In words").click()
    tab.get_by_text("= 362 of them").wait_for()


def test_methods_are_compared_repeated_and_pinned(tab, address):
    tab.goto(f"{address}compare?sigma=0.15&samples=300")
    tab.get_by_text("Costs at a glance").wait_for()
    for title in ("DSSN", "additive uniform", "independent splits (SSN)"):
        tab.get_by_role("heading", name=title, exact=True).wait_for()
    tab.get_by_role("button", name="Pin this setting").click()
    tab.get_by_text("Pinned settings").wait_for()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="JSON").first.click()
    rows = json.loads(download.value.path().read_text())
    assert [row["method"] for row in rows] == ["DSSN", "additive uniform", "independent splits (SSN)"]
    assert rows[0]["failure_probability"] == 0 and rows[1]["passes"] == 128 + 320
    tab.get_by_text("Run it again", exact=True).click()
    tab.get_by_text("Run them").click()
    tab.get_by_text("the best of five randomized runs").wait_for()


def test_a_certificate_is_downloaded_and_checked_and_a_changed_one_is_found_out(tab, address):
    tab.goto(f"{address}?sigma=0.15")
    radius(tab, 132)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download this certificate").click()
    text = download.value.path().read_text()
    tab.get_by_role("link", name="Check a certificate").click()
    tab.get_by_text("Certify a picture and download").wait_for()

    def upload(content: str):
        file = {"name": "c.json", "mimeType": "application/json", "buffer": content.encode()}
        tab.locator("input[type=file]").set_input_files(file)

    upload(text)
    tab.get_by_text("The certificate holds").wait_for()
    changed = json.loads(text)
    changed["claim"]["radius_steps"] += 1
    upload(json.dumps(changed))
    tab.get_by_text(
        "3 of 19 checks differ: digest of the file; certified radius, counted here; arithmetic on the stated votes"
    ).wait_for()
    upload("{")
    tab.get_by_text("this is not a JSON file").wait_for()


# Where to click, found at one stroke: Plotly may put other elements into a figure at any time.
FOOT_OF_BAR = """() => {
    const bar = document.querySelector(".js-plotly-plot .point path");
    if (!bar) return null;  // drawn anew just now
    bar.scrollIntoView({block: "center"});
    const {left, width, bottom} = bar.getBoundingClientRect();
    return [left + width / 2, bottom - 3];
}"""


def test_a_bar_of_the_benchmark_leads_to_its_images(tab, address):
    tab.goto(f"{address}benchmark?bench-section=Images")
    tab.locator(".js-plotly-plot .point path").first.wait_for()
    at_rest(tab)
    tab.mouse.click(*tab.wait_for_function(FOOT_OF_BAR).json_value())  # there: Plotly's own layer lies over the bar
    tab.wait_for_function("() => document.querySelector('input[aria-label=Show]').value === 'wrong'")
    tab.wait_for_url("**bench-kind=wrong")
    at_rest(tab)


def test_back_shows_what_was_shown_and_what_follows_goes_on_from_there(tab, address):
    def noise(value):
        tab.get_by_test_id("stSliderThumbValue").get_by_text(value, exact=True).wait_for()

    tab.goto(address)
    noise("0.50")
    for preset, value in (("0.15", "0.15"), ("0.25", "0.25")):
        tab.get_by_role("button", name=preset, exact=True).click()
        tab.wait_for_url(f"**sigma={value}")
        noise(value)  # the address comes first: what stands there after Back is not to be what stood there before
    tab.go_back()
    noise("0.15")  # only now: Streamlit forgets a Back that still waits when something is clicked
    tab.get_by_role("button", name="picture 05").click()
    tab.get_by_text("true class: frog").wait_for()
    noise("0.15")
    tab.get_by_role("link", name="Lesson", exact=True).click()
    tab.get_by_role("button", name="Skip").wait_for()
    tab.go_back()  # to a bare address: the page as it was left
    tab.get_by_text("true class: frog").wait_for()
    noise("0.15")
    tab.wait_for_url("**sigma=0.15**")


def test_what_was_chosen_outlives_the_way_back_through_a_page_that_was_opened_again(tab, address):
    """There each choice that was restored is an entry of the history: the last one lacks the noise."""

    def open_page(name, words):
        tab.get_by_role("link", name=name, exact=True).click()
        tab.get_by_text(words).first.wait_for()
        at_rest(tab)

    def noise(value):
        tab.get_by_test_id("stSliderThumbValue").get_by_text(value, exact=True).wait_for()
        at_rest(tab)

    tab.goto(address)
    at_rest(tab)
    tab.get_by_role("button", name="picture 05").click()
    tab.get_by_text("true class: frog").wait_for()
    tab.get_by_role("button", name="0.25", exact=True).click()
    noise("0.25")
    open_page("Check a certificate", "All of that is recomputed here")
    open_page("Certify", "true class: frog")
    noise("0.25")
    tab.go_back()
    noise("0.50")
    while "/check" not in tab.url:
        tab.go_back()
        tab.get_by_text(re.compile("recomputed here|true class")).first.wait_for()
        at_rest(tab)
    open_page("Certify", "true class: frog")
    noise("0.25")


def test_back_shows_the_picture_of_ones_own_as_it_was_cut(tab, address, tmp_path):
    picture = tmp_path / "mine.png"
    Image.linear_gradient("L").convert("RGB").resize((96, 64)).save(picture)
    tab.goto(address)
    at_rest(tab)
    tab.get_by_role("radio", name="My own picture").click()
    tab.get_by_test_id("stFileUploader").locator("input").set_input_files(picture)
    tab.get_by_role("slider", name="Position of the crop").focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_url("**crop=51**")
    at_rest(tab)
    tab.get_by_role("link", name="Lesson", exact=True).click()
    tab.get_by_role("button", name="Skip").wait_for()
    at_rest(tab)
    tab.go_back()
    tab.wait_for_url("**crop=51**")
    tab.get_by_text("SHA-256 of the pixels").wait_for()
    at_rest(tab)


@pytest.mark.parametrize(
    ("page", "result"),
    [
        ("?picture=cifar10-16", "The arithmetic"),
        ("why_it_certifies?picture=cifar10-17&why=The+arithmetic", "In words"),
        ("compare?picture=cifar10-18&methods=DSSN", "Costs at a glance"),  # pictures that no other test counts at 3.5
    ],
)
def test_nothing_of_another_noise_stands_by_a_vote_that_is_counted(tab, address, page, result):
    tab.goto(f"{address}{page}")
    found = tab.get_by_text(result, exact=True)
    found.wait_for()
    at_rest(tab)
    tab.get_by_role("button", name="3.5", exact=True).click()
    tab.get_by_text("of 3,091 samples, about").wait_for()
    assert found.count() == 0
    found.wait_for()


def test_the_lesson_shows_its_case_and_then_the_answer(tab, address):
    tab.goto(f"{address}lesson")
    tab.get_by_text("one pixel, 200 grey levels").wait_for()
    tab.get_by_text("141 pixels change by one grey level each").click()
    tab.get_by_role("button", name="Reveal").click()
    tab.get_by_text("one pixel, 200 grey levels: 200 in all, not covered").wait_for()
    tab.get_by_role("button", name="Next").click()
    tab.get_by_text("a large lead cannot be lost").wait_for()
    tab.get_by_text("362", exact=True).wait_for()
    at_rest(tab)


END_OF_CURVE = """name => {
    const figure = document.querySelector(".js-plotly-plot"), {xaxis, yaxis} = figure?._fullLayout ?? {};
    if (!xaxis) return null;  // drawn anew just now
    figure.scrollIntoView({block: "center"});
    const {x, y} = figure.data.find(trace => trace.name === name);
    const {left, top} = figure.getBoundingClientRect();
    return [left + xaxis._offset + xaxis.d2p(x.at(-1)), top + yaxis._offset + yaxis.d2p(y.at(-1))];
}"""


def test_a_curve_of_the_benchmark_leads_to_its_network_and_noise(tab, address):
    tab.goto(f"{address}benchmark")
    curve = tab.locator(".annotation-text", has_text="blocks 3.50")
    curve.wait_for()
    at_rest(tab)
    x, y = tab.wait_for_function(END_OF_CURVE, arg="cifar10-dssn-blocks, σ = 3.50").json_value()
    tab.mouse.click(x, y)
    tab.wait_for_url("**bench-section=Images**")
    assert "bench-network=cifar10-dssn-blocks&bench-sigma=3.50" in tab.url
    tab.get_by_text("Click a bar, or above it").wait_for()
    tab.go_back()  # they came as one entry of the history, the section with the next
    tab.wait_for_url("**/benchmark?bench-network=cifar10-dssn-blocks&bench-sigma=3.50")
    curve.wait_for()
    at_rest(tab)
    tab.go_back()
    tab.wait_for_url("**/benchmark")
    at_rest(tab)


@pytest.mark.parametrize(
    ("page", "section", "words"),
    [
        ("split_and_centre", "Blocks", "A split may also be laid over a"),
        ("why_it_certifies", "Two-pixel world", "Toy base classifier"),
        ("benchmark", "Table", "The paper's figure is its best"),
        ("compare", "Sweep over σ", "Run the sweep"),
    ],
)
def test_back_from_another_page_leads_to_the_section_that_was_left(tab, address, page, section, words):
    tab.goto(f"{address}{page}")
    at_rest(tab)
    tab.get_by_role("radio", name=section).click()
    tab.get_by_text(words).first.wait_for()
    at_rest(tab)
    tab.get_by_role("link", name="About this build").click()
    tab.wait_for_url("**/about")
    at_rest(tab)
    tab.go_back()
    tab.get_by_text(words).first.wait_for()
    at_rest(tab)
    assert tab.get_by_text(words).first.is_visible()


def test_imagenet_and_its_noise_stay_chosen_from_page_to_page(tab, address):
    tab.goto(f"{address}?picture=cifar10-03&sigma=0.15")
    radius(tab, 132)
    tab.get_by_role("radio", name="ImageNet").click()
    tab.get_by_text("Count it here").wait_for()  # its votes come with the network
    tab.wait_for_url("**data=ImageNet")  # with a picture and a noise of their own, the ones to begin with
    radius(tab, 220)
    tab.get_by_role("link", name="Lesson", exact=True).click()
    tab.get_by_role("button", name="Skip").wait_for()
    tab.get_by_role("link", name="Certify").first.click()
    radius(tab, 220)
    tab.get_by_role("button", name="0.15", exact=True).click()
    tab.wait_for_url("**imagenet-sigma=0.15")
    tab.get_by_role("button", name="picture 09").click()
    tab.get_by_text("true class: bottlecap").wait_for()
    link, before = tab.url, radius(tab, 132)
    tab.get_by_role("link", name="Why it certifies").click()
    tab.get_by_text("“bottlecap” is certified within").wait_for()
    tab.goto(link)
    tab.get_by_text("true class: bottlecap").wait_for()
    assert radius(tab, 132) == before


def test_the_crop_of_ones_own_photograph_stays_the_same_on_another_page(tab, address):
    photograph = next(picture.path for picture in built_in_pictures("imagenet")).read_bytes()
    wide = Image.open(io.BytesIO(photograph)).crop((0, 100, 512, 400))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    tab.goto(f"{address}?source=My+own+picture&sigma=0.15")
    tab.locator("input[type=file]").set_input_files(
        {"name": "wide.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    crop = tab.get_by_test_id("stSlider").filter(has_text="Position of the crop").get_by_role("slider")
    shown = tab.get_by_text("SHA-256 of the pixels")
    of_the_middle = shown.inner_text()
    crop.press("Home")
    tab.wait_for_url("**crop=0**")
    shown.filter(has_not_text=of_the_middle).wait_for()  # the address changes before the page does
    radius(tab, 132)
    digest = shown.inner_text()
    tab.get_by_role("link", name="Compare").click()
    tab.get_by_text("Using your earlier upload: wide.png").wait_for()
    assert tab.get_by_text("SHA-256 of the pixels").inner_text() == digest


def test_a_certificate_without_the_picture_holds_none(tab, address):
    tab.goto(f"{address}?sigma=0.15")
    radius(tab, 132)
    tab.get_by_text("include the picture").click()
    tab.get_by_role("button", name="Download the picture as cropped").wait_for()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download this certificate").click()
    assert json.loads(download.value.path().read_text())["image"]["png"] is None
