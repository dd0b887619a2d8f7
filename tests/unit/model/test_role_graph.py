"""The roles of a realm: what contains what."""

from keyturn.model.roles import Role, RoleGraph

GRAPH = RoleGraph({name: Role(name, name, None) for name in "abc"}, {"a": ("b",), "b": ("a", "gone")})


def test_a_closure_holds_what_roles_contain_at_any_depth_and_ends_where_it_began() -> None:
    assert GRAPH.closure(["a"]) == {"a", "b"}
    assert GRAPH.closure(["c", "gone"]) == {"c"}


def test_those_who_hold_the_same_roles_share_one_set() -> None:
    assert GRAPH.closure(["a"]) is GRAPH.closure(["b"])
    assert GRAPH.closure(["c"]) is not GRAPH.closure(["a"])
