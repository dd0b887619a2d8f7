"""Reads the settings again while the server runs, on SIGHUP: certificates, log level, and what else can change."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from keyturn.config import SETTINGS, Loaded, Settings, SettingsError

_LOGGER: Final = logging.getLogger("keyturn.settings")

Load = Callable[[], Loaded]
"""Reads the settings from where they were read at the start. Raises SettingsError."""


class Reloading:
    """The settings that are in force in one process.

    Args:
        load: reads all anew.
        use: puts settings in force, all of them or, where it raises SettingsError or OSError, none.
        tell: whether this process says in the log what others do as well.
    """

    def __init__(self, settings: Settings, load: Load, use: Callable[[Settings], None], *, tell: bool = True) -> None:
        self.settings = settings
        self._load = load
        self._use = use
        self._tell = tell

    def reload(self) -> bool:
        """Puts in force what may change while the server runs; whether that worked. Says in the log what happened.

        Files that settings name are read again, too, though their names are the same.
        """
        try:
            wanted = self._load().settings
            settings = replace(self.settings, **{s.field: getattr(wanted, s.field) for s in SETTINGS if s.reloaded})
            self._use(settings)
        except (SettingsError, OSError) as error:
            _LOGGER.error("the settings stay as they are: %s", error)
            return False
        self.settings = settings
        if not self._tell:
            return True
        waiting = [s.key for s in SETTINGS if getattr(wanted, s.field) != getattr(settings, s.field)]
        if waiting:
            _LOGGER.warning("these settings count from the next start: %s", ", ".join(waiting))
        _LOGGER.info("settings and certificates were read again")
        return True
