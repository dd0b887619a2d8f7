"""What a step of a flow, and a required action, may be: what Keycloak has, as it tells of it."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal

from keyturn.representations import given
from keyturn.representations.authentication import AuthenticatorConfigInfoRepresentation
from keyturn.representations.defaults import fragment, listing

__all__ = [
    "FORM",
    "Kind",
    "authenticator",
    "choices_of",
    "kind_within",
    "listed",
    "open_settings",
    "required_action_names",
    "required_action_settings",
    "settings_of",
]

Kind = Literal["authenticator", "client", "form", "form_action"]
FORM: Final = "form-flow"
_WITHIN: Final[Mapping[str, Kind]] = {FORM: "form_action", "client-flow": "client"}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "basic-flow": ("REQUIRED", "ALTERNATIVE", "DISABLED", "CONDITIONAL"),
    FORM: ("REQUIRED", "DISABLED"),
    "client-flow": ("ALTERNATIVE", "REQUIRED", "DISABLED"),
}


def kind_within(flow_type: str) -> Kind:
    """What the steps of a flow of this ``providerId`` are."""
    return _WITHIN.get(flow_type, "authenticator")


def choices_of(flow_type: str) -> list[str]:
    """What may be required of a flow of this ``providerId`` within another one."""
    return list(_CHOICES.get(flow_type, ()))


@cache
def _all() -> dict[str, Mapping[str, Any]]:
    return {each["id"]: each for each in listing("authenticators")}


def authenticator(provider_id: str) -> Mapping[str, Any] | None:
    """What Keycloak tells of it, if it has it."""
    return _all().get(provider_id)


@cache
def open_settings() -> frozenset[str]:
    """The names of all settings that steps can have and that are no secrets."""
    settings = [setting for each in _all().values() for setting in each.get("properties", [])]
    return frozenset(setting["name"] for setting in settings if not setting.get("secret"))


def listed(kind: Kind) -> list[dict[str, Any]]:
    """All of a kind, as they are listed."""
    shown = ("displayName", "description", "supportsSecret", "id")
    found = (each for each in _all().values() if each["kind"] == kind)
    return [{name: each[name] for name in shown if name in each} for each in found]


def settings_of(provider_id: str) -> AuthenticatorConfigInfoRepresentation | None:
    """What it can be configured with, if there is such an authenticator."""
    found = authenticator(provider_id)
    if found is None or found["kind"] == "form":
        return None
    return AuthenticatorConfigInfoRepresentation(
        name=found["displayName"],
        provider_id=provider_id,
        help_text=found["description"],
        properties=found.get("properties", []),
    )


def required_action_settings(provider_id: str) -> list[dict[str, Any]] | None:
    """What it can be configured with; None where nothing is to be configured."""
    settings: dict[str, list[dict[str, Any]]] = listing("required_action_settings")
    return settings.get(provider_id)


def required_action_names(realm: str) -> dict[str, str]:
    """The required actions that there are, and what they are called."""
    usual = given(fragment("authentication", realm).required_actions, [])
    return {str(action.provider_id): str(action.name) for action in usual}
