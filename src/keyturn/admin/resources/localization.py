"""Texts of the realm's own for pages shown to people: kept. Source: Keycloak ``RealmLocalizationResource``."""

from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin.answers import Content, NoContent
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.permissions import ANY_ROLE, MANAGE_REALM
from keyturn.admin.query import Query
from keyturn.admin.resource import Resource
from keyturn.representations import given, present, replace
from keyturn.store.collections import REALMS

__all__ = ["localization"]

localization: Final = Resource("localization")
_TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True)
class TextsQuery(Query):
    """Whether texts of the realm's default locale stand in."""

    use_realm_default_locale_fallback: bool = False


def _texts(realm: RealmView) -> dict[str, dict[str, str]]:
    stored = realm.reader.get(REALMS, realm.id, realm.id) or realm.realm
    return dict(given(stored.localization_texts, {}))


def _store(realm: RealmAdmin, texts: dict[str, dict[str, str]]) -> NoContent:
    stored = realm.reader.get(REALMS, realm.id, realm.id) or realm.realm
    realm.tx.update(REALMS, realm.id, replace(stored, localization_texts=texts))
    return NoContent()


@localization.get("", needs=ANY_ROLE, no_cache=False)
def get_locales(realm: RealmView) -> list[str]:
    """Locales with texts of the realm's own."""
    return sorted(_texts(realm))


@localization.get("{locale}", needs=ANY_ROLE, no_cache=False)
def get_texts(realm: RealmView, locale: str, query: TextsQuery) -> dict[str, str]:
    """All texts of a locale."""
    texts = _texts(realm)
    fallback = given(realm.realm.default_locale, "") if query.use_realm_default_locale_fallback else ""
    return {**texts.get(fallback, {}), **texts.get(locale, {})}


@localization.post("{locale}", needs=MANAGE_REALM)
def post_texts(realm: RealmAdmin, locale: str, sent: dict[str, str]) -> NoContent:
    """Adds texts to a locale, or changes them."""
    texts = _texts(realm)
    texts[locale] = {**texts.get(locale, {}), **{name: text for name, text in sent.items() if present(text)}}
    return _store(realm, texts)


@localization.delete("{locale}", needs=MANAGE_REALM)
def delete_texts(realm: RealmAdmin, locale: str) -> NoContent:
    """Removes all texts of a locale."""
    texts = _texts(realm)
    if texts.pop(locale, None) is None:
        raise NotFound(f"No localization texts for locale {locale} found.")
    return _store(realm, texts)


@localization.get("{locale}/{key}", needs=ANY_ROLE, produces=_TEXT, no_cache=False)
def get_text(realm: RealmView, locale: str, key: str) -> Content:
    """One text."""
    return Content(_found(_texts(realm), locale, key).encode(), f"{_TEXT};charset=UTF-8")


@localization.put("{locale}/{key}", needs=MANAGE_REALM, consumes=_TEXT)
def put_text(realm: RealmAdmin, locale: str, key: str, body: bytes) -> NoContent:
    """Adds one text, or changes it."""
    texts = _texts(realm)
    texts[locale] = {**texts.get(locale, {}), key: body.decode(errors="replace")}
    return _store(realm, texts)


@localization.delete("{locale}/{key}", needs=MANAGE_REALM)
def delete_text(realm: RealmAdmin, locale: str, key: str) -> NoContent:
    """Removes one text; the locale stays."""
    texts = _texts(realm)
    _found(texts, locale, key)
    texts[locale] = {name: text for name, text in texts[locale].items() if name != key}
    return _store(realm, texts)


def _found(texts: dict[str, dict[str, str]], locale: str, key: str) -> str:
    text: Any = texts.get(locale, {}).get(key)
    if text is None:
        raise NotFound("Localization text not found")
    return str(text)
