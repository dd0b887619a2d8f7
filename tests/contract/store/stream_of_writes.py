"""A program that writes one transaction after the other and says so after each commit, until it is killed.

Arguments: the database's URL, the seal key's directory, the first number.
"""

import itertools
import sys
from pathlib import Path

from keyturn.representations.client import ClientRepresentation
from keyturn.representations.role import RoleRepresentation
from keyturn.store.backends import open_store
from keyturn.store.collections import CLIENTS, ROLES
from keyturn.store.seal_key import SealKeys
from keyturn.store.spi import Relation


def main() -> None:
    database, keys, first = sys.argv[1:]
    store = open_store(database, SealKeys(Path(keys)), lambda: 0)
    for number in itertools.count(int(first)):
        client = f"c{number}"
        with store.write() as write:
            write.insert(CLIENTS, "r1", ClientRepresentation(id=client, client_id=client, secret="s" * 200))
            for name in ("a", "b", "c"):
                role = RoleRepresentation(id=f"{client}-{name}", name=name, container_id=client)
                write.insert(ROLES, "r1", role)
                write.link(Relation.CLIENT_ROLE_SCOPE, "r1", client, f"{client}-{name}")
            write.use_once("number", client, 1)
            if number > 1:
                write.update(CLIENTS, "r1", ClientRepresentation(id="c1", client_id="c1", description=client))
        print(number, flush=True)  # noqa: T201 - the acknowledgment


if __name__ == "__main__":
    main()
