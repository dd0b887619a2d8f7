"""The command line, read as Keycloak's reads it (by the rules of its parser, picocli)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from keyturn.cli.kcadm.errors import UsageError
from keyturn.cli.kcadm.options import COMMANDS, Command, Kind, Option

__all__ = ["Arguments", "CommandLineError", "parse_command_line"]

_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_NUMBERS: Final = range(-(2**31), 2**31)
_NEGATIVE: Final = re.compile(r"-(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


class CommandLineError(UsageError):
    """The arguments do not fit the options of `command`."""

    def __init__(self, message: str, command: tuple[str, ...]) -> None:
        super().__init__(message)
        self.command = command


@dataclass(slots=True)
class Arguments:
    """What was given to one command: texts by the option's long name, flags, words, and all of it in order."""

    command: tuple[str, ...]
    words: list[str] = field(default_factory=list)
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _flags: dict[str, bool] = field(default_factory=dict)
    changes: list[tuple[str, str]] = field(default_factory=list)
    """The values of ``--set`` and ``--delete``, as they came."""
    outer: "Arguments | None" = None
    """What was given before the command's last word."""

    def text(self, name: str) -> str | None:
        """The value of the option, None where it was not given."""
        values = self._texts.get(name)
        return values[0] if values else None

    def texts(self, name: str) -> list[str]:
        """The values of an option that may be given more than once."""
        return self._texts.get(name, [])

    def flag(self, name: str) -> bool:
        """Whether the flag was given."""
        return self._flags.get(name, False)

    def given(self, *names: str) -> bool:
        """Whether a value was given to any of these options."""
        return any(name in self._texts for name in names)

    def anywhere(self, name: str) -> bool:
        """Whether the flag was given here or before the command."""
        return self.flag(name) or (self.outer is not None and self.outer.anywhere(name))

    def take(self, option: Option, value: str) -> None:
        """Keep an option's value.

        Raises:
            CommandLineError: the option was given before, or takes no such value.
        """
        name = option.name
        if option.kind is Kind.FLAG:
            if name in self._flags:
                raise CommandLineError(f"option '{name}' should be specified only once", self.command)
            if value.lower() not in ("true", "false", ""):
                raise CommandLineError(f"Invalid value for option '{name}': '{value}' is not a boolean", self.command)
            self._flags[name] = value.lower() == "true"
            return
        if option.kind is not Kind.TEXTS and name in self._texts:
            raise CommandLineError(f"option '{name}' (<{option.label}>) should be specified only once", self.command)
        if option.kind is Kind.NUMBER and not (_NUMBER.fullmatch(value) and int(value) in _NUMBERS):
            raise CommandLineError(f"Invalid value for option '{name}': '{value}' is not an int", self.command)
        if option.kind is Kind.TEXTS and name in ("--set", "--delete"):
            self.changes.append((name.removeprefix("--"), value))
        self._texts.setdefault(name, []).append(value)


def parse_command_line(arguments: Sequence[str]) -> Arguments:
    """The command and its arguments.

    Raises:
        CommandLineError: an unknown option or word, a value that lacks or does not fit.
    """
    return _Reader(arguments).read(COMMANDS[()], None, 0)


class _Reader:
    """One pass over the words; each command takes over where its name stands."""

    __slots__ = ("_words",)

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    def read(self, command: Command, outer: Arguments | None, start: int) -> Arguments:
        read = Arguments(command.words, outer=outer)
        inner: Arguments | None = None
        unmatched: list[int] = []
        options = {name: option for option in command.options for name in option.names}
        at = start
        only_words = False
        while at < len(self._words):
            word = self._words[at]
            name, equals, attached = word.partition("=")
            if only_words:
                self._keep(read, command, at, unmatched)
            elif word == "--":
                only_words = True
            elif word in command.subcommands:
                inner = self.read(COMMANDS[(*command.words, word)], read, at + 1)
                break
            elif option := options.get(word):
                at = self._take(read, option, at, options)
            elif equals and (option := options.get(name)):
                read.take(option, attached)
            elif _resembles_option(word):
                unmatched.append(at)
            else:
                self._keep(read, command, at, unmatched)
            at += 1
        if unmatched:
            raise CommandLineError(self._unmatched(command, unmatched), command.words)
        return inner or read

    def _take(self, read: Arguments, option: Option, at: int, options: dict[str, Option]) -> int:
        """Keep the option at `at` with its value; where the value stands."""
        if option.kind is Kind.FLAG:
            read.take(option, "true")
            return at
        if at + 1 == len(self._words):
            raise CommandLineError(
                f"Missing required parameter for option '{option.name}' (<{option.label}>)", read.command
            )
        value = self._words[at + 1]
        if value == "--" or _is_option(value, options):
            raise CommandLineError(f"Expected parameter for option '{option.name}' but found '{value}'", read.command)
        read.take(option, value)
        return at + 1

    def _keep(self, read: Arguments, command: Command, at: int, unmatched: list[int]) -> None:
        if command.positionals is None or len(read.words) < command.positionals:
            read.words.append(self._words[at])
        else:
            unmatched.append(at)

    def _unmatched(self, command: Command, unmatched: list[int]) -> str:
        from keyturn.cli.kcadm.suggestions import option_names, similar_commands

        words = [self._words[index] for index in unmatched]
        listed = ", ".join(f"'{word}'" for word in words)
        plural = "s" if len(words) > 1 else ""
        if _resembles_option(words[0]):
            names = ", ".join(option_names(words[0], command.options))
            return f"Unknown option{plural}: {listed}" + (f"\nPossible solutions: {names}" if names else "")
        where = f"{'from' if plural else 'at'} index {unmatched[0]}"
        similar = " or ".join(similar_commands(words[0], command))
        return f"Unmatched argument{plural} {where}: {listed}" + (f"\nDid you mean: {similar}?" if similar else "")


def _resembles_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and not _NEGATIVE.fullmatch(word)


def _is_option(word: str, options: dict[str, Option]) -> bool:
    # Letters behind a short option's name count as its value here, though they are not taken as one.
    return word in options or word.partition("=")[0] in options or (len(word) > 2 and word[:2] in options)
