"""What no signature says: what names mean, and which right an endpoint asks for that decides within."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Texts", "texts"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The tables of ``texts.toml`` and ``fields.toml``."""

    tags: Mapping[str, str]
    """The page that a resource is described on, where that is not its own."""
    about: Mapping[str, str]
    """What a page is about."""
    segments: Mapping[str, tuple[str, str]]
    """By the name of a segment that takes any text, the name that clients know it by, and what it is."""
    queries: Mapping[str, str]
    """By ``name``, or ``name@function`` where it means something else there."""
    rights: Mapping[str, str]
    """By function."""
    fields: Mapping[str, Mapping[str, str]]
    """By document and field."""
    told: Mapping[str, frozenset[str]]
    """Fields by document that are answered, and not taken."""
    ignored: Mapping[str, Mapping[str, str]]
    """Fields by document that are neither acted on nor kept, with the reason."""


@cache
def texts() -> Texts:
    """All of them, read once."""
    here = files("keyturn.admin.openapi")
    general = tomllib.loads(here.joinpath("texts.toml").read_text(encoding="utf-8"))
    documents = tomllib.loads(here.joinpath("fields.toml").read_text(encoding="utf-8"))
    return Texts(
        tags=general["tags"],
        about=general["about"],
        segments={name: (shown, text) for name, (shown, text) in general["segments"].items()},
        queries=general["queries"],
        rights=general["rights"],
        fields=documents["fields"],
        told={name: frozenset(told) for name, told in documents["told"].items()},
        ignored=documents["ignored"],
    )
