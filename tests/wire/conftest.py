"""A realm for each test, and a server of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.realm import RealmUnderTest, make_realm
from harness.realm_server import RealmServer


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[RealmUnderTest]:
    made = make_realm(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def server(realm: RealmUnderTest) -> RealmServer:
    return RealmServer(realm)
