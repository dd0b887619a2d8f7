"""The page on capacity says what follows from the measurements."""

import math

from benchmarks import capacity


def test_the_page_is_what_the_measurements_give() -> None:
    assert capacity.PAGE.read_text(encoding="utf-8") == capacity.page()


def test_each_load_is_served_with_a_node_missing_and_none_too_many() -> None:
    for way in capacity.WAYS:
        for load in capacity.LOADS:
            count = capacity.nodes(way, load) - capacity.SPARE
            assert (count - 1) * capacity.of_node(way) < load <= count * capacity.of_node(way)


def test_twice_the_cores_are_half_the_nodes() -> None:
    way = capacity.WAYS[0]
    few, many = (capacity.nodes(way, 10_000_000, cores) - capacity.SPARE for cores in (16, 8))
    assert math.isclose(many / few, 2, rel_tol=0.01)
