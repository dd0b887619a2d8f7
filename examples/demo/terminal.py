"""What the demonstration shows on the terminal."""

import sys
import textwrap
from typing import Final

_WIDTH: Final = 96
_STYLED: Final = sys.stdout.isatty()


def _style(text: str, code: int) -> str:
    return f"\033[{code}m{text}\033[0m" if _STYLED else text


def title(number: int, text: str) -> None:
    """A step's headline."""
    print(f"\n{_style(f'{number}. {text}', 1)}")


def say(text: str) -> None:
    """An explanation, wrapped."""
    for line in textwrap.wrap(text, _WIDTH):
        print(f"   {line}")


def command(text: str) -> None:
    """What is run, as it is typed."""
    first, *rest = text.rstrip("\n").split("\n")
    print(_style(f"   $ {first}", 36))
    for line in rest:
        print(_style(f"     {line}", 36))


def output(text: str) -> None:
    """What came back."""
    for line in text.rstrip("\n").split("\n"):
        if line:
            print(f"     {line}")


def result(text: str) -> None:
    """The point of a step."""
    print(f"   {_style('→', 32)} {text}")
