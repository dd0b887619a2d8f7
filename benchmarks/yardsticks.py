"""What a server is compared with: work of this machine that does not change with keyturn."""

import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable

from keyturn.jose import jwk

_DOCUMENT = {f"name{number}": [f"https://example.com/{number}", number, None, True] for number in range(40)}


def per_cpu_second(work: Callable[[], object], seconds: float) -> float:
    """How often `work` is done in a second of this process's CPU time."""
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for _ in range(20):
            work()
        count += 20
    return count / (time.process_time() - start)


def signing(algorithm: str) -> Callable[[], object]:
    """One signature by the crypto library alone, on as many bytes as a token has."""
    key, content = jwk.generate(algorithm, now=time.time()), secrets.token_bytes(900)
    return lambda: key.sign(content)


def python() -> object:
    """A document written and read by the standard library: for what does not sign."""
    return json.loads(json.dumps(_DOCUMENT))


def openssl_speed(algorithm: str, seconds: int) -> float | None:
    """What ``openssl speed`` of the machine says, per second; None where there is none."""
    if shutil.which("openssl") is None:
        return None
    name = {"RS256": "rsa2048", "ES256": "ecdsap256"}[algorithm]
    output = subprocess.run(
        ["openssl", "speed", "-seconds", str(seconds), name], capture_output=True, text=True, check=True
    )
    return float(output.stdout.strip().splitlines()[-1].split()[-2])
