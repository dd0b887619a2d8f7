"""Groups: the tree, its names and paths, members, default groups."""

from typing import Any

import pytest

from admin_server import Server


def _group(server: Server, name: str, above: str | None = None) -> str:
    path = "/demo/groups" if above is None else f"/demo/groups/{above}/children"
    answer = server.call("POST", path, {"name": name})
    assert answer.status == 201, answer
    return answer.id


@pytest.fixture
def tree(server: Server) -> dict[str, str]:
    """Ids of groups: ``team`` with ``child`` with ``grandchild``; ``other``."""
    ids = {"team": _group(server, "team"), "other": _group(server, "other")}
    ids["child"] = _group(server, "child", ids["team"])
    ids["grandchild"] = _group(server, "grandchild", ids["child"])
    return ids


def _shape(groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {group["name"]: _shape(group["subGroups"]) for group in groups}


def test_a_child_is_told_with_its_path(server: Server, tree: dict[str, str]) -> None:
    told = server.call("GET", f"/demo/groups/{tree['grandchild']}").body
    assert told["path"] == "/team/child/grandchild"
    assert told["parentId"] == tree["child"]
    assert server.call("GET", "/demo/group-by-path/team/child").body["id"] == tree["child"]
    assert server.call("GET", "/demo/group-by-path/team/nope").body == {"error": "Group path does not exist"}


def test_a_name_may_have_a_slash(server: Server) -> None:
    slash = _group(server, "a/b")
    assert server.call("GET", "/demo/group-by-path/a/b").body["id"] == slash


def test_renaming_a_group_renames_the_paths_below(server: Server, tree: dict[str, str]) -> None:
    assert server.call("PUT", f"/demo/groups/{tree['team']}", {"name": "crew"}).status == 204
    assert server.call("GET", f"/demo/groups/{tree['grandchild']}").body["path"] == "/crew/child/grandchild"


@pytest.mark.parametrize(
    ("path", "group", "status", "body"),
    [
        ("groups", {"name": "team"}, 409, {"errorMessage": "Top level group named 'team' already exists."}),
        ("groups", {"name": " "}, 400, {"errorMessage": "Group name is missing"}),
        (
            "groups/{team}/children",
            {"name": "child"},
            409,
            {"errorMessage": "Sibling group named 'child' already exists."},
        ),
        ("groups/nope/children", {"name": "x"}, 404, {"error": "Could not find group by id"}),
        ("groups", {"id": "nope", "name": "x"}, 404, {"error": "Could not find child by id"}),
    ],
)
def test_refuses_groups_in_keycloaks_words(
    server: Server, tree: dict[str, str], path: str, group: Any, status: int, body: Any
) -> None:
    answer = server.call("POST", f"/demo/{path.format_map(tree)}", group)
    assert (answer.status, answer.body) == (status, body)


def test_a_group_moves_but_not_below_itself(server: Server, tree: dict[str, str]) -> None:
    moved = {"id": tree["child"], "name": "child"}
    assert server.call("POST", f"/demo/groups/{tree['grandchild']}/children", moved).status == 400
    assert server.call("POST", f"/demo/groups/{tree['child']}/children", moved).status == 204, "nothing happens"
    assert server.call("GET", f"/demo/groups/{tree['child']}").body["parentId"] == tree["team"]
    assert server.call("POST", f"/demo/groups/{tree['other']}/children", moved).status == 204
    assert server.call("GET", f"/demo/groups/{tree['grandchild']}").body["path"] == "/other/child/grandchild"
    assert server.call("POST", "/demo/groups", moved).status == 204
    assert "parentId" not in server.call("GET", f"/demo/groups/{tree['child']}").body


@pytest.mark.parametrize(
    ("query", "shape"),
    [
        ("", {"other": {}, "team": {}}),
        ("search=CHILD", {"team": {"child": {"grandchild": {}}}}),
        ("search=child&exact=true", {"team": {"child": {}}}),
        ("search=child&populateHierarchy=false", {"child": {}, "grandchild": {}}),
        ("search=child&max=1", {"team": {"child": {}}}),
        ("first=1", {"team": {}}),
        ("search=%25", {}),
    ],
)
def test_what_is_found_is_shown_in_its_tree(
    server: Server, tree: dict[str, str], query: str, shape: dict[str, Any]
) -> None:
    assert _shape(server.call("GET", "/demo/groups", query=query.replace("%25", "%")).body) == shape


def test_groups_are_found_by_attributes(server: Server, tree: dict[str, str]) -> None:
    server.call("PUT", f"/demo/groups/{tree['child']}", {"name": "child", "attributes": {"tier": ["gold"]}})
    assert _shape(server.call("GET", "/demo/groups", query="q=tier:gold").body) == {"team": {"child": {}}}
    assert server.call("GET", "/demo/groups", query="q=tier:silver").body == []


def test_counts_all_groups_or_the_top_or_what_is_found(server: Server, tree: dict[str, str]) -> None:
    counted = [server.call("GET", "/demo/groups/count", query=query).body for query in ("", "top=true", "search=child")]
    assert counted == [{"count": 4}, {"count": 2}, {"count": 2}]


def test_a_deleted_group_takes_those_below_along(server: Server, tree: dict[str, str]) -> None:
    user = server.call("POST", "/demo/users", {"username": "ada", "groups": ["/team/child"]}).id
    assert server.call("DELETE", f"/demo/groups/{tree['team']}").status == 204
    assert server.call("GET", f"/demo/groups/{tree['grandchild']}").status == 404
    assert server.call("GET", f"/demo/users/{user}/groups").body == []


def test_members_are_those_of_the_group_itself(server: Server, tree: dict[str, str]) -> None:
    user = server.call("POST", "/demo/users", {"username": "ada"}).id
    for _ in range(2):
        assert server.call("PUT", f"/demo/users/{user}/groups/{tree['child']}").status == 204
    assert [each["username"] for each in server.call("GET", f"/demo/groups/{tree['child']}/members").body] == ["ada"]
    assert server.call("GET", f"/demo/groups/{tree['team']}/members").body == []
    assert server.call("GET", f"/demo/users/{user}/groups/count").body == {"count": 1}
    assert server.call("DELETE", f"/demo/users/{user}/groups/{tree['child']}").status == 204
    assert server.call("GET", f"/demo/users/{user}/groups").body == []


def test_new_users_join_the_default_groups(server: Server, tree: dict[str, str]) -> None:
    assert server.call("PUT", f"/demo/default-groups/{tree['child']}").status == 204
    assert server.call("GET", "/demo").body["defaultGroups"] == ["/team/child"]
    user = server.call("POST", "/demo/users", {"username": "ada"}).id
    assert [group["path"] for group in server.call("GET", f"/demo/users/{user}/groups").body] == ["/team/child"]
    assert server.call("DELETE", f"/demo/default-groups/{tree['child']}").status == 204
    assert server.call("GET", "/demo/default-groups").body == []


def test_who_may_not_see_clients_is_not_told_the_client_roles_of_a_group(server: Server, tree: dict[str, str]) -> None:
    account = server.call("GET", "/demo/clients", query="clientId=account").body[0]["id"]
    role = server.call("GET", f"/demo/clients/{account}/roles/view-profile").body
    server.call("POST", f"/demo/groups/{tree['team']}/role-mappings/clients/{account}", [role])
    path = f"/demo/groups/{tree['team']}"
    assert server.call("GET", path).body["clientRoles"] == {"account": ["view-profile"]}
    assert server.call("GET", path, token=server.holder_of("view-users")).body["clientRoles"] == {}


def test_a_star_in_a_search_stands_for_anything(server: Server, tree: dict[str, str]) -> None:
    assert _shape(server.call("GET", "/demo/groups", query="search=t*m").body) == {"team": {}}
    assert server.call("GET", "/demo/groups/count", query="search=*h*").body == {"count": 3}
    children = f"/demo/groups/{tree['team']}/children"
    assert [each["name"] for each in server.call("GET", children, query="search=c*d").body] == ["child"]
    assert server.call("GET", children, query="exact=true").body == []
    assert len(server.call("GET", "/demo/groups", query="q=:x").body) == 2
