"""What of a realm is answered from memory, as one function."""

from keyturn.http.body import Scope
from keyturn.http.oauth2 import TokenService
from keyturn.http.realms import RealmService
from keyturn.http.repeated import TOKEN
from keyturn.http.token_protocol import Answered, AtOnce


def from_memory(tokens: TokenService, realms: RealmService) -> AtOnce:
    """Answers for the token endpoint, and for the others of a realm that ``TokenProtocol`` knows."""

    def answer(scope: Scope, realm: str, below: str, body: bytes) -> Answered | None:
        if below == TOKEN:
            return tokens.at_once(scope, realm, body)
        return realms.at_once(scope, realm, below, body)

    return answer
