"""The guided lesson: what each step says, asks and answers, and where it leads. The page is in `views/lesson.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app import lesson_figures as figures
from app.glossary import COUNTED_BY
from app.lesson_figures import LessonFigure
from app.links import needed
from dssn_core.constants import PLURALITY

SHOWN = {"data": "CIFAR-10", "cifar10-network": "cifar10-dssn", "source": "A built-in picture"}
"""What the steps speak of, whatever was chosen before."""
COUNTED = {**SHOWN, "counting": COUNTED_BY[PLURALITY]}
"""And where votes are counted."""

UNSAID = {
    **COUNTED,
    "picture": "cifar10-09",
    "sigma": "0.5",
    "section": "One pixel",
    "why": "Poke it",
    "lam": "0.25",
    "offsets-lam": "1.0",
    "k": "100",
    "j": "0",
    "v": "0",
}
"""What the pages show, as an address says it, where neither it nor an earlier choice says anything."""


@dataclass(frozen=True)
class LessonStep:
    """One step. options[right] answers the question; page and parameters are where to try it."""

    title: str
    text: str
    figure: LessonFigure
    question: str
    options: tuple[str, ...]
    right: int
    why: str
    page: str
    parameters: dict[str, str] = field(default_factory=dict)

    def link(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """The parameters that the page would not show by itself, or after these earlier choices."""
        return needed(self.parameters, UNSAID, chosen)


CERTIFY, SPLIT, WHY = "certify.py", "split_and_centre.py", "why_it_certifies.py"

STEPS = (
    LessonStep(
        "What a certificate promises",
        "A classifier looks at a picture and names a class. Change the picture a little, and it may name another, "
        "though nobody sees a difference. A **certificate** is a proof that this cannot happen near one picture: "
        "*every* picture of whole grey levels, 0 to 255, within a certain distance gets the same answer. Distance here "
        "is **L1**: add up how many grey levels every pixel, in every colour channel, has changed.",
        figures.promise,
        "A certificate of 141 grey levels: which change does it cover?",
        (
            "141 pixels change by one grey level each, in one channel",
            "every pixel of a 32 × 32 picture gets one grey level brighter",
            "one pixel changes by 200 grey levels",
        ),
        0,
        "141 × 1 = 141 is within the budget. A picture of 32 × 32 has 3,072 values, so one level each adds up to "
        "3,072. One pixel by 200 is too much as well: what counts is the sum.",
        CERTIFY,
        {**COUNTED, "picture": "cifar10-09", "sigma": "0.5"},
    ),
    LessonStep(
        "Ask many coarse versions",
        "The network never sees the picture itself. It sees N coarse **samples** of it and votes on each. The answer "
        "is the class with the most votes. If a small change of the picture moves only few votes, a large lead cannot "
        "be lost.",
        figures.votes,
        "362 of 441 votes are for automobile, 79 for truck. One vote moves at a time. How many must move before truck "
        "can win?",
        ("283", "142", "79"),
        1,
        "A vote that moves from automobile to truck narrows the gap of 283 by two. After 141 moves automobile leads "
        "221 to 220; the 142nd tips it.",
        WHY,
        {"why": "The arithmetic", **COUNTED, "picture": "cifar10-09", "sigma": "0.5"},
    ),
    LessonStep(
        "Split",
        "Lay a grid of **splits** over the grey scale, at equal distances. A sample keeps only *which two splits* "
        "a pixel (from here on: one colour channel of it) lies between. In the next sample, the whole grid has moved "
        "up by one grey level.",
        figures.split,
        "The splits are N grey levels apart, and there are N samples. In how many of them does a split fall exactly "
        "between grey levels 100 and 101?",
        ("none", "exactly one", "about half"),
        1,
        "The grid moves by one level from sample to sample, so it visits every gap between two grey levels once in N.",
        SPLIT,
        {"section": "One pixel", "lam": "0.25", "k": "100", "j": "100", "v": "0"},
    ),
    LessonStep(
        "… and centre",
        "The pixel is shown as the **centre** of its interval, cut off at black and white. Two pixel values in the "
        "same interval give the same centre, to the last bit.",
        figures.centre,
        "A pixel goes from 100 to 101. How many of the N samples change?",
        ("all of them a little", "exactly one", "it depends on the picture"),
        1,
        "Only the sample with a split between 100 and 101 sees the pixel change sides. In all others it stays in its "
        "interval, and the sample does not change at all. So at most **one vote** can move. Try it: press + and look "
        "at the sample that changed.",
        WHY,
        {"why": "Poke it", **SHOWN, "picture": "cifar10-09", "sigma": "0.5"},
    ),
    LessonStep(
        "Count",
        "One grey level in one channel of one pixel moves at most one vote. So after R grey levels, however they are "
        "spread, at most R votes have moved.",
        figures.count,
        "R grey levels are spent on one pixel, or on R different pixels. Where can more votes move?",
        ("on one pixel", "on R different pixels", "the bound is the same: R"),
        2,
        "Every grey level crosses one split and changes one sample, wherever it is spent. Two may even hit the "
        "same sample; then fewer votes can move, never more. Try it: spend the whole budget at random.",
        WHY,
        {"why": "Poke it", **SHOWN, "picture": "cifar10-09", "sigma": "0.5"},
    ),
    LessonStep(
        "The theorem in one picture",
        "With two pixels, all pictures fit into a plane. The certificate of one is a diamond: all pictures at L1 "
        "distance up to R.",
        figures.theorem,
        "The diamond never crosses the border of its class. Where it does not even touch it, could a cleverer proof "
        "from the same vote counts make it larger?",
        ("yes: up to the border", "no: it is as large as the counts allow"),
        1,
        "One step more, the dotted diamond, would be wrong for some classifier and image with the same vote counts. "
        "Where the diamond touches the border, this toy is such a case. A real network's nearest picture of another "
        "class may be much farther away than R: a certificate is a guarantee, not the distance.",
        WHY,
        {"why": "Two-pixel world"},
    ),
    LessonStep(
        "More noise",
        "The splits are this method's **noise**. Its strength is λ, half the distance between them (other pages set it "
        "by σ = λ/√3). A larger λ means more samples, N = 510 λ, and a larger possible radius, up to λ. But each "
        "sample tells less.",
        figures.more_noise,
        "What happens to a sample when λ doubles, from 0.5 to 1?",
        (
            "nothing, there are only more of them",
            "about half of the pixels now say nothing at all",
            "the sample gets darker",
        ),
        1,
        "From λ = 0.5 on at most one split falls on the grey scale. At λ = 1 it falls there for about half of the "
        "pixels; the others are shown as 1/2, whatever they are.",
        SPLIT,
        {"section": "One picture", **SHOWN, "lam": "1.0", "j": "0"},
    ),
    LessonStep(
        "Offsets",
        "Every pixel has its own **offset**: where its grid starts. Any offsets give a sound certificate, as long as "
        "they are the same for every picture. But they decide how much of the picture a sample keeps.",
        figures.offsets,
        "Which offsets keep the most of the picture?",
        ("random ones", "the same one for all pixels", "evenly spread ones"),
        2,
        "Evenly spread offsets make a sample an ordered dither of the picture, much as print makes grey out of dots: "
        "neighbouring pixels ask different questions, and their answers together reveal the brightness.",
        SPLIT,
        {"section": "Offsets", **SHOWN, "offsets-lam": "1.0", "j": "0"},
    ),
    LessonStep(
        "What it does not say",
        "A certificate is exact: no chance, no confidence level. But it only says that the answer stays the same.",
        figures.not_said,
        "A picture of an automobile is certified as “truck” with a large radius. What went wrong?",
        (
            "the certificate is false",
            "the network is wrong, and provably stays wrong nearby",
            "the radius must have been zero",
        ),
        1,
        "Robust is not the same as right. That is why papers report *certified accuracy*: the share of pictures that "
        "are both right and certified.",
        CERTIFY,
        {**COUNTED, "picture": "cifar10-09", "sigma": "3.5"},
    ),
)
