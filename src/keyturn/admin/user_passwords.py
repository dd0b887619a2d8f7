"""People's passwords as administrators set them: within the realm's password policy, hashed.

Source: Keycloak ``UserResource.resetPassword``, ``PasswordPolicyManagerProvider``.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import BadRequest, OAuthError
from keyturn.admin.patterns import Patterns
from keyturn.representations import given, present, replace
from keyturn.representations.credential import CredentialRepresentation
from keyturn.representations.user import UserRepresentation
from keyturn.sessions.passwords import PASSWORD, hash_password, stored_password

__all__ = ["UPDATE_PASSWORD", "check_password", "hashed", "with_credentials", "with_password"]

UPDATE_PASSWORD: Final = "UPDATE_PASSWORD"
"""The required action of who has to choose a new password."""

_POLICY: Final = re.compile(r"([A-Za-z0-9]+)(?:\((.*)\))?")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_DEFAULT_LENGTH: Final = 8
_DEFAULT_LONGEST: Final = 64


def hashed(realm: RealmView, credential: CredentialRepresentation) -> CredentialRepresentation:
    """`credential` with the hash of its password beside it. Takes long: for what comes before a transaction."""
    if not isinstance(credential.value, str):
        return credential
    stored = hash_password(credential.value, realm.now_milliseconds())
    return replace(credential, secret_data=stored.secret_data, credential_data=stored.credential_data)


def with_password(
    realm: RealmAdmin, user: UserRepresentation, credential: CredentialRepresentation
) -> UserRepresentation:
    """`user` with the password of `credential`, which is `hashed`; to be changed at the next login if it is temporary.

    Raises:
        AdminError: there is none, or the realm's policy does not allow it.
    """
    if not isinstance(credential.value, str):
        raise BadRequest("No password provided")
    if not credential.value.strip():
        raise BadRequest("Empty password not allowed")
    return _with(realm, user, credential, Patterns())


def with_credentials(
    realm: RealmAdmin, user: UserRepresentation, credentials: Iterable[CredentialRepresentation]
) -> UserRepresentation:
    """`user` with `credentials` as they come with a user: passwords, `hashed`, or credentials in Keycloak's own format.

    Raises:
        AdminError: the realm's policy does not allow a password.
    """
    patterns = Patterns()
    for credential in credentials:
        if isinstance(credential.value, str):
            user = _with(realm, user, credential, patterns)
        elif given(credential.type, PASSWORD) == PASSWORD:
            try:
                stored = stored_password(credential, realm.now_milliseconds())
            except ValueError:
                continue
            user = _with_stored(user, replace(stored, created_date=realm.now_milliseconds()))
        elif present(credential.secret_data) and present(credential.credential_data):
            kept = CredentialRepresentation(
                id=realm.new_id(),
                type=credential.type,
                user_label=credential.user_label,
                created_date=realm.now_milliseconds(),
                secret_data=credential.secret_data,
                credential_data=credential.credential_data,
            )
            user = replace(user, credentials=[*given(user.credentials, []), kept])
    return user


def _with(
    realm: RealmAdmin, user: UserRepresentation, credential: CredentialRepresentation, patterns: Patterns
) -> UserRepresentation:
    check_password(given(realm.realm.password_policy, ""), given(credential.value, ""), user, patterns)
    stored = CredentialRepresentation(
        id=realm.new_id(),
        type=PASSWORD,
        created_date=realm.now_milliseconds(),
        secret_data=credential.secret_data,
        credential_data=credential.credential_data,
    )
    user = _with_stored(user, stored)
    actions = [action for action in given(user.required_actions, []) if action != UPDATE_PASSWORD]
    return replace(user, required_actions=[*actions, UPDATE_PASSWORD] if credential.temporary is True else actions)


def _with_stored(user: UserRepresentation, stored: CredentialRepresentation) -> UserRepresentation:
    """`user` with this password in place of an older one, whose id it takes."""
    credentials = list(given(user.credentials, []))
    for at, credential in enumerate(credentials):
        if credential.type == PASSWORD:
            label = credential.user_label if present(credential.user_label) else stored.user_label
            credentials[at] = replace(stored, id=credential.id, user_label=label)
            return replace(user, credentials=credentials)
    return replace(user, credentials=[*credentials, stored])


def check_password(policy: str, password: str, user: UserRepresentation, patterns: Patterns) -> None:
    """Raises OAuthError, naming the rule that `password` breaks."""
    rules: Mapping[str, Rule] = {**_RULES, "regexPattern": partial(_pattern, patterns)}
    parts = [match for part in policy.split(" and ") if (match := _POLICY.fullmatch(part.strip())) is not None]
    for match in sorted(parts, key=lambda match: _place(match[1])):
        rule = rules.get(match[1])
        broken = None if rule is None else rule(password, match[2] or "", user)
        if broken is not None:
            raise OAuthError(400, *broken)


def _place(name: str) -> int:
    """Where a rule stands among the sixteen places of Java's map, in whose order Keycloak asks them."""
    code = 0
    for character in name:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & 15


Broken = tuple[str, str] | None
"""The message's key and its text."""
Rule = Callable[[str, str, UserRepresentation], Broken]
"""Asked of the password, the rule's setting and the user."""


def _number(setting: str, default: int) -> int:
    return int(setting) if _NUMBER.fullmatch(setting) else default


def _at_least(kind: str, text: str, counts: Callable[[str], bool]) -> Rule:
    def rule(password: str, setting: str, _: UserRepresentation) -> Broken:
        least = _number(setting, 1)
        if sum(map(counts, password)) >= least:
            return None
        return f"invalidPasswordMin{kind}Message", f"Invalid password: must contain at least {least} {text}."

    return rule


def _length(password: str, setting: str, _: UserRepresentation) -> Broken:
    least = _number(setting, _DEFAULT_LENGTH)
    text = f"Invalid password: minimum length {least}."
    return None if len(password) >= least else ("invalidPasswordMinLengthMessage", text)


def _longest(password: str, setting: str, _: UserRepresentation) -> Broken:
    most = _number(setting, _DEFAULT_LONGEST)
    text = f"Invalid password: maximum length {most}."
    return None if len(password) <= most else ("invalidPasswordMaxLengthMessage", text)


def _not_username(password: str, _: str, user: UserRepresentation) -> Broken:
    text = "Invalid password: must not be equal to the username."
    return None if password.lower() != given(user.username, "") else ("invalidPasswordNotUsernameMessage", text)


def _without_username(password: str, _: str, user: UserRepresentation) -> Broken:
    name = given(user.username, "")
    text = "Invalid password: Can not contain the username."
    return ("invalidPasswordNotContainsUsernameMessage", text) if name and name in password.lower() else None


def _not_email(password: str, _: str, user: UserRepresentation) -> Broken:
    email = given(user.email, "")
    text = "Invalid password: must not be equal to the email."
    return ("invalidPasswordNotEmailMessage", text) if email and password.lower() == email else None


def _pattern(patterns: Patterns, password: str, setting: str, _: UserRepresentation) -> Broken:
    text = "Invalid password: fails to match regex pattern(s)."
    return None if patterns.match(setting, password) else ("invalidPasswordRegexPatternMessage", text)


_RULES: Final[Mapping[str, Rule]] = {
    "length": _length,
    "maxLength": _longest,
    "digits": _at_least("Digits", "numerical digits", str.isdigit),
    "upperCase": _at_least("UpperCaseChars", "upper case characters", str.isupper),
    "lowerCase": _at_least("LowerCaseChars", "lower case characters", str.islower),
    "specialChars": _at_least("SpecialChars", "special characters", lambda character: not character.isalnum()),
    "notUsername": _not_username,
    "notContainsUsername": _without_username,
    "notEmail": _not_email,
}
