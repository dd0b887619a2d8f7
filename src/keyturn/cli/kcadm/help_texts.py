"""The help texts: Keycloak's own, kept as files in ``texts/`` with their notice."""

import os

__all__ = ["help_text"]

_FOLDER = os.path.join(os.path.dirname(__file__), "texts")  # noqa: PTH118, PTH120 - pathlib costs a tenth of the start


def help_text(command: tuple[str, ...], home: str) -> str:
    """The help of `command`, of the whole where it is empty; `home` is where the session file's folder is."""
    name = ".".join(command) or "kcadm"
    with open(os.path.join(_FOLDER, f"{name}.txt"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
        return file.read().replace("{home}", home)
