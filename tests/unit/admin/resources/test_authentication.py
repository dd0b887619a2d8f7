"""Authentication flows and required actions: kept, never run (Keycloak ``AuthenticationManagementResource``)."""

from typing import Any

import pytest

from admin_server import Answer, Server

AUTHENTICATION = "/demo/authentication"


@pytest.fixture
def admin(shared_server: Server) -> Server:
    return shared_server


def call(admin: Server, method: str, path: str, body: Any = None) -> Answer:
    return admin.call(method, f"{AUTHENTICATION}/{path}", body)


def new_flow(admin: Server, alias: str) -> str:
    made = call(admin, "POST", "flows", {"alias": alias, "providerId": "basic-flow", "topLevel": True})
    assert made.status == 201
    return made.id


def new_step(admin: Server, flow: str, provider: str, **more: Any) -> str:
    made = call(admin, "POST", f"flows/{flow}/executions/execution", {"provider": provider, **more})
    assert made.status == 201
    assert made.headers["location"].endswith(f"{AUTHENTICATION}/executions/{made.id}")
    return made.id


def steps(admin: Server, flow: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(admin, "GET", f"flows/{flow}/executions").body
    return found


def test_a_flow_is_made_told_renamed_and_removed(admin: Server) -> None:
    flow = new_flow(admin, "made")
    told = call(admin, "GET", f"flows/{flow}").body
    kept = {"id": flow, "alias": "made", "description": "", "providerId": "basic-flow"}
    assert told == kept | {"topLevel": True, "builtIn": False, "authenticationExecutions": []}
    assert told in call(admin, "GET", "flows").body
    change = {"alias": "renamed", "description": "d", "providerId": "basic-flow", "topLevel": True}
    assert call(admin, "PUT", f"flows/{flow}", change).status == 204
    assert call(admin, "GET", f"flows/{flow}").body["alias"] == "renamed"
    assert call(admin, "DELETE", f"flows/{flow}").status == 204
    assert call(admin, "GET", f"flows/{flow}").status == 404


@pytest.mark.parametrize(
    ("flow", "refusal"),
    [
        ({}, {"errorMessage": "Failed to create flow with empty alias name"}),
        ({"alias": "browser", "providerId": "basic-flow"}, {"errorMessage": "Flow browser already exists"}),
        ({"alias": "a/b", "providerId": "basic-flow"}, {"error": "Character '/' not allowed."}),
        ({"alias": "a?", "providerId": "basic-flow"}, {"error": "Character '?' not allowed."}),
        ({"alias": "a"}, {"error": "conflict", "error_description": "Duplicate resource error"}),
    ],
    ids=["no alias", "taken", "a slash", "a question", "no kind"],
)
def test_a_flow_that_cannot_be_is_refused(admin: Server, flow: Any, refusal: Any) -> None:
    assert call(admin, "POST", "flows", flow).body == refusal


def test_steps_have_their_places_and_can_be_moved(admin: Server) -> None:
    new_flow(admin, "moved")
    cookie = new_step(admin, "moved", "auth-cookie")
    form = new_step(admin, "moved", "auth-username-form")
    twice = new_step(admin, "moved", "auth-cookie", priority=7)
    assert [(each["id"], each["priority"]) for each in steps(admin, "moved")] == [(cookie, 0), (form, 1), (twice, 7)]
    assert call(admin, "POST", f"executions/{twice}/raise-priority").status == 204
    assert call(admin, "POST", f"executions/{cookie}/raise-priority").status == 204
    assert [each["id"] for each in steps(admin, "moved")] == [cookie, twice, form]
    assert call(admin, "POST", f"executions/{cookie}/lower-priority").status == 204
    assert call(admin, "DELETE", f"executions/{cookie}").status == 204
    assert [each["id"] for each in steps(admin, "moved")] == [twice, form]
    assert call(admin, "PUT", "flows/moved/executions", {"id": form, "requirement": "REQUIRED"}).status == 204
    changed = steps(admin, "moved")[0]
    assert (changed["id"], changed["requirement"], changed["priority"]) == (form, "REQUIRED", 0)
    assert changed["requirementChoices"] == ["REQUIRED"]


def test_a_flow_in_a_flow_is_told_with_its_steps_and_goes_with_it(admin: Server) -> None:
    outer = new_flow(admin, "outer")
    form = {"alias": "inner", "type": "form-flow", "provider": "registration-page-form"}
    inner = call(admin, "POST", "flows/outer/executions/flow", form).id
    step = new_step(admin, "inner", "registration-user-creation")
    told = steps(admin, "outer")
    assert [(each["level"], each.get("flowId"), each["displayName"]) for each in told] == [
        (0, inner, "inner"),
        (1, None, "Registration User Profile Creation"),
    ]
    change = told[0] | {"displayName": "other", "requirement": "REQUIRED"}
    assert call(admin, "PUT", "flows/outer/executions", change).status == 204
    (held,) = call(admin, "GET", f"flows/{outer}").body["authenticationExecutions"]
    assert held["flowAlias"] == "other"
    assert call(admin, "GET", f"executions/{step}").body["parentFlow"] == inner
    assert call(admin, "DELETE", f"flows/{outer}").status == 204
    assert call(admin, "GET", f"flows/{inner}").status == 404
    assert call(admin, "GET", f"executions/{step}").body == {"error": "Illegal execution"}


def test_a_copy_has_flows_and_configurations_of_its_own(admin: Server) -> None:
    call(admin, "POST", "flows/browser/copy", {"newName": "mine"})
    ours, theirs = steps(admin, "mine"), steps(admin, "browser")
    assert [each["requirement"] for each in ours] == [each["requirement"] for each in theirs]
    for kind in ("id", "flowId", "authenticationConfig"):
        assert not {each[kind] for each in ours if kind in each} & {each[kind] for each in theirs if kind in each}
    (configured,) = [each for each in ours if "alias" in each]
    assert configured["alias"] == "mine browser-conditional-credential"
    again = call(admin, "POST", "flows/browser/copy", {"newName": "mine"})
    assert again.body == {"errorMessage": "New flow alias name already exists"}


def test_a_flow_that_the_realm_uses_is_followed_and_stays(admin: Server) -> None:
    flow = new_flow(admin, "used")
    assert admin.call("PUT", "/demo", {"registrationFlow": "used"}).status == 204
    call(admin, "PUT", f"flows/{flow}", {"alias": "used still", "providerId": "basic-flow", "topLevel": True})
    assert admin.call("GET", "/demo").body["registrationFlow"] == "used still"
    assert call(admin, "DELETE", f"flows/{flow}").status == 400
    assert admin.call("PUT", "/demo", {"registrationFlow": "registration"}).status == 204
    assert call(admin, "DELETE", f"flows/{flow}").status == 204


def test_names_that_would_not_stand_in_a_path_are_refused_but_those_of_flows_in_flows(admin: Server) -> None:
    flow, refusal = new_flow(admin, "named"), {"error": "Character ';' not allowed."}
    step = new_step(admin, "named", "auth-cookie")
    change = {"alias": "a;b", "providerId": "basic-flow"}
    assert call(admin, "PUT", f"flows/{flow}", change).body == refusal
    assert call(admin, "POST", "flows/named/copy", {"newName": "a;b"}).body == refusal
    assert call(admin, "POST", f"executions/{step}/config", {"alias": "a;b"}).body == refusal
    assert call(admin, "POST", "config", {"alias": "a;b"}).body == refusal
    sub_flow = {"alias": "in named;", "type": "basic-flow"}
    assert call(admin, "POST", "flows/named/executions/flow", sub_flow).status == 201


@pytest.mark.parametrize("field", ["alias", "description", "providerId"])
def test_no_text_of_a_flow_is_longer_than_a_column(admin: Server, field: str) -> None:
    document = {"alias": "long", "description": "d", "providerId": "basic-flow"}
    assert call(admin, "POST", "flows", document | {field: "x" * 256}).status == 400
    sub_flow = {"alias": "long", "description": "d", "type": "basic-flow"}
    if field in sub_flow:
        new_flow(admin, f"above {field}")
        path = f"flows/above {field}/executions/flow".replace(" ", "%20")
        assert call(admin, "POST", path, sub_flow | {field: "x" * 256}).status == 400
    assert "long" not in {flow["alias"] for flow in call(admin, "GET", "flows").body}


def test_a_flow_that_a_client_or_provider_uses_stays(admin: Server) -> None:
    by_client, by_provider = new_flow(admin, "of a client"), new_flow(admin, "of a provider")
    bound = {"clientId": "bound", "authenticationFlowBindingOverrides": {"browser": by_client}}
    client = admin.call("POST", "/demo/clients", bound).id
    provider = {"alias": "bound", "providerId": "saml", "firstBrokerLoginFlowAlias": "of a provider"}
    assert admin.call("POST", "/demo/identity-provider/instances", provider).status == 201
    for flow in (by_client, by_provider):
        assert call(admin, "DELETE", f"flows/{flow}").status == 400
    admin.call("DELETE", f"/demo/clients/{client}")
    admin.call("DELETE", "/demo/identity-provider/instances/bound")
    for flow in (by_client, by_provider):
        assert call(admin, "DELETE", f"flows/{flow}").status == 204


def test_what_every_realm_has_is_not_taken_apart(admin: Server) -> None:
    (browser,) = [flow["id"] for flow in call(admin, "GET", "flows").body if flow["alias"] == "browser"]
    first = steps(admin, "browser")[0]
    refusals = [
        call(admin, "DELETE", f"flows/{browser}"),
        call(admin, "DELETE", f"executions/{first['id']}"),
        call(admin, "POST", f"executions/{first['id']}/lower-priority"),
        call(admin, "POST", "flows/browser/executions/execution", {"provider": "auth-cookie"}),
        call(admin, "POST", "flows/browser/executions/flow", {"alias": "below", "type": "basic-flow"}),
    ]
    assert [refusal.status for refusal in refusals] == [400] * 5
    assert call(admin, "PUT", "flows/browser/executions", first | {"requirement": "DISABLED"}).status == 204
    assert steps(admin, "browser")[0] == first | {"requirement": "DISABLED"}


def test_steps_are_of_the_kind_of_their_flow(admin: Server) -> None:
    new_flow(admin, "kinds")
    for provider in ("nobody", "client-jwt", "registration-user-creation"):
        refused = call(admin, "POST", "flows/kinds/executions/execution", {"provider": provider})
        assert refused.body == {"error": f"No authentication provider found for id: {provider}"}
    refused = call(admin, "POST", "flows/nobody/executions/execution", {"provider": "auth-cookie"})
    assert refused.body == {"error": "Parent flow doesn't exist"}


def test_a_step_is_configured_and_what_is_unknown_of_it_is_masked(admin: Server) -> None:
    new_flow(admin, "configured")
    step = new_step(admin, "configured", "identity-provider-redirector")
    known = {"defaultProvider": "ci", "require.password.update.after.registration": "true"}
    config = {"alias": "first", "config": known | {"hidden": "canary", "empty": ""}}
    made = call(admin, "POST", f"executions/{step}/config", config).id
    told = call(admin, "GET", f"config/{made}").body
    assert told == {"id": made, "alias": "first", "config": known | {"hidden": "**********"}}
    assert call(admin, "PUT", f"config/{made}", told | {"alias": "second"}).status == 204
    (shown,) = steps(admin, "configured")
    assert (shown["alias"], shown["authenticationConfig"]) == ("second", made)
    assert call(admin, "GET", f"executions/{step}/config/{made}").body["config"]["hidden"] == "**********"
    other = new_step(admin, "configured", "auth-cookie")
    taken = call(admin, "POST", f"executions/{other}/config", {"alias": "second"})
    assert taken.body == {"errorMessage": "Authentication execution configuration second already exists"}
    again = call(admin, "POST", f"executions/{step}/config", {"alias": "second", "config": {}}).id
    assert call(admin, "GET", f"config/{made}").status == 404
    assert call(admin, "DELETE", f"config/{again}").status == 204
    assert "authenticatorConfig" not in call(admin, "GET", f"executions/{step}").body
    description = call(admin, "GET", "config-description/identity-provider-redirector").body
    assert [each["name"] for each in description["properties"]] == ["defaultProvider"]


def test_a_required_action_is_changed_moved_removed_and_registered_again(admin: Server) -> None:
    action = call(admin, "GET", "required-actions/UPDATE_PROFILE").body
    change = action | {"defaultAction": True, "priority": 41, "config": {"max_auth_age": "9"}}
    assert call(admin, "PUT", "required-actions/UPDATE_PROFILE", change).status == 204
    assert call(admin, "GET", "required-actions/UPDATE_PROFILE").body == change
    assert call(admin, "POST", "required-actions/UPDATE_PROFILE/raise-priority").status == 204
    assert call(admin, "GET", "required-actions").body[0]["alias"] == "UPDATE_PROFILE"
    assert call(admin, "DELETE", "required-actions/UPDATE_PROFILE").status == 204
    unknown = {"providerId": "UPDATE_PROFILE", "name": "Update Profile"}
    assert call(admin, "GET", "unregistered-required-actions").body == [unknown]
    assert call(admin, "POST", "register-required-action", unknown).status == 204
    assert call(admin, "GET", "required-actions").body[-1]["alias"] == "UPDATE_PROFILE"
    assert call(admin, "POST", "register-required-action", unknown).status == 409
    assert call(admin, "GET", "required-actions/nobody").body == {"error": "Failed to find required action"}


def test_a_required_action_takes_what_it_can_be_configured_with(admin: Server) -> None:
    path = "required-actions/UPDATE_PASSWORD/config"
    assert call(admin, "PUT", path, {"config": {"max_auth_age": "7", "other": "x"}}).status == 204
    assert call(admin, "GET", path).body == {"config": {"max_auth_age": "7"}}
    refused = call(admin, "PUT", path, {"config": {"max_auth_age": "-7"}}).body
    assert refused["errorMessage"] == "error-number-out-of-range-too-small"
    assert call(admin, "DELETE", path).status == 204
    assert call(admin, "GET", path).body == {"config": {}}
    assert call(admin, "GET", "required-actions/delete_account/config").status == 400


def test_what_was_changed_is_exported_without_ids_of_steps(admin: Server) -> None:
    new_flow(admin, "exported")
    step = new_step(admin, "exported", "identity-provider-redirector")
    call(admin, "POST", f"executions/{step}/config", {"alias": "exported config", "config": {"defaultProvider": "ci"}})
    exported = admin.call("POST", "/demo/partial-export").body
    (flow,) = [each for each in exported["authenticationFlows"] if each["alias"] == "exported"]
    assert flow["authenticationExecutions"][0]["authenticatorConfig"] == "exported config"
    assert "id" not in flow["authenticationExecutions"][0]
    assert {"defaultProvider": "ci"} in [each["config"] for each in exported["authenticatorConfig"]]


def test_who_may_not_manage_the_realm_changes_no_flow(admin: Server) -> None:
    viewer = admin.holder_of("view-realm")
    flow = {"alias": "theirs", "providerId": "basic-flow"}
    assert admin.call("POST", f"{AUTHENTICATION}/flows", flow, token=viewer).status == 403
    assert admin.call("GET", f"{AUTHENTICATION}/flows/browser/executions", token=viewer).status == 200
    for_clients = admin.holder_of("manage-clients")
    assert admin.call("GET", f"{AUTHENTICATION}/flows/browser/executions", token=for_clients).status == 403
    assert admin.call("GET", f"{AUTHENTICATION}/per-client-config-description", token=for_clients).status == 200


def test_who_is_new_has_to_do_what_the_realm_asks_of_everybody(server: Server) -> None:
    terms = call(server, "GET", "required-actions/TERMS_AND_CONDITIONS").body
    call(server, "PUT", "required-actions/TERMS_AND_CONDITIONS", terms | {"enabled": True, "defaultAction": True})
    posted = {"username": "alice", "requiredActions": ["UPDATE_PROFILE", "nobody"]}
    alice = server.call("POST", "/demo/users", posted).id
    told = server.call("GET", f"/demo/users/{alice}").body["requiredActions"]
    assert told == ["TERMS_AND_CONDITIONS", "UPDATE_PROFILE"]


def test_what_a_realm_does_not_have_can_be_asked_of_a_user_all_the_same(server: Server) -> None:
    assert call(server, "DELETE", "required-actions/CONFIGURE_TOTP").status == 204
    alice = server.call("POST", "/demo/users", {"username": "alice", "requiredActions": ["CONFIGURE_TOTP"]}).id
    assert server.call("GET", f"/demo/users/{alice}").body["requiredActions"] == ["CONFIGURE_TOTP"]


def test_what_comes_behind_the_largest_priority_can_be_read_again(server: Server) -> None:
    largest = 2**31 - 1
    new_flow(server, "full")
    new_step(server, "full", "auth-cookie", priority=largest)
    behind = new_step(server, "full", "auth-username-form")
    assert [each["priority"] for each in steps(server, "full")] == [largest, largest]
    assert steps(server, "full")[1]["id"] == behind
    action = call(server, "GET", "required-actions/UPDATE_PROFILE").body
    call(server, "DELETE", "required-actions/VERIFY_EMAIL")
    assert call(server, "PUT", "required-actions/UPDATE_PROFILE", action | {"priority": largest}).status == 204
    assert call(server, "POST", "register-required-action", {"providerId": "VERIFY_EMAIL"}).status == 204
    assert server.call("GET", "/demo").status == 200
    assert call(server, "GET", "required-actions").body[-1]["alias"] == "VERIFY_EMAIL"


def test_a_flow_that_stands_in_itself_or_twice_has_an_end(admin: Server) -> None:
    loop = new_flow(admin, "loop")
    step = {"flowId": loop, "authenticatorFlow": True, "requirement": "DISABLED"}
    assert call(admin, "POST", "executions", step | {"parentFlow": loop}).status == 201
    assert [each["level"] for each in steps(admin, "loop")] == [0]
    refused = call(admin, "POST", "flows/loop/copy", {"newName": "copied"})
    assert (refused.status, refused.body) == (409, {"errorMessage": "New flow alias name already exists"})
    inner = loop
    for level in range(20):
        outer = new_flow(admin, f"doubling {level}")
        for _ in range(2):
            assert call(admin, "POST", "executions", step | {"flowId": inner, "parentFlow": outer}).status == 201
        inner = outer
    assert len(steps(admin, "doubling 19")) == 41
    assert call(admin, "DELETE", f"flows/{loop}").status == 204


def test_flows_stand_in_each_other_no_deeper_than_they_can_be_told(admin: Server) -> None:
    def within(depth: int, **last: Any) -> dict[str, Any]:
        flows = [
            {"alias": f"f{at}", "authenticationExecutions": [{"flowAlias": f"f{at + 1}", "authenticatorFlow": True}]}
            for at in range(depth)
        ]
        return {"realm": "deep", "authenticationFlows": [*flows, {"alias": f"f{depth}", **last}]}

    refused = {"error": "invalid_request", "error_description": "Flows stand in each other more than 100 deep"}
    for flows in (within(1100), within(100)):
        answer = admin.call("POST", "", flows)
        assert (answer.status, answer.body) == (400, refused)
    again = {"authenticationExecutions": [{"flowAlias": "f0", "authenticatorFlow": True}]}
    assert admin.call("POST", "", within(98, **again)).status == 201
    answer = admin.call("GET", "/deep/authentication/flows/f0/executions")
    assert (answer.status, len(answer.body) >= 98) == (200, True)
    more = {"alias": "more", "type": "basic-flow"}
    assert admin.call("POST", "/deep/authentication/flows/f98/executions/flow", more).status == 201
    answer = admin.call("POST", "/deep/authentication/flows/more/executions/flow", more | {"alias": "most"})
    assert (answer.status, answer.body) == (400, refused)
