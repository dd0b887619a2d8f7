"""Numbers as Java prints them: what Jackson writes, and so what kcadm.sh prints."""

import math
from typing import Final

__all__ = ["java_double"]

_PLAIN_FROM: Final = 1e-3
_PLAIN_BELOW: Final = 1e7


def java_double(value: float) -> str:
    """`value` as Java's ``Double.toString`` writes it: 100.0, 1.0E7, 1.0E-4; not finite, as Jackson does: a string."""
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    significant, power = _shortest(abs(value))
    sign = "-" if value < 0 else ""
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return sign + _plain(significant, power)
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{power}"


def _shortest(value: float) -> tuple[str, int]:
    """The digits that tell `value` from its neighbours, and the power of ten of the first one."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) == 1:
        # Where one digit would do, Java takes the nearest number of two.
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        digits, power = mantissa.replace(".", "").rstrip("0"), int(exponent)
    return digits, power


def _plain(digits: str, power: int) -> str:
    if power < 0:
        return "0." + "0" * (-power - 1) + digits
    padded = digits.ljust(power + 1, "0")
    return f"{padded[: power + 1]}.{padded[power + 1 :] or '0'}"
