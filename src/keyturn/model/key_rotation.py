"""When a realm's signing keys take each other's place: announced, active, passive, gone.

A key that is announced is PASSIVE: published, so that whoever caches keys has it before the first signature is made
with it. The one before is PASSIVE again until nothing that it has signed counts any more.

What is known of a key beside its provider's settings stands among them, where no tool sees it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyturn.model.key_providers import MADE, PROVIDER_TYPE
from keyturn.representations import ComponentRepresentation, given, replace

__all__ = ["OVERLAP", "PERIOD", "Rotation", "Steps", "next_change", "problem_with", "rotation_of", "steps"]

PERIOD: Final = "keyturn.keys.rotation.period"
"""Attribute of a realm: seconds for which a key signs. None, or 0: its keys stay."""

OVERLAP: Final = "keyturn.keys.rotation.overlap"
"""Attribute of a realm: seconds for which a key is published before it signs, and after."""

_USUAL_OVERLAP: Final = 86400

_ROTATED: Final = frozenset({"rsa-generated", "ecdsa-generated", "eddsa-generated"})
"""Providers of keys that are made here, sign, and are published. Nobody needs to be told of the others' keys."""

_SINCE: Final = "keyturn.rotation.since"
"""The second in which a key began to sign, or was first seen doing so."""
_FOLLOWS: Final = "keyturn.rotation.follows"
"""The component in whose place it is to come."""
_ANNOUNCED: Final = "keyturn.rotation.announced"
_GONE: Final = "keyturn.rotation.gone"
"""The second in which it goes."""
_MARKS: Final = (_SINCE, _FOLLOWS, _ANNOUNCED, _GONE)
_MATERIAL: Final = (
    "privateKey",
    "certificate",
    "keyUse",
    "ecdsaPrivateKey",
    "ecdsaPublicKey",
    "eddsaPrivateKey",
    "eddsaPublicKey",
    MADE,
)


@dataclass(frozen=True, slots=True)
class Rotation:
    """For how many seconds a key signs, and is published before and after that."""

    period: int
    overlap: int


@dataclass(frozen=True, slots=True)
class Steps:
    """What is due. `announced` lack id and key; of `changed` and `removed`, the log is told `told`."""

    announced: tuple[ComponentRepresentation, ...]
    changed: tuple[ComponentRepresentation, ...]
    removed: tuple[str, ...]
    told: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.announced or self.changed or self.removed)


def rotation_of(attributes: Mapping[str, str]) -> Rotation | None:
    """The rotation that a realm's attributes ask for; None where its keys stay."""
    period, overlap = (_number(attributes.get(name)) for name in (PERIOD, OVERLAP))
    return Rotation(period, _USUAL_OVERLAP if overlap is None else overlap) if period else None


def problem_with(attributes: Mapping[str, str], *, max_age: int, lifespan: int) -> str | None:
    """What is wrong with the rotation that they ask for.

    Args:
        max_age: seconds for which keys may be cached.
        lifespan: seconds for which the realm's access tokens count.
    """
    rotation = rotation_of(attributes)
    if rotation is None:
        return f"{OVERLAP} does nothing without {PERIOD}" if attributes.get(OVERLAP) else None
    least = max(max_age, lifespan, 1)
    if rotation.overlap < least:
        return (
            f"{OVERLAP} is {rotation.overlap}; it takes at least {least}, for as long as keys may be cached "
            f"({max_age}) and access tokens count ({lifespan})"
        )
    if rotation.period < 2 * rotation.overlap:
        return f"{PERIOD} is {rotation.period}; it takes at least twice {OVERLAP}, which is {rotation.overlap}"
    return None


def steps(components: Iterable[ComponentRepresentation], rotation: Rotation, now: int) -> Steps:
    """What is due at `now`, in epoch seconds. Keys that an administrator has switched are left as they are."""
    by_id = {given(each.id, ""): each for each in components if _is_rotated(each)}
    followers = {_mark(each, _FOLLOWS): each for each in by_id.values() if _mark(each, _FOLLOWS)}
    announced, changed, removed, told = [], [], [], []
    for component_id, key in by_id.items():
        gone, follower = _number(_mark(key, _GONE)), followers.get(component_id)
        if _follows(key, by_id):
            continue
        if gone is not None and not _signs(key):
            if now >= gone:
                removed.append(component_id)
                told.append(f"{_called(key)} has gone")
        elif not _signs(key):
            if follower is None and _mark(key, _FOLLOWS) and _on(key, "enabled"):
                changed.append(_signing(key, now))
                told.append(f"{_called(key)} signs, as the one before it has gone")
            elif follower is not None and _on(follower, "enabled"):
                changed.append(_signing(follower, now))
                told.append(f"{_called(follower)} signs, as the one before it does not")
        elif gone is not None or _number(_mark(key, _SINCE)) is None:  # an import may bring any text
            changed.append(_signing(key, now))
        elif follower is None:
            if now >= int(_mark(key, _SINCE)) + rotation.period - rotation.overlap:
                announced.append(_next(key, now))
                told.append(f"a key is announced in the place of {_called(key)}")
        elif _on(follower, "enabled") and (_on(follower, "active") or now >= _due(key, follower, rotation)):
            changed += [_signing(follower, now), _with(key, active="false", **{_GONE: str(now + rotation.overlap)})]
            told.append(f"{_called(follower)} signs in the place of {_called(key)}")
    return Steps(tuple(announced), tuple(changed), tuple(removed), tuple(told))


def next_change(components: Iterable[ComponentRepresentation], rotation: Rotation | None) -> int | None:
    """The second in which a key is announced or begins to sign next, in epoch seconds: no cache may reach beyond it."""
    if rotation is None:
        return None
    keys = [each for each in components if _is_rotated(each)]
    followers = {_mark(each, _FOLLOWS): each for each in keys if _mark(each, _FOLLOWS)}
    times = []
    for key in keys:
        since = _number(_mark(key, _SINCE))
        if since is None or not _signs(key):
            continue
        follower = followers.get(given(key.id, ""))
        announced = since + rotation.period - rotation.overlap
        times.append(announced if follower is None else _due(key, follower, rotation))
    return min(times, default=None)


def _due(key: ComponentRepresentation, follower: ComponentRepresentation, rotation: Rotation) -> int:
    """When `follower` begins to sign: never before it was published for long enough, however late it was made."""
    announced = _number(_mark(follower, _ANNOUNCED)) or 0
    return max(int(_mark(key, _SINCE)) + rotation.period, announced + rotation.overlap)


def _next(key: ComponentRepresentation, now: int) -> ComponentRepresentation:
    settings = {n: values for n, values in given(key.config, {}).items() if n not in (*_MARKS, *_MATERIAL)}
    marks = {"active": ["false"], _FOLLOWS: [given(key.id, "")], _ANNOUNCED: [str(now)]}
    return replace(key, id="", config=settings | marks)


def _signing(key: ComponentRepresentation, now: int) -> ComponentRepresentation:
    config = {name: values for name, values in given(key.config, {}).items() if name not in _MARKS}
    return replace(key, config=config | {"active": ["true"], _SINCE: [str(now)]})


def _with(key: ComponentRepresentation, **settings: str) -> ComponentRepresentation:
    return replace(key, config=given(key.config, {}) | {name: [value] for name, value in settings.items()})


def _is_rotated(component: ComponentRepresentation) -> bool:
    return component.provider_type == PROVIDER_TYPE and component.provider_id in _ROTATED


def _follows(key: ComponentRepresentation, by_id: Mapping[str, ComponentRepresentation]) -> bool:
    """Whether it waits for the place of another one, with which it is looked at."""
    return _mark(key, _FOLLOWS) in by_id


def _signs(key: ComponentRepresentation) -> bool:
    return _on(key, "enabled") and _on(key, "active")


def _on(key: ComponentRepresentation, flag: str) -> bool:
    return given(key.config, {}).get(flag, ["true"])[:1] != ["false"]


def _mark(key: ComponentRepresentation, name: str) -> str:
    return (given(key.config, {}).get(name) or [""])[0]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _called(key: ComponentRepresentation) -> str:
    return f"key {given(key.name, '')} ({given(key.id, '')})"


_DIGITS: Final = 12
