"""Which sockets a host and port lead to."""

import socket

import pytest

from keyturn.config import SettingsError
from keyturn.http.listeners import bind, close_all


def test_a_name_may_lead_to_several_addresses_of_which_some_are_missing() -> None:
    listener = bind("--http-port", "localhost", 0)
    try:
        assert ("127.0.0.1", socket.AF_INET) in {(s.getsockname()[0], s.family) for s in listener.sockets}
    finally:
        close_all([listener])


def test_a_port_that_is_taken_is_named_with_its_option() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            SettingsError, match=rf"^--https-port: cannot listen on port {port} of 127\.0\.0\.1: address"
        ):
            bind("--https-port", "127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 300])
def test_a_host_that_is_not_of_this_machine_is_refused_in_one_line(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        bind("--http-port", host, 0)
    assert host in str(refused.value)
    assert "\n" not in str(refused.value)
