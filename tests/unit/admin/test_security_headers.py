"""Which of the admin API's answers have security headers: Keycloak's have, but for those from outside its resources."""

import pytest

from admin_server import Server
from keyturn.admin.errors import DuplicateResource, KnownDuplicate, NoSuchService, NotFound


@pytest.mark.parametrize(
    ("error", "secured"),
    [(DuplicateResource(), False), (NoSuchService(), False), (KnownDuplicate(), True), (NotFound(), True)],
)
def test_an_error_says_where_keycloak_would_make_it(error: NotFound, secured: bool) -> None:
    assert error.secured == secured


def test_a_scope_that_is_a_default_already_is_a_known_duplicate(server: Server) -> None:
    scope = server.call("POST", "/demo/client-scopes", {"name": "own", "protocol": "openid-connect"}).id
    path = f"/demo/default-default-client-scopes/{scope}"
    assert server.call("PUT", path).status == 204
    again = server.call("PUT", path)
    assert (again.status, again.body["error_description"]) == (409, "Duplicate resource error")
