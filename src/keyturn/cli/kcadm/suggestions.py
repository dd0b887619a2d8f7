"""What was perhaps meant by an option or a command that does not exist."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import Final

from keyturn.cli.kcadm.options import Command, Option

__all__ = ["option_names", "similar_commands"]

_MOST: Final = 3
_PREFIX: Final = 2


def option_names(word: str, options: Sequence[Option]) -> list[str]:
    """The names that begin with the first two letters of `word`."""
    prefix = _bare(word)[:_PREFIX]
    return [name for option in options for name in option.names if _bare(name).startswith(prefix)]


def similar_commands(word: str, command: Command) -> list[str]:
    """The commands most similar to `word`, the best first: by the cosine of their pairs of letters."""
    wanted = _pairs(word)
    by_score = {score: name for name in command.subcommands if (score := _cosine(wanted, _pairs(name))) > 0}
    best = [by_score[score] for score in sorted(by_score, reverse=True)]
    prefix = " ".join(command.words) or "kcadm.sh"
    return [f"{prefix} {name}" for name in best[:_MOST]]


def _bare(name: str) -> str:
    """`name` from its first letter or digit on; a name without any whole."""
    first = next((index for index, character in enumerate(name) if character.isalnum() or character in "_$"), 0)
    return name[first:]


def _pairs(word: str) -> Counter[str]:
    lower = word.lower()
    return Counter(lower[start : start + 2] for start in range(len(lower) - 1))


def _cosine(left: Counter[str], right: Counter[str]) -> float:
    product = sum(left[pair] * right[pair] for pair in left)
    return product / sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values())) if product else 0.0
