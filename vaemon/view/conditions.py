"""A condition on a run, as it is written: 'active>=32', 'finished', 'step>=1000 and inactive<10 or crashed'.

condition   = comparisons joined by "and" and "or"; "and" binds closer
comparison  = NAME SIGN NUMBER, or one of `facts.TRUTHS` by itself
SIGN        = < <= > >= == !=, and = for ==
NAME        = letters, digits and whatever else is neither a sign, a quote nor a blank; between double quotes, anything
"""

import math
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vaemon.errors import UnknownName, UsageError, nearest
from vaemon.view.facts import TRUTHS

_SIGNS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_WORD = r'"[^"]*"|[^\s<>=!"]+'
_NUMBER = r"[-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARISON = re.compile(rf"\s*({_WORD})\s*(?:(<=|>=|==|!=|=|<|>)\s*({_NUMBER})\s*)?")
EXAMPLES = "'active>=32', 'mse<0.01 and step>=1000', 'finished or crashed'"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A name and what is asked of its value."""

    name: str
    sign: str = "!="
    number: float = 0.0

    def holds(self, facts: Mapping[str, float]) -> bool:
        """Whether it is so; of a value that is NaN, or that there is not, nothing holds."""
        value = facts.get(self.name, math.nan)
        return not math.isnan(value) and bool(_SIGNS[self.sign](value, self.number))

    def __str__(self) -> str:
        name = self.name if re.fullmatch(_WORD, self.name) and self.name not in ("and", "or") else f'"{self.name}"'
        return name if self.name in TRUTHS else f"{name}{self.sign}{self.number!r}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Alternatives, each of comparisons that must hold together."""

    alternatives: tuple[tuple[Comparison, ...], ...]

    def holds(self, facts: Mapping[str, float]) -> bool:
        """Whether it is so."""
        return bool(self.reasons(facts))

    def reasons(self, facts: Mapping[str, float]) -> tuple[Comparison, ...]:
        """The comparisons that make it so; none where it is not."""
        true = [together for together in self.alternatives if all(each.holds(facts) for each in together)]
        return tuple(each for together in true for each in together)

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """All of them, in the order written."""
        return tuple(each for together in self.alternatives for each in together)

    def check(self, known: Iterable[str], asked: str = "condition") -> None:
        """Raise UnknownName where a name is none of those known; `asked` is the option that it was given to."""
        names = set(known)
        for each in self.comparisons:
            if each.name not in names:
                raise UnknownName(f"name in {asked}", each.name, names)

    def __str__(self) -> str:
        return " or ".join(" and ".join(map(str, together)) for together in self.alternatives)


def parse_condition(text: str, asked: str = "condition", examples: str = EXAMPLES) -> Condition:
    """A condition as it is written.

    Args:
        text: as it is written.
        asked: the option that it was given to.
        examples: of what that option takes, for who wrote something else.

    Raises:
        UsageError: it is none.
    """
    alternatives: list[tuple[Comparison, ...]] = []
    together: list[Comparison] = []
    at = 0
    while True:
        match = _COMPARISON.match(text, at)
        if match is None or match[1].lower() in ("and", "or"):
            raise UsageError(f"{asked} {text!r}: a comparison is missing {_place(text, at)}; write it as in {examples}")
        together.append(_comparison(match, f"{asked} {text!r}", examples))
        at = match.end()
        joint = re.compile(r"\s*\b(and|or)\b(?![<>=!])", re.IGNORECASE).match(text, at)
        if joint is None or joint[1].lower() == "or":
            alternatives.append(tuple(together))
            together = []
        if joint is None:
            break
        at = joint.end()
    if text[at:].strip():
        raise UsageError(f"{asked} {text!r}: {text[at:].strip()!r} is not understood; write it as in {examples}")
    return Condition(tuple(alternatives))


def _comparison(match: re.Match[str], asked: str, examples: str) -> Comparison:
    name, sign, number = match[1].strip('"'), match[2], match[3]
    if sign is None and name in TRUTHS:
        return Comparison(name)
    if sign is None:
        lacks = f"{name!r} is no state, and is compared with no number"
        near = nearest(name, TRUTHS)
        raise UsageError(f"{asked}: {lacks}; {f'did you mean {near!r}?' if near else f'write it as in {examples}'}")
    if name in TRUTHS:
        raise UsageError(f"{asked}: {name!r} is true or false and is compared with nothing; write it alone")
    return Comparison(name, "==" if sign == "=" else sign, float(number))


def _place(text: str, at: int) -> str:
    return f"after {text[:at].strip()!r}" if text[:at].strip() else "at the beginning"
