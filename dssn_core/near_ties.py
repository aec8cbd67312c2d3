"""Votes and duels that a file states, beside those counted here: which differences another machine may make."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .certificate import RadiusBounds, radius_bounds
from .classifier import Classifier
from .duels import DuelCertificate, count_duels, duel_bounds
from .findings import Finding
from .voting import Vote
from .wording import at_most, counted

NEAR_TIE = {"float32": 1e-3, "bfloat16": 0.25}
"""By number format: two logits closer than this may change order by another machine's rounding. Well above what
`agreement` measures on one. In bfloat16 a processor without kernels for it turned 12 of 2640 kept votes on ImageNet
pictures, whose two best logits were up to 0.06 apart.
"""

MOST_NEAR_TIES = 0.1
"""The largest share of samples that can be excused as near ties."""

LogitsAt = Callable[[np.ndarray], Iterator[tuple[np.ndarray, np.ndarray]]]
"""Of samples at some indices, batch by batch: which of these (int64), and their logits, float32 (B, K)."""


def _sure_of(bounds: RadiusBounds, class_names: tuple[str, ...]) -> str:
    if not bounds.final:
        return "no class is certain to win"
    return f"at least {counted(bounds.lower, 'grey level')} are certified for “{class_names[bounds.label]}”"


def compare_votes(logits_at: LogitsAt, model: Classifier, listed: np.ndarray, vote: Vote) -> Finding:
    """The stated votes against those counted here. They are excused where the stated class is nearly the best here.

    How nearly depends on the number format. Nothing is excused where too many differ, or those that do decide which
    class wins by plurality.
    """
    labels = vote.labels
    what, differing = "votes of the samples", np.flatnonzero(listed != labels)
    if not len(differing):
        return Finding(what, True, f"all {vote.total:,} as stated")
    differ = f"{len(differing):,} of {vote.total:,} samples vote differently"
    text = f"{differ} here than stated, the first: j = {differing[0]}"
    decided = True
    if vote.duels is None:
        bounds = radius_bounds(np.bincount(labels[listed == labels], minlength=model.num_classes), vote.total)
        decided = bounds.final
        text += (
            f". The votes counted here certify {counted(vote.certificate.radius_steps, 'grey level')}; whatever those "
            f"vote for, {_sure_of(bounds, model.class_names)}"
        )
    if len(differing) > MOST_NEAR_TIES * vote.total or not decided:
        return Finding(what, False, text)
    behind = 0.0
    for rows, logits in logits_at(differing):
        stated = np.take_along_axis(logits, listed[rows, None], axis=1)
        behind = max(behind, float((logits.max(axis=1, keepdims=True) - stated).max()))
    near = behind < NEAR_TIE[model.precision]
    how = f"up to {at_most(behind)} behind the best here" if behind else "exactly as good as the best here"
    return Finding(what, False, f"{text}. In logits, the stated classes are {how}", near)


def compare_duels(
    logits_at: LogitsAt, model: Classifier, listed: np.ndarray, stated: DuelCertificate, vote: Vote
) -> Finding:
    """The stated duels against those counted here. They are excused where near ties could have gone so.

    listed: the stated first choices of the samples, which near ties are not to contradict. Nothing is excused where too
    many differ, or samples as nearly tied as those that differ decide which class wins.
    """
    what, here = "duels of the class", vote.certificate
    assert isinstance(here, DuelCertificate)
    a, names = stated.label, model.class_names
    if here.label != a:
        return Finding(what, False, f"the file says that “{names[a]}” wins, but here it is “{names[here.label]}”")
    off = np.array(stated.wins) - np.array(here.wins)
    differing = np.flatnonzero(off)
    if not len(differing):
        return Finding(what, True, f"all {len(off) - 1} as stated")
    logits = np.concatenate([found for _, found in logits_at(np.arange(vote.total))])
    apart = _turned(logits, listed, a, stated.wins)
    said = at_most(apart)
    bounds, c = duel_bounds(count_duels(logits, float(said)), vote.total), differing[0]
    certified = counted(here.radius_steps, "grey level")
    text = (
        f"{len(differing)} of {len(off) - 1} have other counts here than stated, the first against “{names[c]}”: "
        f"{stated.wins[c]} stated, {here.wins[c]} here. The duels counted here certify {certified}. For those stated, "
        f"samples whose logits are up to {said} apart must side differently; however all such samples side, "
        f"{_sure_of(bounds, names)}"
    )
    decided = bounds.final and abs(off).max() <= MOST_NEAR_TIES * vote.total  # for a, which wins one way: as here
    return Finding(what, False, text, rounding=bool(decided and apart < NEAR_TIE[model.precision]))


def _turned(logits: np.ndarray, listed: np.ndarray, a: int, wins: Sequence[int]) -> float:
    """The smallest gap for which a can win so often if only samples with two logits no further apart change sides.

    logits: (N, K). listed: int64 (N,), first choices, which win and lose their duels. wins: how many samples rank a
    above each class; of those free to side either way the most inclined do.
    """
    apart = 0.0
    for c in set(range(len(wins))) - {a}:
        leads = logits[:, a].astype(np.float64) - logits[:, c]
        bound = (listed == a).astype(int) - (listed == c)
        with_a, against = np.split(leads[np.lexsort((-leads, -bound))], [wins[c]])
        apart = max(apart, -with_a.min(initial=0), against.max(initial=0))
    return apart
