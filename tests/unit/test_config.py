"""Settings: where they come from, in which order, and what is said about those that nobody knows."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from keyturn.config import SETTINGS, Settings, SettingsError, load


def written(directory: Path, text: str) -> Path:
    path = directory / "keyturn.toml"
    path.write_text(text)
    return path


def test_the_defaults_are_those_of_a_local_start() -> None:
    settings = load({}, {}).settings
    assert (settings.host, settings.http_port, settings.https_port, settings.management_port) == (
        "127.0.0.1",
        8080,
        8443,
        9000,
    )
    assert settings.proxy_headers == "none"
    assert settings.hostname is None
    assert settings.data.name == "keyturn"


def test_flags_count_before_variables_before_keycloaks_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "http-port = 1001\nhttps-port = 1002\nmanagement-port = 1003\nhost = '::1'\n")
    environ = {
        "KC_HTTP_PORT": "2001",
        "KC_HTTPS_PORT": "2002",
        "KEYTURN_HTTP_PORT": "3001",
        "KEYTURN_MANAGEMENT_PORT": "3003",
    }
    settings = load({"management_port": "4003"}, environ, file).settings
    assert (settings.http_port, settings.https_port, settings.management_port, settings.host) == (
        3001,
        2002,
        4003,
        "::1",
    )


def test_a_variable_may_name_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "http-port = 1001\n")
    assert load({}, {"KEYTURN_CONFIG": str(file)}).settings.http_port == 1001


def test_keycloaks_variables_mean_what_they_mean_to_keycloak() -> None:
    environ = {
        "KC_HOSTNAME": "https://sso.example.org/auth",
        "KC_HTTP_PORT": "8081",
        "KC_HTTPS_PORT": "8444",
        "KC_HTTPS_CERTIFICATE_FILE": "/c.pem",
        "KC_HTTPS_CERTIFICATE_KEY_FILE": "/k.pem",
        "KC_PROXY_HEADERS": "xforwarded",
        "KC_BOOTSTRAP_ADMIN_USERNAME": "root",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": "p",
        "KC_BOOTSTRAP_ADMIN_CLIENT_ID": "c",
        "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": "s",
    }
    loaded = load({}, environ)
    settings = loaded.settings
    assert loaded.warnings == ()
    assert settings.hostname == "https://sso.example.org/auth"
    assert (settings.http_port, settings.https_port, settings.proxy_headers) == (8081, 8444, "xforwarded")
    assert (settings.tls_certificate, settings.tls_key) == (Path("/c.pem"), Path("/k.pem"))
    assert (settings.bootstrap_admin_username, settings.bootstrap_admin_password) == ("root", "p")
    assert (settings.bootstrap_admin_client_id, settings.bootstrap_admin_client_secret) == ("c", "s")


def test_an_empty_variable_is_not_given() -> None:
    assert load({}, {"KEYTURN_HOSTNAME": "", "KC_HTTP_PORT": ""}).settings == load({}, {}).settings


def test_several_values_come_as_a_list_or_with_commas(tmp_path: Path) -> None:
    file = written(tmp_path, 'tls-development-name = ["keycloak", "auth"]\n')
    assert load({}, {}, file).settings.tls_development_name == ("keycloak", "auth")
    by_variable = load({}, {"KEYTURN_TLS_DEVELOPMENT_NAME": "keycloak, auth"}).settings
    assert by_variable.tls_development_name == ("keycloak", "auth")
    by_flag = load({"tls_development_name": ("keycloak", "auth"), "proxy_trusted_addresses": ()}, {}).settings
    assert by_flag.tls_development_name == ("keycloak", "auth")
    networks = load({"proxy_trusted_addresses": ("10.0.0.1", "fd00::/8")}, {}).settings.proxy_trusted_addresses
    assert networks == (ip_network("10.0.0.1"), ip_network("fd00::/8"))


def test_an_unknown_key_in_the_file_is_an_error_that_names_the_nearest(tmp_path: Path) -> None:
    file = written(tmp_path, "htp-port = 1\n")
    with pytest.raises(SettingsError, match=r"unknown key htp-port in .*keyturn\.toml; did you mean http-port\?"):
        load({}, {}, file)


def test_an_unknown_variable_is_a_warning_that_never_shows_its_value() -> None:
    warnings = load({}, {"KEYTURN_HOSTNAM": "canary", "KC_DB_PASSWORD": "canary", "OTHER": "x"}).warnings
    assert warnings == (
        "Keycloak's variable KC_DB_PASSWORD has no meaning here and is ignored",
        "unknown variable KEYTURN_HOSTNAM is ignored; did you mean KEYTURN_HOSTNAME?",
    )


def test_says_nothing_about_what_kubernetes_sets_for_a_service_called_keyturn() -> None:
    names = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTPS", "PORT", "PORT_8443_TCP", "PORT_8443_TCP_ADDR"]
    loaded = load({}, {f"KEYTURN_{name}": "tcp://10.0.0.1:8443" for name in names})
    assert loaded.warnings == ()
    assert loaded.settings == load({}, {}).settings


def test_no_setting_has_a_name_that_kubernetes_uses() -> None:
    for setting in SETTINGS:
        assert setting.variable not in {"KEYTURN_SERVICE_HOST", "KEYTURN_PORT"}
        assert not setting.variable.startswith(("KEYTURN_SERVICE_", "KEYTURN_PORT_"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"http_port": "x"}, "--http-port: 'x' is not a port from 0 to 65535"),
        ({"http_port": "65536"}, "--http-port: '65536' is not a port from 0 to 65535"),
        ({"proxy_headers": "all"}, "--proxy-headers: 'all' is not one of none, forwarded, xforwarded"),
        ({"proxy_trusted_addresses": ("x",)}, "--proxy-trusted-addresses: ('x',) is not an address or a network"),
        ({"trace_endpoint": "http://u:canary/@x"}, "--trace-endpoint: its value is not an address that begins with"),
        ({"log_level": "loud"}, "--log-level: 'loud' is not one of debug, info, warning, error"),
        ({"hostname": "a\nb"}, r"--hostname: 'a\nb' is empty or has control characters"),
        ({"tls_certificate": "c.pem"}, "--tls-certificate is given without --tls-key"),
        ({"tls_key": "k.pem"}, "--tls-key is given without --tls-certificate"),
        ({"http_port": "8443"}, "--http-port and --https-port are both 8443"),
        ({"http_port": "0", "https_port": "0"}, "there is nothing to serve"),
    ],
)
def test_refuses_what_cannot_be_meant(flags: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(flags, {})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["http-port", "a = \xff", "http-port = true", "http-port = 1.5", "host = 1"])
def test_refuses_a_broken_file_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keyturn.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError) as refused:
        load({}, {}, path)
    assert "keyturn.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load({}, {}, tmp_path / "none.toml")


def test_secrets_have_no_flag_and_show_in_no_repr_and_no_message(tmp_path: Path) -> None:
    secret = [setting for setting in SETTINGS if setting.secret]
    assert {"bootstrap_admin_password", "bootstrap_admin_client_secret", "seal_key"} <= {s.field for s in secret}
    for setting in secret:
        assert "canary" not in repr(load({}, {setting.variable: "canary"}).settings)
        if setting.field == "seal_key":
            continue  # any text: what is a key is decided elsewhere
        with pytest.raises(SettingsError) as refused:
            load({}, {setting.variable: "canary\n"})
        assert "canary" not in str(refused.value)


def test_a_database_may_hold_a_password_and_is_told_nowhere() -> None:
    url = "postgresql://keyturn:canary@db.example/keyturn"
    settings = load({"database": url}, {}).settings
    assert settings.database == url
    assert "canary" not in repr(settings)
    with pytest.raises(SettingsError, match=r"^--database: its value is no URL postgresql") as refused:
        load({"database": "mysql://canary"}, {})
    assert "canary" not in str(refused.value)


def test_every_setting_explains_itself() -> None:
    assert len(SETTINGS) == len(Settings.__dataclass_fields__)
    for setting in SETTINGS:
        assert setting.help.endswith(".")
        assert setting.metavar
