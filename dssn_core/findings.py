"""What checking something again finds, line by line, and what that adds up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .wording import shown

LONG = 20
"""Lists with more entries are not spelt out where they agree."""

DIGEST = "digest of the file"
"""The finding about the whole of the file, beside those about its claims."""


@dataclass(frozen=True)
class Finding:
    """One thing that was recomputed. text: what was found, in words.

    rounding: of one that does not agree, whether the arithmetic of another machine would explain it.
    """

    what: str
    agrees: bool
    text: str
    rounding: bool = False

    @property
    def at_fault(self) -> bool:
        """Whether it differs by more than another machine's arithmetic would explain."""
        return not (self.agrees or self.rounding)


class Verdict(StrEnum):
    """What the findings of a file add up to."""

    HOLDS = "The certificate holds."
    ROUNDING = (
        "Everything agrees except what another kind of machine may well count differently: samples that are nearly "
        "tied between two classes. From the file alone one cannot tell another machine's rounding from a forgery: "
        "rely on what the lines about votes and duels say, not on the stated radius."
    )
    EDITED = (
        "All that the certificate claims holds, but the file is not as it was written: its digest differs, so "
        "something that no claim rests on was changed, such as how it was made."
    )
    DIFFERS = "The certificate does not hold as stated."


def verdict(findings: Iterable[Finding]) -> Verdict:
    wrong = [finding for finding in findings if not finding.agrees]
    if not wrong:
        return Verdict.HOLDS
    if all(finding.what == DIGEST for finding in wrong):
        return Verdict.EDITED
    return Verdict.ROUNDING if all(finding.rounding for finding in wrong) else Verdict.DIFFERS


def compared(what: str, stated: Any, found: Any) -> Finding:
    """What a file states beside what was found."""
    if stated != found:
        lists = isinstance(stated, list) and isinstance(found, list)
        text = _first_difference(stated, found) if lists else f"the file says {shown(stated)}, but it is {shown(found)}"
        return Finding(what, False, text)
    text = f"all {len(found):,} as stated" if isinstance(found, list) and len(found) > LONG else shown(found)
    return Finding(what, True, text)


def _first_difference(stated: list[Any], found: list[Any]) -> str:
    if len(stated) != len(found):
        return f"the file lists {len(stated):,}, but there are {len(found):,}"
    wrong = [place for place, (a, b) in enumerate(zip(stated, found, strict=True)) if a != b]
    first = wrong[0]
    return (
        f"{len(wrong):,} of {len(found):,} differ, the first in place {first}: the file says {shown(stated[first])}, "
        f"but it is {shown(found[first])}"
    )
