"""A whole server: one for each test, or one for all tests of a file that change nothing in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.deployment import Deployment
from harness.gates import add_operator, operator_token


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment.new(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = Deployment.new(tmp_path_factory.mktemp("shared"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def genuine(shared_server: Deployment) -> str:
    """A token that opens every door of the shared server."""
    add_operator(shared_server)
    return operator_token(shared_server)
