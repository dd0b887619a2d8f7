"""Writes ``settings.md`` from the settings' own declarations: ``python docs/reference/settings_page.py``."""

from pathlib import Path

from keyturn.config import CONFIG_VARIABLE, SETTINGS
from keyturn.setting import Setting

PAGE = Path(__file__).with_name("settings.md")
_HEAD = f"""# Settings

<!-- Written by settings_page.py: do not edit. -->

What is given is taken from options, `KEYTURN_*` variables, Keycloak's `KC_*` variables, and the TOML file that
`--config` or `{CONFIG_VARIABLE}` names, in this order. Keys in the file are the options' names without the dashes in
front. Settings that are given several times on the command line are lists in the file, and have commas in a variable.
An unknown option or key is an error; an unknown variable is a warning, but for those that Kubernetes sets.

On SIGHUP the file is read again, and what is marked so takes effect while the server runs; the rest counts from the
next start.

"""


def page() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_section(setting) for setting in SETTINGS)


def _section(setting: Setting) -> str:
    default = setting.shown_default or (None if setting.default is None else f"`{setting.default}`")
    facts = [f"variable `{setting.variable}`"]
    if setting.kc:
        facts.append(f"Keycloak's `{setting.kc}`")
    facts.append(f"default: {default}" if default else "no default")
    if setting.multiple:
        facts.append("repeatable")
    if setting.reloaded:
        facts.append("read again on SIGHUP")
    name = f"`{setting.key}`, no option" if setting.secret else f"`{setting.flag} {setting.metavar}`"
    return f"## {name}\n\n{setting.help}\n\n{'; '.join(facts)}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
