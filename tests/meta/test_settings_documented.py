"""The page about settings says what there is."""

import importlib.util
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_the_page_is_the_one_that_the_declarations_give() -> None:
    spec = importlib.util.spec_from_file_location("settings_page", REFERENCE / "settings_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (REFERENCE / "settings.md").read_text(encoding="utf-8") == module.page(), "run: make docs"
