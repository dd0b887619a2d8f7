"""What the steps of flows are configured with. Source: Keycloak ``AuthenticationManagementResource``."""

from typing import Any, Final

from keyturn.admin.admin_events import Located, Recorded
from keyturn.admin.answers import Created, NoContent
from keyturn.admin.authentication_flows import MASK, shown_configuration
from keyturn.admin.authenticators import settings_of
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import Conflict, NotFound
from keyturn.admin.flow_changes import FlowsOfRealm
from keyturn.admin.lengths import check_lengths
from keyturn.admin.permissions import MANAGE_REALM, VIEW_REALM
from keyturn.admin.reserved_characters import check_characters
from keyturn.admin.resource import Resource
from keyturn.representations import given, replace
from keyturn.representations.authentication import (
    AuthenticatorConfigInfoRepresentation,
    AuthenticatorConfigRepresentation,
)

__all__ = ["authenticator_configs"]


def _masked(_realm: RealmView, _values: Located, body: Any) -> Any:
    if not isinstance(body, AuthenticatorConfigRepresentation):
        return None
    return replace(body, config=dict.fromkeys(given(body.config, {}), MASK))


authenticator_configs: Final = Resource("authenticator configs", event=Recorded("AUTHENTICATOR_CONFIG", shows=_masked))
_OF_A_STEP: Final = Recorded("AUTHENTICATOR_CONFIG", shows=_masked, numbered=True, below=lambda _result, _body: None)


def _new(realm: RealmAdmin, sent: AuthenticatorConfigRepresentation) -> AuthenticatorConfigRepresentation:
    return AuthenticatorConfigRepresentation(
        id=realm.new_id(), alias=sent.alias, config=_without_empty(given(sent.config, {}))
    )


def _check(sent: AuthenticatorConfigRepresentation) -> None:
    check_characters(given(sent.alias, ""))
    check_lengths(sent.alias, *given(sent.config, {}))


def _without_empty(config: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in config.items() if text}


@authenticator_configs.post("executions/{execution_id}/config", needs=MANAGE_REALM, event=_OF_A_STEP)
def post_execution_config(realm: RealmAdmin, execution_id: str, config: AuthenticatorConfigRepresentation) -> Created:
    """Configures a step, in the place of what it was configured with."""
    flows = FlowsOfRealm(realm)
    step = flows.step(execution_id)[1]
    flows.check_new_configuration(given(config.alias, ""), flows.configuration_of(step))
    _check(config)
    made = _new(realm, config)
    flows.configure(execution_id, made)
    flows.store(realm)
    return Created(str(made.id))


@authenticator_configs.get("executions/{execution_id}/config/{config_id}", needs=VIEW_REALM)
def get_execution_config(realm: RealmView, execution_id: str, config_id: str) -> AuthenticatorConfigRepresentation:
    """One configuration; the step is not looked at."""
    flows = FlowsOfRealm(realm)
    return shown_configuration(flows.configuration(config_id))


@authenticator_configs.post("config", needs=MANAGE_REALM)
def post_config(realm: RealmAdmin, config: AuthenticatorConfigRepresentation) -> Created:
    """Adds a configuration that no step has."""
    flows = FlowsOfRealm(realm)
    flows.check_new_configuration(given(config.alias, ""))
    _check(config)
    made = _new(realm, config)
    flows.configurations = [*flows.configurations, made]
    flows.store(realm)
    return Created(str(made.id))


@authenticator_configs.get("config/{config_id}", needs=VIEW_REALM)
def get_config(realm: RealmView, config_id: str) -> AuthenticatorConfigRepresentation:
    """One configuration; what is secret in it is masked."""
    flows = FlowsOfRealm(realm)
    return shown_configuration(flows.configuration(config_id))


@authenticator_configs.put("config/{config_id}", needs=MANAGE_REALM)
def put_config(realm: RealmAdmin, config_id: str, config: AuthenticatorConfigRepresentation) -> NoContent:
    """Replaces it; what is masked stays as it is."""
    flows = FlowsOfRealm(realm)
    before = flows.configuration(config_id)
    alias = given(config.alias, "") or given(before.alias, "")
    if any(each.alias == alias and each.id != before.id for each in flows.configurations):
        raise Conflict(f"Authentication execution configuration {alias} already exists")
    _check(config)
    known = given(before.config, {})
    sent = {name: known.get(name, text) if text == MASK else text for name, text in given(config.config, {}).items()}
    flows.put_configuration(before, replace(before, alias=alias, config=_without_empty(sent)))
    flows.store(realm)
    return NoContent()


@authenticator_configs.delete("config/{config_id}", needs=MANAGE_REALM)
def delete_config(realm: RealmAdmin, config_id: str) -> NoContent:
    """Removes it from the steps that have it."""
    flows = FlowsOfRealm(realm)
    flows.put_configuration(flows.configuration(config_id), None)
    flows.store(realm)
    return NoContent()


@authenticator_configs.get("config-description/{authenticator_id}", needs=VIEW_REALM)
def get_config_description(realm: RealmView, authenticator_id: str) -> AuthenticatorConfigInfoRepresentation:
    """What a step can be configured with."""
    settings = settings_of(authenticator_id)
    if settings is None:
        raise NotFound("Could not find authenticator provider")
    return settings
