"""Attributes of a realm that follow from what is sent besides them."""

import pytest

from admin_server import Server


@pytest.mark.parametrize("sent", [True, False])
def test_a_feature_that_is_off_is_kept_as_an_attribute_and_shown_as_off(server: Server, sent: bool) -> None:
    assert server.call("PUT", "/demo", {"scimApiEnabled": sent}).status == 204
    realm = server.call("GET", "/demo").body
    assert (realm["scimApiEnabled"], realm["attributes"]["scimApiEnabled"]) == (False, str(sent).lower())
