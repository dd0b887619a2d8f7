"""Which tokens are revoked, in memory."""

from keyturn.registry.revoked import RevokedTokens


def test_what_was_read_before_all_was_forgotten_fills_nothing() -> None:
    revoked = RevokedTokens()
    slow = revoked.expect("realm")
    revoked.forget("realm")
    revoked.add("realm", "token")
    fast = revoked.expect("realm")
    revoked.fill("realm", slow, [])
    assert revoked.tells("realm", "token") is None
    revoked.fill("realm", fast, ["token"])
    assert revoked.tells("realm", "token") is True


def test_what_is_revoked_while_it_is_read_is_not_missed() -> None:
    revoked = RevokedTokens()
    since = revoked.expect("realm")
    revoked.add("realm", "token")
    revoked.fill("realm", since, [])
    revoked.fill("realm", since, [])
    assert (revoked.tells("realm", "token"), revoked.tells("realm", "other")) == (True, False)
