"""The guided lesson: what each step says, asks and answers, and where it leads. The page is in `views/lesson.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app import lesson_figures as figures
from app.collection import COLLECTIONS
from app.gallery import BUILT_IN, SOURCES
from app.glossary import COUNTED_BY
from app.lesson_figures import LessonFigure
from app.links import needed
from dssn_core.constants import PLURALITY
from dssn_core.two_pixels import Point, World

PICTURES = COLLECTIONS["CIFAR-10"]
SHOWN = {
    "data": PICTURES.name,
    PICTURES.network_key: PICTURES.model,
    "source": SOURCES[BUILT_IN],
    "picture": PICTURES.first,
}
"""What the steps speak of, whatever was chosen before."""
COUNTED = {**SHOWN, "counting": COUNTED_BY[PLURALITY]}
"""And where votes are counted."""

WORLD, POINT = World(), Point()
PLANE = {
    "toy": WORLD.toy,
    "angle": str(WORLD.boundary.angle),
    "position": str(WORLD.boundary.position),
    "n": str(WORLD.levels),
    "scheme": WORLD.scheme,
    "k1": str(POINT.first),
    "k2": str(POINT.second),
}
"""The world of two pixels that the lesson shows, as an address says it."""

UNSAID = {
    **COUNTED,
    **PLANE,
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
PAGES = {CERTIFY: "Certify", SPLIT: "Split & centre", WHY: "Why it certifies"}
"""Where the steps lead, by the name in the navigation."""

STEPS = (
    LessonStep(
        "What a certificate promises",
        "A classifier looks at a picture and names a class. Change the picture a little, and it may name another, "
        "though nobody sees a difference. A **certificate** is a proof that this cannot happen near one picture: "
        "*every* picture of whole grey levels, 0 to 255, within a certain distance gets the same answer. Distance here "
        "is **L1**: a pixel has three **values**, one for each colour channel; add up by how many grey levels each "
        "value changed.",
        figures.promise,
        "A certificate of 141 grey levels: which change does it cover?",
        (
            "141 pixels change by one grey level each, in one channel",
            "every pixel of a 32 × 32 picture gets one grey level brighter",
            "one pixel changes by 200 grey levels",
        ),
        0,
        "141 × 1 = 141 is within the budget. 32 × 32 pixels have 3,072 values, so one level each adds up to 3,072. One "
        "pixel by 200 is too much as well: what counts is the sum. For scale: one value from black to white takes 255.",
        CERTIFY,
        {**COUNTED, "sigma": "0.5"},
    ),
    LessonStep(
        "Ask many coarse versions",
        "The network never sees the picture itself. It sees N coarse **samples** of it, like those it trained on, and "
        "votes on each. The answer is the class with the most votes; it is this vote that gets a certificate, not the "
        "network alone (in papers: the *smoothed* classifier, not the *base* classifier). If a small change of the "
        "picture moves only a few votes, a large lead cannot be lost.",
        figures.votes,
        "362 of 441 votes are for automobile, 79 for truck. One vote moves at a time. How many must move before truck "
        "can win?",
        ("283", "142", "79"),
        1,
        "A vote that moves from automobile to truck narrows the gap of 283 by two. After 141 moves automobile leads "
        "221 to 220; the 142nd tips it. So 141 moves are safe: the number that this lesson began with.",
        WHY,
        {"why": "The arithmetic", **COUNTED, "sigma": "0.5"},
    ),
    LessonStep(
        "Split",
        "Lay a grid of **splits** over the grey scale, N grey levels apart, each halfway between two levels, so that "
        "no pixel lies on one. A sample keeps only *which two splits* a pixel (from here on: one value of it) lies "
        "between. (Splits below black and above white are there too, but not drawn; the green dot is for the next "
        "step.) In sample j the whole grid is j levels higher; after N samples it is back where it began. Here "
        "N = 127.",
        figures.split,
        "In how many of the N samples does a split fall exactly between grey levels 100 and 101?",
        ("none", "about half", "exactly one"),
        2,
        "The grid moves by one level from sample to sample, so it visits every gap between two grey levels once in N.",
        SPLIT,
        {"section": "One pixel", "lam": "0.25", "k": "100", "j": "100", "v": "0"},
    ),
    LessonStep(
        "… and centre",
        "The interval is cut off at black and white, and the sample shows its **centre**. Two pixel values in the same "
        "interval give the same centre, to the last bit. And the same sample always gets the same vote.",
        figures.centre,
        "A pixel goes from 100 to 101. How many of the N samples change?",
        ("all of them a little", "exactly one", "it depends on the picture"),
        1,
        "Only the sample with a split between 100 and 101 sees the pixel change sides. There the centre jumps, from 50 "
        "to 164; but a sample has only one vote. All others stay the same, and so do their votes. So at most **one "
        "vote** can move. Follow the link, press + and look at the sample that changed.",
        WHY,
        {"why": "Poke it", **SHOWN, "sigma": "0.5"},
    ),
    LessonStep(
        "Count",
        "One grey level in one channel of one pixel changes one sample, so it moves at most one vote. For "
        "truck to win, 142 votes must move (step 2). Now spend 141 grey levels.",
        figures.count,
        "All 141 on one value, or one each on 141 values: how many of the 441 samples can change?",
        ("at most 141, either way", "more on 141 values than on one", "all 441, on well-chosen values"),
        0,
        "Every grey level crosses one split and changes one sample, wherever it is spent. On different values two may "
        "hit the same sample, as here. So at most 141 votes move; truck needs 142, and every other class more: **that "
        "is the whole proof**. R = 141 is called the **certified radius**. Follow the link, and spend the whole "
        "budget at random.",
        WHY,
        {"why": "Poke it", **SHOWN, "sigma": "0.5"},
    ),
    LessonStep(
        "The theorem in one picture",
        "With two pixels, all pictures fit into a plane: a point is a picture, its colour the answer, darker where the "
        "vote is clearer. All pictures at L1 distance up to R form a diamond, cut off where a pixel would be blacker "
        "than black. A tie goes to the class that comes first in the list, here blue.",
        figures.theorem,
        "Could a cleverer proof, from these two counts alone, certify a diamond one grey level larger?",
        ("yes: a cleverer proof finds room", "no: it is as large as the counts allow"),
        1,
        "Straight to the right each grey level costs blue a vote; after R + 1, orange wins: the cross, on the "
        "dotted diamond (the small square magnifies it). So the counts alone cannot promise R + 1. Single pictures "
        "outside may still be safe: a sample may change and vote as before, and two changes may hit the same sample. "
        "And a real network's nearest picture of another class may be much farther away: a certificate is a guarantee, "
        "not the distance.",
        WHY,
        {"why": "Two-pixel world", **PLANE},
    ),
    LessonStep(
        "More noise",
        "The splits are this method's **noise**. Its strength is λ, half the distance between them, with black as 0 "
        "and white as 1: N grey levels are N/255 = 2λ, so N = 510 λ (most pages set σ = λ/√3). If all votes agree, R "
        "is half of N, or just under, so a larger λ allows a larger radius, up to λ on the same scale. But each sample "
        "tells less.",
        figures.more_noise,
        "What happens to a sample when λ doubles, from 0.5 to 1?",
        (
            "nothing, there are only more of them",
            "about half of the values now say nothing at all",
            "the sample gets darker",
        ),
        1,
        "From λ = 0.5 on at most one split falls on the grey scale. At λ = 1 it falls there for about half of the "
        "values; the others are shown as 1/2, whatever they are.",
        SPLIT,
        {"section": "One picture", **SHOWN, "lam": "1.0", "j": "0"},
    ),
    LessonStep(
        "Offsets",
        "Every pixel has its own **offset**: how many levels higher its grid starts. Below, dark is offset 0 and "
        "bright is N − 1, in each colour channel; here λ = 1, so N = 510. Any offsets give a sound "
        "certificate, as long as they are the same for every picture. But they decide how much of the picture a sample "
        "keeps.",
        figures.offsets,
        "Which offsets keep the most of the picture?",
        ("random ones", "the same one for all pixels", "evenly spread ones"),
        2,
        "Evenly spread offsets make a sample an ordered dither of the picture, much as print makes grey out of dots: "
        "neighbouring pixels ask different questions, and their answers together reveal the brightness. With one "
        "offset for all, at λ = 1 half of the samples are plain grey whatever the picture is; the others, as here, "
        "threshold it at one level.",
        SPLIT,
        {
            "section": "Offsets",
            **SHOWN,
            "offsets-lam": "1.0",
            "j": str(figures.OFFSETS_INDEX),
        },
    ),
    LessonStep(
        "What it does not say",
        "A certificate is exact: all N samples are counted. (Methods that draw samples at random only estimate the "
        "votes, and may be wrong with a small probability.) Here is the picture of step 2 again, in seven times the "
        "noise: λ = 6.06, N = 3,091.",
        figures.not_said,
        "Now the same automobile is certified as “truck”, with R = 375. What went wrong?",
        (
            "one of the two certificates is false",
            "the answer of this vote is wrong, and provably stays wrong nearby",
            "in so much noise a certificate holds only with some probability",
        ),
        1,
        "Each strength of noise makes a classifier of its own, with its own proof: that of step 2 answers “automobile” "
        "for up to 141 grey levels, this one “truck” for up to 375 (half the gap of 752 would be 376, but at that tie "
        "automobile, which comes first in the list, would win). A certificate says that the answer stays the same, "
        "not that it is right. That is why papers report *certified accuracy* at a radius: the share of pictures that "
        "are answered right and certified at least that far.",
        CERTIFY,
        {**COUNTED, "sigma": "3.5"},
    ),
)
