"""Keys take each other's place: announced, active, passive, gone."""

import pytest

from keyturn.model.key_providers import PROVIDER_TYPE
from keyturn.model.key_rotation import OVERLAP, PERIOD, Rotation, next_change, problem_with, rotation_of, steps
from keyturn.representations import ComponentRepresentation, given, replace

START = 1_800_000_000
ROTATION = Rotation(period=1000, overlap=100)


class Keys:
    """A realm's key providers, and what becomes of them."""

    def __init__(self, *components: ComponentRepresentation) -> None:
        self.by_id = {given(each.id, ""): each for each in components}
        self._made = 0

    def at(self, now: int) -> dict[str, str]:
        """What is seen of each key after the steps that are due at `now`."""
        due = steps(self.by_id.values(), ROTATION, now)
        for announced in due.announced:
            self._made += 1
            self.by_id[f"k{self._made}"] = replace(announced, id=f"k{self._made}")
        for changed in due.changed:
            self.by_id[given(changed.id, "")] = changed
        for gone in due.removed:
            del self.by_id[gone]
        return self.seen()

    def seen(self) -> dict[str, str]:
        def status(key: ComponentRepresentation) -> str:
            config = given(key.config, {})
            if config.get("enabled") == ["false"]:
                return "DISABLED"
            return "PASSIVE" if config.get("active") == ["false"] else "ACTIVE"

        return {name: status(key) for name, key in self.by_id.items()}

    def switch(self, name: str, **flags: str) -> None:
        """Sets flags, as an administrator does."""
        key = self.by_id[name]
        self.by_id[name] = replace(key, config=given(key.config, {}) | {flag: [v] for flag, v in flags.items()})

    def change(self) -> int | None:
        return next_change(self.by_id.values(), ROTATION)


def key(name: str = "k0", provider: str = "rsa-generated", **config: str) -> ComponentRepresentation:
    settings = {"priority": ["100"], "keySize": ["3072"], "privateKey": ["secret"], "certificate": ["x"]}
    return ComponentRepresentation(
        id=name,
        name=provider,
        provider_id=provider,
        provider_type=PROVIDER_TYPE,
        config=settings | {setting: [value] for setting, value in config.items()},
    )


def test_a_key_is_announced_signs_stays_and_goes() -> None:
    keys = Keys(key())
    assert keys.at(START) == {"k0": "ACTIVE"}
    assert keys.at(START + 899) == {"k0": "ACTIVE"}
    assert keys.at(START + 900) == {"k0": "ACTIVE", "k1": "PASSIVE"}
    assert keys.at(START + 999) == {"k0": "ACTIVE", "k1": "PASSIVE"}
    assert keys.at(START + 1000) == {"k0": "PASSIVE", "k1": "ACTIVE"}
    assert keys.at(START + 1099) == {"k0": "PASSIVE", "k1": "ACTIVE"}
    assert keys.at(START + 1100) == {"k1": "ACTIVE"}
    assert keys.at(START + 1900) == {"k1": "ACTIVE", "k2": "PASSIVE"}
    assert keys.at(START + 2000) == {"k1": "PASSIVE", "k2": "ACTIVE"}


def test_the_next_key_is_like_the_one_before_and_has_none_of_its_material() -> None:
    keys = Keys(key())
    keys.at(START)
    keys.at(START + 900)
    config = given(keys.by_id["k1"].config, {})
    assert (config["priority"], config["keySize"]) == (["100"], ["3072"])
    assert not {"privateKey", "certificate"} & config.keys()


def test_a_key_never_signs_before_it_was_published_for_long_enough() -> None:
    """However late the server comes back: whoever caches keys must have seen it."""
    keys = Keys(key())
    keys.at(START)
    assert keys.at(START + 5000) == {"k0": "ACTIVE", "k1": "PASSIVE"}
    assert keys.at(START + 5099) == {"k0": "ACTIVE", "k1": "PASSIVE"}
    assert keys.at(START + 5100) == {"k0": "PASSIVE", "k1": "ACTIVE"}


def test_a_step_that_was_taken_is_not_taken_again() -> None:
    keys = Keys(key())
    for second in (0, 0, 900, 900, 950, 1000, 1000, 1050):
        keys.at(START + second)
    assert keys.seen() == {"k0": "PASSIVE", "k1": "ACTIVE"}


def test_the_second_in_which_keys_change_is_known_ahead() -> None:
    keys = Keys(key())
    assert keys.change() is None
    told = []
    for second in (0, 900, 1000, 1100):
        keys.at(START + second)
        told.append((keys.change() or 0) - START)
    assert told == [900, 1000, 1900, 1900]
    assert next_change(keys.by_id.values(), None) is None


@pytest.mark.parametrize("provider", ["hmac-generated", "aes-generated", "rsa-enc-generated", "rsa", "java-keystore"])
def test_keys_that_nobody_verifies_with_or_that_others_made_stay(provider: str) -> None:
    keys = Keys(key(provider=provider))
    assert keys.at(START) == keys.at(START + 10_000) == {"k0": "ACTIVE"}
    assert given(keys.by_id["k0"].config, {}).keys() == {"priority", "keySize", "privateKey", "certificate"}


@pytest.mark.parametrize("flag", ["active", "enabled"])
def test_a_key_that_an_administrator_has_switched_off_stays_off_and_has_no_heir(flag: str) -> None:
    keys = Keys(key(**{flag: "false"}))
    before = keys.seen()
    assert keys.at(START) == keys.at(START + 10_000) == before


@pytest.mark.parametrize("how", ["removed", "disabled", "switched off"])
def test_the_announced_key_signs_at_once_when_the_one_before_it_is_taken_away(how: str) -> None:
    """A key that has leaked is replaced without waiting."""
    keys = Keys(key())
    keys.at(START)
    keys.at(START + 900)
    if how == "removed":
        del keys.by_id["k0"]
    else:
        keys.switch("k0", **{"enabled" if how == "disabled" else "active": "false"})
    assert keys.at(START + 910)["k1"] == "ACTIVE"
    assert "ACTIVE" not in {status for name, status in keys.at(START + 1000).items() if name != "k1"}


def test_an_administrator_may_have_the_announced_key_sign_earlier() -> None:
    keys = Keys(key())
    keys.at(START)
    keys.at(START + 900)
    keys.switch("k1", active="true")
    assert keys.at(START + 910) == {"k0": "PASSIVE", "k1": "ACTIVE"}
    assert keys.at(START + 1010) == {"k1": "ACTIVE"}
    assert keys.change() == START + 910 + 900


def test_an_announced_key_that_is_disabled_does_not_sign() -> None:
    keys = Keys(key())
    keys.at(START)
    keys.at(START + 900)
    keys.switch("k1", enabled="false")
    assert keys.at(START + 2000) == {"k0": "ACTIVE", "k1": "DISABLED"}


def test_a_key_that_is_switched_on_again_does_not_go() -> None:
    keys = Keys(key())
    for second in (0, 900, 1000):
        keys.at(START + second)
    keys.switch("k0", active="true")
    assert keys.at(START + 1200) == {"k0": "ACTIVE", "k1": "ACTIVE"}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({PERIOD: "0"}, None),
        ({PERIOD: ""}, None),
        ({PERIOD: "x"}, None),
        ({PERIOD: "9999999999999"}, None),
        ({PERIOD: "1000", OVERLAP: "100"}, ROTATION),
        ({PERIOD: "1000000"}, Rotation(1_000_000, 86_400)),
    ],
)
def test_reads_what_a_realm_asks_for(attributes: dict[str, str], expected: Rotation | None) -> None:
    assert rotation_of(attributes) == expected


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({PERIOD: "1000", OVERLAP: "400"}, ""),
        ({PERIOD: "1000", OVERLAP: "299"}, "at least 300"),
        ({PERIOD: "1000", OVERLAP: "501"}, "at least twice"),
        ({PERIOD: "100000"}, "at least twice"),
        ({OVERLAP: "400"}, "without"),
        ({PERIOD: "0", OVERLAP: "400"}, "without"),
    ],
    ids=str,
)
def test_says_which_times_do_not_fit(attributes: dict[str, str], text: str) -> None:
    problem = problem_with(attributes, max_age=60, lifespan=300)
    assert (problem is None) if not text else (problem is not None and text in problem)


def test_a_period_begins_anew_where_nobody_can_read_when_it_began() -> None:
    """An import may bring any text; it must not keep the keys of other realms from rotating."""
    keys = Keys(key(**{"keyturn.rotation.since": "soon"}))
    assert keys.at(START) == {"k0": "ACTIVE"}
    assert keys.change() == START + 900
