"""Attributes of a realm that follow from what is sent besides them."""

import pytest

from admin_server import Server


@pytest.mark.parametrize("sent", [True, False])
def test_a_feature_that_is_off_is_kept_as_an_attribute_and_shown_as_off(server: Server, sent: bool) -> None:
    assert server.call("PUT", "/demo", {"scimApiEnabled": sent}).status == 204
    realm = server.call("GET", "/demo").body
    assert (realm["scimApiEnabled"], realm["attributes"]["scimApiEnabled"]) == (False, str(sent).lower())


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a flag that is none": ({"keyturn.strict": "yes"}, "keyturn.strict takes true or false"),
    "a name that is none": ({"keyturn.strickt": "true"}, "no attribute keyturn.strickt: is keyturn.strict meant?"),
    "a number that is none": ({"keyturn.jwks.max-age": "5m"}, "keyturn.jwks.max-age takes a number of seconds"),
    "a negative number": ({"keyturn.throttle.after": "-1"}, "keyturn.throttle.after takes a number"),
    "an overlap that is too short": (
        {"keyturn.keys.rotation.period": "86400", "keyturn.keys.rotation.overlap": "299"},
        "keyturn.keys.rotation.overlap is 299; it takes at least 300",
    ),
    "a period that is too short": ({"keyturn.keys.rotation.period": "86400"}, "it takes at least twice"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("how", ["POST", "PUT"])
def test_an_attribute_of_keyturns_own_is_looked_at_when_it_is_written(
    shared_server: Server, wrong: str, how: str
) -> None:
    attributes, text = WRONG[wrong]
    before = shared_server.call("GET", "/demo").body["attributes"]
    if how == "POST":
        answer = shared_server.call("POST", "", {"realm": "new", "components": {}, "attributes": attributes})
    else:
        answer = shared_server.call("PUT", "/demo", {"attributes": attributes})
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")
    assert text in answer.body["error_description"]
    assert shared_server.call("GET", "/demo").body["attributes"] == before


def test_attributes_that_fit_are_stored(server: Server) -> None:
    attributes = {
        "keyturn.strict": "true",
        "keyturn.access-token.small": "false",
        "keyturn.jwks.max-age": "",
        "keyturn.keys.rotation.period": "7776000",
        "keyturn.keys.rotation.overlap": "172800",
        "keyturn.throttle.after": "10",
        "somebody.else": "anything",
        "keyturn.note": "anything",
    }
    assert server.call("PUT", "/demo", {"attributes": attributes}).status == 204
    assert attributes.items() <= server.call("GET", "/demo").body["attributes"].items()
