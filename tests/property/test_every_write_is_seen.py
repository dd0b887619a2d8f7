"""Whatever administrators write, the next token and the next introspection say what the documents say.

Random sequences of admin requests; after each one every client asks for a token, and the tokens of now and of before
are introspected. What they must say is worked out by ``plain_model``, which shares nothing with the code under test.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from property.writes import Writes

pytestmark = pytest.mark.slow

ON = ("access", "introspected", "light")
ALWAYS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True)


def test_each_kind_of_write_is_seen_in_the_next_token() -> None:
    """One after the other, where chance would take long to come by."""
    writes = Writes()
    writes.start()
    try:
        writes.every_token_says_what_the_documents_say()
        for method, arguments in each_kind_of_write():
            getattr(writes, method)(**arguments)
            writes.every_token_says_what_the_documents_say()
    finally:
        writes.teardown()


def each_kind_of_write() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every write twice, there and back, on each of the first few things that there are; what destroys comes last."""
    for add in (False, True):
        yield "change_a_composite", {"outer": 2, "inner": 3, "add": add}
        for role in range(4):
            yield "change_a_scope_mapping", {"which": 1, "role": role, "add": add, "of_client": True}
    for add in (False, True):
        for role in range(6):
            for which in range(2):
                yield "map_a_role_to_a_service_account", {"which": which, "role": role, "add": add}
                yield "map_a_role_to_a_group", {"which": which, "role": role, "add": add}
        for scope in range(14):
            yield "assign_a_client_scope", {"which": scope, "scope": scope, "kind": "default", "add": add}
        for which in range(2):
            yield "join_or_leave_a_group", {"which": which, "group": 1, "join": add}
            for field in ("enabled", "fullScopeAllowed"):
                yield "set_a_flag_of_a_client", {"which": which, "field": field, "value": add}
        yield "change_a_service_account", {"which": 0, "enabled": add, "value": "blue"}
        yield "make_a_client_public_or_not", {"which": 0, "value": not add}
        yield "enable_or_disable_the_realm", {"enabled": add}
    for scope in range(14):
        for add in (True, False):
            yield "change_a_scope_mapping", {"which": scope, "role": scope, "add": add, "of_client": False}
    for kind in range(6):
        yield "add_a_mapper", {"which": 0, "of_client": True, "kind": kind} | dict.fromkeys(ON, True)
        yield "add_a_mapper", {"which": 9, "of_client": False, "kind": kind} | dict.fromkeys(ON, True)
    for which in range(0, 60, 3):
        yield "change_a_mapper", {"which": which, "mapper": which, "remove": which % 2 == 0, "access": False}
    yield "change_a_secret", {"which": 0, "made": True}
    yield "change_a_secret", {"which": 1, "made": False}
    yield "set_web_origins", {"which": 1, "origins": ["https://a.example"]}
    yield "change_lifespans_of_the_realm", {"lifespan": 90000, "longest": 600}
    yield "rename_a_role", {"which": 0, "to": "bee"}
    yield "rename_a_group", {"which": 0, "to": "cat"}
    yield "rename_a_client", {"which": 0, "to": "ant"}
    yield "create_a_client", {"client_id": "one", "full": True}  # asked for in vain before it is made
    for value in (False, True):
        yield "set_a_flag_of_a_client", {"which": 0, "field": "serviceAccountsEnabled", "value": value}
    yield "delete_a_service_account", {"which": 1, "anew": True}
    yield "set_attributes_of_a_client", {"which": 0, "lifespan": "60", "lightweight": True}
    yield "rename_the_realm", {"to": "my realm"}
    yield "change_a_client_scope", {"which": 9, "to": "dog", "shown": False}
    yield "add_a_key", {}
    for change in ("active", "enabled", "delete"):
        yield "change_a_key", {"which": 1, "change": change, "value": False}
        yield "change_a_key", {"which": 0, "change": change, "value": False}
    for later in (1, 0):
        for whose in ("client", "realm"):
            yield "set_not_before", {"which": 0, "later": later, "whose": whose}
    yield "let_time_pass", {"seconds": 61}
    for which in range(2):
        yield "delete_a_role", {"which": which}
        yield "delete_a_group", {"which": which}
        yield "delete_a_client_scope", {"which": 9}
        yield "delete_a_client", {"which": 0}


def test_every_write_is_seen_in_the_next_token() -> None:
    run_state_machine_as_test(
        Writes, settings=settings(ALWAYS, max_examples=8, stateful_step_count=30, derandomize=True)
    )


@pytest.mark.full
@pytest.mark.timeout(900)
def test_every_write_is_seen_in_the_next_token_of_many_more() -> None:
    run_state_machine_as_test(Writes, settings=settings(ALWAYS, max_examples=150, stateful_step_count=50))
