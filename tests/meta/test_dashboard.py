"""The dashboard asks for metrics that there are, by labels that they have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyturn.http.metric_families import BUCKETS, FAMILIES, Family

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "keyturn.json"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "watch-a-server.md"
PROMTOOL = shutil.which("promtool")
GIVEN = {"instance", "le"}
"""Labels that Prometheus sets, and those of buckets."""


def expressions() -> list[str]:
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in document["panels"] for target in panel["targets"]]


def alerts() -> list[str]:
    return re.findall(r"^\| [^|`]+ \| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE)


def known_names() -> dict[str, tuple[str, ...]]:
    names = {}
    for family in FAMILIES:
        endings = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
        names.update({f"{family.name}{ending}": family.labels for ending in endings})
    return names


def test_each_query_names_metrics_that_exist() -> None:
    asked = [
        name for each in (*expressions(), *alerts()) for name in re.findall(r"\b(?:keyturn|process)_[a-z_]+", each)
    ]
    assert len(asked) > 15
    assert set(asked) <= known_names().keys()


def test_each_query_selects_and_groups_by_labels_that_exist() -> None:
    known = known_names()
    for expression in (*expressions(), *alerts()):
        names = re.findall(r"\b(?:keyturn|process)_[a-z_]+", expression)
        labels = {label for name in names for label in known[name]} | GIVEN
        used = re.findall(r"([a-z_]+)=~?\"", expression)
        used += re.findall(r"[a-z_]+", " ".join(re.findall(r"(?:by|ignoring) \(([^)]*)\)", expression)))
        assert set(used) <= labels, expression


def test_what_is_measured_is_shown() -> None:
    text = " ".join(expressions())
    shown_otherwise = {"keyturn_events_total"}
    assert [f.name for f in FAMILIES if f.name not in text and f.name not in shown_otherwise] == []


def sample_of(family: Family) -> Iterator[str]:
    labels = ("x",) * len(family.labels)
    if family.kind == "histogram":
        return family.histogram([(labels, [1] * (len(BUCKETS) + 1), 1.0)])
    return family.text([(labels, 1.0)])


@pytest.mark.full
@pytest.mark.skipif(not PROMTOOL, reason="there is no promtool; apt-get install prometheus")
def test_prometheus_can_read_each_query_and_has_nothing_to_say_of_the_metrics(tmp_path: Path) -> None:
    assert PROMTOOL
    assert len(alerts()) > 3
    asked = [each.replace("$__rate_interval", "5m").replace("$instance", ".+") for each in expressions()]
    rules = [{"record": f"asked:{number}", "expr": each} for number, each in enumerate([*asked, *alerts()])]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))
    subprocess.run([PROMTOOL, "check", "rules", file], check=True, capture_output=True)
    text = "\n".join(line for family in FAMILIES for line in sample_of(family)) + "\n"
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
