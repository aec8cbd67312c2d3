"""The field's terms, each explained once."""

from collections.abc import Iterable

from dssn_core.constants import DUELS, PLURALITY

GLOSSARY = {
    "sample": "A noisy version of a picture, all that the network sees. In DSSN one of N coarse versions: each pixel "
    "(in some networks, the sum of each block of pixels) is replaced by the centre of the interval between the two "
    "splits around it, cut off at black and white.",
    "split": "A boundary on the grey scale, or on that of a block's sum. Splits lie N grey levels (2λ on the scale "
    "from 0 to 1) apart. In DSSN they lie halfway between grey levels, and from sample to sample all move up by one "
    "level; in SSN each pixel's are drawn anew.",
    "base classifier": "The network that votes on single samples. It is not certified; the smoothed classifier is.",
    "smoothed classifier": "Answers with the class that wins the vote over all noisy versions (samples) of a picture.",
    "duel": "A vote between two classes. Every sample ranks all classes, and sides with the one of the two that it "
    "ranks higher, whatever its first choice. Where duels are counted, the answer is the class that wins all its "
    "duels, and the radius is half its lead in the closest one, rounded down; if its rival would win a tie, one is "
    "taken off the lead first.",
    "λ and σ": "The strength of the noise. λ: half the distance between splits, or half the width of additive uniform "
    "noise, with pixels from 0 to 1. σ = λ/√3: the standard deviation of uniform noise on [−λ, λ], which the papers "
    "tabulate. All methods here run at the same λ.",
    "DSSN": "Deterministic smoothing with splitting noise: N = 510 λ samples, all of them counted. Exact for 8-bit "
    "pictures; no failure probability.",
    "additive uniform": "Samples x + U[−λ, λ] in every pixel, not clipped. Infinitely many samples, so the vote is "
    "estimated (Lee et al. 2019, Yang et al. 2020).",
    "SSN": "Splitting noise, here with every split drawn independently: DSSN's randomized parent (Levine & Feizi "
    "2021). Estimated too.",
    "certified radius ρ": "Every picture within L1 distance ρ of this one (sum of absolute changes, pixels from 0 to "
    "1) gets the same class: every 8-bit picture, for DSSN; for the randomized methods every real-valued one, from the "
    "ideal vote over all samples, with confidence 1 − α and assuming exact real arithmetic.",
    "n₀ and n": "n₀ samples choose the class; n fresh samples count its votes (Cohen et al. 2019). Both are fixed "
    "beforehand.",
    "Clopper–Pearson bound": "p, a lower confidence bound on the class's true share of votes: too large with a chance "
    "of at most α. From it ρ = 2λ(p − 1/2), as if all other votes were for one rival. DSSN counts every rival's.",
    "α, failure probability": "A randomized certificate is wrong with at most this chance, if α is chosen before its "
    "result is seen: trying several and keeping the best would break it. DSSN leaves nothing to chance.",
    "abstention": "No certificate, because p is not above 1/2. DSSN, which counts every rival's votes, needs no "
    "majority.",
    "box constraints": "An attacker must stay within [0, 1]: a pixel x can move by max(x, 1 − x) at most. With "
    "independent noise this can enlarge a radius that exceeds what one pixel can change: the attack must then spread "
    "over several, whose changes overlap in some samples (Voráček & Hein 2023). It does not apply to DSSN, whose "
    "noise is shared by all pixels.",
    "preview": "The bound after fewer than n samples. Stopping at a good one would break α.",
}

OF_DSSN = ("base classifier", "smoothed classifier", "sample", "split", "λ and σ", "DSSN", "certified radius ρ")
"""Words that one needs for a single certificate."""
OF_DUELS = (*OF_DSSN, "duel")
"""And for one by duels."""

COUNTED_BY = {PLURALITY: "first choices", DUELS: "duels"}
"""What a page, and so its address, calls the ways of counting votes."""

NETWORKS = {
    "cifar10-dssn": "small and quick",
    "cifar10-dssn-long": "larger, trained for longer",
    "cifar10-dssn-pair": "the average of two networks, for small and medium radii",
    "cifar10-dssn-blocks": "splits 2 × 2 pixels together and counts duels, for large radii",
    "cifar10-uniform": "as cifar10-dssn, for additive uniform noise",
    "cifar10-ssn": "as cifar10-dssn, for independent splits",
    "imagenet-dssn": "a pretrained classifier behind a denoiser",
    "imagenet-uniform": "as imagenet-dssn, for additive uniform noise",
    "imagenet-ssn": "as imagenet-dssn, for independent splits",
    "imagenet-bare": "the classifier of imagenet-dssn without its denoiser",
}
"""What each network that comes with this project is for."""


def networks(names: Iterable[str]) -> str:
    """Markdown: what each of the networks is for, of those that come with this project."""
    return "\n".join(f"- {name}: {NETWORKS[name]}" for name in names if name in NETWORKS)


def listed(terms: Iterable[str]) -> str:
    """Markdown: the terms and what they mean."""
    return "\n".join(f"- **{term}**: {GLOSSARY[term]}" for term in terms)
