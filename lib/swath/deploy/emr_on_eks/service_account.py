"""Names of the service accounts that EMR on EKS makes for Pod Identity associations.

``emr-containers-sa-spark-{client,driver,executor}-<account>-<role>``, the role's name read as a number in base 256 and
written in base 36 (as the AWS command line does it).
"""

from typing import Literal

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(text: str) -> str:
    """``text`` as a number in base 36."""
    number, digits = int.from_bytes(text.encode("ascii"), "big"), ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def service_account(component: Literal["client", "driver", "executor"], *, account: str, role: str) -> str:
    """Name of the service account of one component of EMR."""
    return f"emr-containers-sa-spark-{component}-{account}-{base36(role)}"
