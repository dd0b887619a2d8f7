"""Leaves no databases of tests that are over, where they are not files of theirs."""

from pathlib import Path

import pytest

from harness import database


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    directory = getattr(item, "funcargs", {}).get("tmp_path")
    if database.ON_POSTGRESQL and isinstance(directory, Path):
        database.forget(directory)
