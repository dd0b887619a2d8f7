"""A realm for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.realm import RealmUnderTest, make_realm


@pytest.fixture
def realm(tmp_path: Path) -> Iterator[RealmUnderTest]:
    made = make_realm(tmp_path)
    yield made
    made.store.close()
