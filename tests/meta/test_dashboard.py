"""The dashboard asks for metrics that there are, by labels that they have."""

import json
import re
from pathlib import Path
from typing import Any

from keyturn.http.metric_families import FAMILIES

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "keyturn.json"
GIVEN = {"instance", "le"}
"""Labels that Prometheus sets, and those of buckets."""


def expressions() -> list[str]:
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in document["panels"] for target in panel["targets"]]


def known_names() -> dict[str, tuple[str, ...]]:
    names = {}
    for family in FAMILIES:
        endings = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
        names.update({f"{family.name}{ending}": family.labels for ending in endings})
    return names


def test_each_query_names_metrics_that_exist() -> None:
    asked = [name for each in expressions() for name in re.findall(r"\b(?:keyturn|process)_[a-z_]+", each)]
    assert len(asked) > 15
    assert set(asked) <= known_names().keys()


def test_each_query_selects_and_groups_by_labels_that_exist() -> None:
    known = known_names()
    for expression in expressions():
        names = re.findall(r"\b(?:keyturn|process)_[a-z_]+", expression)
        labels = {label for name in names for label in known[name]} | GIVEN
        used = re.findall(r"([a-z_]+)=~?\"", expression)
        used += re.findall(r"[a-z_]+", " ".join(re.findall(r"(?:by|ignoring) \(([^)]*)\)", expression)))
        assert set(used) <= labels, expression


def test_what_is_measured_is_shown() -> None:
    text = " ".join(expressions())
    shown_otherwise = {"keyturn_events_total"}
    assert [f.name for f in FAMILIES if f.name not in text and f.name not in shown_otherwise] == []
