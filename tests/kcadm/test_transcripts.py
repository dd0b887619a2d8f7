"""Everything that Keycloak's kcadm.sh 26.7.3 was seen to print and send, ours prints and sends, too.

A transcript is a list of commands: ``arguments`` and ``input``; ``status``, ``out`` and ``err`` as kcadm.sh left them,
``help`` where it printed that command's help; ``requests`` as the server saw them, and what it had ``prepared``.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kcadm.answering_server import AnsweringServer
from kcadm.conftest import Kcadm
from keyturn.cli.kcadm.help_texts import help_text

TRANSCRIPTS = sorted(Path(__file__).with_name("transcripts").glob("*.json"))
COMMANDS = [
    pytest.param(command, id=f"{path.stem}-{number:03}")
    for path in TRANSCRIPTS
    for number, command in enumerate(json.loads(path.read_text()), start=1)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_prints_and_sends_what_keycloaks_kcadm_does(
    command: dict[str, Any], kcadm: Kcadm, server: AnsweringServer, home: Path
) -> None:
    host = server.url.removeprefix("http://")
    names = {
        "{server-encoded}": server.url.replace(":", "%3A").replace("/", "%2F"),
        "{server}": server.url,
        "{host}": host,
        "{port}": host.rpartition(":")[2],
        "{home}": str(home),
    }

    def filled(text: str) -> str:
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    server.prepared = command.get("prepared", {})
    printed = kcadm(*map(filled, command["arguments"]), typed=command.get("input", ""))
    out = help_text(tuple(command["help"].split()), str(home)) if "help" in command else filled(command["out"])
    assert _without_times(printed.err) == _without_times(filled(command["err"]))
    assert (printed.status, printed.out) == (command["status"], out)
    expected = [[_without_times(filled(part)) for part in request] for request in command.get("requests", [])]
    assert [[_without_times(part) for part in request] for request in server.taken()] == expected


def _without_times(text: str) -> str:
    return re.sub(r"\b\d{13}\b", "<time>", text)
