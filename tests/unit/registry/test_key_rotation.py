"""Rotating the keys of realms in a store, by one server or several."""

import os
from pathlib import Path
from threading import Barrier, Thread

import pytest

from harness.realm import NOW, RealmUnderTest
from keyturn.model.key_providers import PROVIDER_TYPE
from keyturn.model.key_rotation import OVERLAP, PERIOD
from keyturn.registry.key_rotation import rotate_keys
from keyturn.representations import ComponentRepresentation, RealmRepresentation, given
from keyturn.store.backends.sqlite import open_store
from keyturn.store.collections import COMPONENTS
from keyturn.store.seal_key import SealKeys


def set_attributes(realm: RealmUnderTest, **attributes: str) -> None:
    def change(document: RealmRepresentation) -> None:
        document.attributes = attributes

    realm.change_realm(change)


@pytest.fixture
def rotating(realm: RealmUnderTest) -> RealmUnderTest:
    """A realm whose keys are one of EC, beside those that stay."""
    with realm.store.write() as tx:
        for component in tx.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE}):
            if component.provider_id == "rsa-generated":
                component.provider_id = "ecdsa-generated"
                component.config = {"priority": ["100"], "ecdsaEllipticCurveKey": ["P-256"]} | EC
                tx.update(COMPONENTS, realm.id, component)
    set_attributes(realm, **{PERIOD: "1000", OVERLAP: "400"})
    return realm


def _ec() -> dict[str, list[str]]:
    from keyturn.model.key_providers import generate

    made = generate(
        ComponentRepresentation(provider_id="ecdsa-generated"), realm_name="machines", now=NOW, random=os.urandom
    )
    return given(made.config, {})


EC = _ec()


def keys(realm: RealmUnderTest) -> list[str]:
    """The status of each key that signs ES256, in the order in which they were made."""
    with realm.store.read() as reader:
        order = [str(each.id) for each in reader.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE})]
    ring = sorted(realm.entry.realm.keys.keys, key=lambda each: order.index(each.provider_id))
    return [each.status for each in ring if each.key.algorithm == "ES256"]


def test_the_whole_of_a_rotation_is_seen_in_the_realm(rotating: RealmUnderTest) -> None:
    seen, signing = [], []
    for second in (0, 600, 1000, 1400):
        rotate_keys(rotating.store, NOW + second, os.urandom)
        seen.append(keys(rotating))
        signing.append(rotating.entry.realm.keys.signing["ES256"].kid)
    assert seen == [["ACTIVE"], ["ACTIVE", "PASSIVE"], ["PASSIVE", "ACTIVE"], ["ACTIVE"]]
    assert signing[0] == signing[1] != signing[2] == signing[3]


def test_nothing_is_written_where_nothing_is_due(rotating: RealmUnderTest) -> None:
    rotate_keys(rotating.store, NOW, os.urandom)
    with rotating.store.read() as reader:
        before = reader.revision
    rotate_keys(rotating.store, NOW + 599, os.urandom)
    with rotating.store.read() as reader:
        assert reader.revision == before


def test_realms_that_do_not_ask_for_it_keep_their_keys(realm: RealmUnderTest) -> None:
    with realm.store.read() as reader:
        before = reader.revision
    rotate_keys(realm.store, NOW + 10**9, os.urandom)
    with realm.store.read() as reader:
        assert reader.revision == before


def test_of_several_servers_one_takes_each_step(rotating: RealmUnderTest, tmp_path: Path) -> None:
    stores = [
        rotating.store,
        *(open_store(tmp_path / "keyturn.db", SealKeys.from_environment(tmp_path, {}), rotating.clock) for _ in "12"),
    ]
    for second in (0, 600, 1000):
        barrier = Barrier(len(stores))

        def server(store: object, now: int = NOW + second, barrier: Barrier = barrier) -> None:
            barrier.wait()
            rotate_keys(store, now, os.urandom)  # type: ignore[arg-type]

        threads = [Thread(target=server, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for store in stores[1:]:
        store.close()
    with rotating.store.read() as reader:
        components = reader.select(COMPONENTS, rotating.id, where={"provider_type": PROVIDER_TYPE})
    active = [given(c.config, {}).get("active", ["true"]) for c in components if c.provider_id == "ecdsa-generated"]
    assert active == [["false"], ["true"]]


def test_a_key_that_cannot_be_made_is_told_and_stops_nothing(
    rotating: RealmUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    rotate_keys(rotating.store, NOW, os.urandom)
    with rotating.store.write() as tx:
        for component in tx.select(COMPONENTS, rotating.id, where={"provider_type": PROVIDER_TYPE}):
            if component.provider_id == "ecdsa-generated":
                component.config = given(component.config, {}) | {"ecdsaEllipticCurveKey": ["P-0"]}
                tx.update(COMPONENTS, rotating.id, component)
    rotate_keys(rotating.store, NOW + 600, os.urandom)
    assert "unknown curve" in caplog.text
