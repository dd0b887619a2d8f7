"""docs/rfc.md names modules and tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/rfc.md").read_text()


def named() -> list[tuple[str, str]]:
    """The names in code spans of tables, each with the file that ``::name`` belongs to."""
    found, file = [], ""
    for name in re.findall(r"`((?:[a-z0-9_]+/)*[a-z0-9_]+\.py(?:::\w+)?|::\w+|parity/[a-z/]+)`", PAGE):
        file = name.partition("::")[0] or file
        found.append((file, name.partition("::")[2]))
    return found


def test_every_module_and_test_is_there() -> None:
    assert len(named()) > 50
    for file, test in named():
        paths = [path for path in (ROOT / "src/keyturn" / file, ROOT / "tests" / file) if path.exists()]
        assert paths, f"docs/rfc.md names {file}, which is not there"
        if test:
            assert f"def {test}(" in paths[-1].read_text(), f"docs/rfc.md names {file}::{test}, which is not there"


def test_every_row_has_a_module_and_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| Section")]
    assert len(rows) > 20
    for row in rows:
        cells = row.strip("|").split("|")
        assert len(cells) == 4, row
        assert all("`" in cell for cell in cells[2:]), row


def test_every_rfc_that_machines_meet_has_a_table() -> None:
    headings = " ".join(line for line in PAGE.splitlines() if line.startswith("## "))
    for number in (6749, 6750, 7009, 7519, 7521, 7523, 7591, 7592, 7662, 8414, 8705, 8707, 9068, 9449):
        assert f"RFC {number}" in headings, number
