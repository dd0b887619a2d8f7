"""Settings of a realm that hang together: what is given of them sets others, or counts as a whole.

Source: Keycloak ``RealmAdapter`` (JPA), ``DefaultExportImportManager.toPolicy``; asked of Keycloak.
"""

from typing import Any, Final

from keyturn.representations import UNSET, RealmRepresentation, given, present, replace

__all__ = ["with_settings_that_agree"]

_OTP_NUMBERS: Final = (
    "otp_policy_initial_counter",
    "otp_policy_digits",
    "otp_policy_look_ahead_window",
    "otp_policy_period",
)
_OTP: Final = ("otp_policy_type", "otp_policy_algorithm", *_OTP_NUMBERS, "otp_policy_code_reusable")
_EXCLUDED: Final = {
    "registration_email_as_username": ("duplicate_emails_allowed",),
    "login_with_email_allowed": ("duplicate_emails_allowed",),
    "duplicate_emails_allowed": ("login_with_email_allowed", "registration_email_as_username"),
}
"""What each switch turns off when it is turned on, in the order in which Keycloak takes them."""

_USUAL_PERIOD_S: Final = 30
_USUAL_DIGITS: Final = 6


def with_settings_that_agree(
    realm: RealmRepresentation, before: RealmRepresentation, change: RealmRepresentation
) -> RealmRepresentation:
    """`realm`, which is `before` with `change` over it, such that its settings agree with each other.

    Of users who may share an address none can log in with it. Rules for one-time passwords count only with their
    type, and then those that are not given are zero; which applications can follow them is computed.
    """
    emails: dict[str, Any] = {name: getattr(before, name) for name in _EXCLUDED}
    for name, excluded in _EXCLUDED.items():
        if present(getattr(change, name)):
            emails[name] = getattr(change, name)
            if emails[name]:
                emails.update(dict.fromkeys(excluded, False))
    if present(change.otp_policy_type):
        otp = {name: getattr(change, name) for name in _OTP}
        otp.update({name: given(otp[name], 0) for name in _OTP_NUMBERS})
        otp["otp_policy_code_reusable"] = given(change.otp_policy_code_reusable, False)
        otp["otp_policy_algorithm"] = given(change.otp_policy_algorithm, UNSET)
    else:
        otp = {name: getattr(before, name) for name in _OTP}
    realm = replace(realm, **emails, **otp)
    return replace(realm, otp_supported_applications=_applications(realm))


def _applications(realm: RealmRepresentation) -> list[str]:
    """Those that can make the realm's one-time passwords."""
    by_time = realm.otp_policy_type == "totp"
    usual_period = realm.otp_policy_period == _USUAL_PERIOD_S
    usual = realm.otp_policy_digits == _USUAL_DIGITS and realm.otp_policy_algorithm == "HmacSHA1"
    supported = {
        "totpAppFreeOTPName": True,
        "totpAppGoogleName": usual_period or not by_time,
        "totpAppMicrosoftAuthenticatorName": by_time and usual_period and usual,
    }
    return [name for name, can in supported.items() if can]
