"""Documents as they are stored: JSON whose secrets are sealed to their place (docs/adr/0004)."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from keyturn.jose.seal import SealKey, associated_data, is_sealed
from keyturn.representations import decode, encode
from keyturn.representations.secrecy import replace_secrets, secret_paths
from keyturn.store.spi import Collection, D, Unavailable


class Resealed(Unavailable):
    """The secrets in the database are sealed with another key than this server's."""

    def __init__(self) -> None:
        super().__init__("its secrets were sealed with another key: start this server anew with that one")


_SEALED_LATER: Final = "authenticatorConfig"
"""The part of a realm's document whose secrets some databases have as they came, before they were sealed there."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Turns documents into their stored text and back. Whoever moves a sealed text elsewhere makes it unreadable."""

    key: SealKey

    def stored(self, collection: Collection[D], realm_id: str, id: str, document: D) -> str:  # noqa: A002
        """`document` as JSON, each secret of it sealed."""
        if secret_paths(collection.document):
            document = replace_secrets(document, partial(self._seal, realm_id, collection.name, id))
        return encode(document).decode()

    def document(self, collection: Collection[D], realm_id: str, id: str, text: str) -> D:  # noqa: A002
        """The document whose stored form is `text`.

        Raises ``msgspec.DecodeError``; ``WrongSealKey`` or ``SealBroken`` where a secret is not one of this place.
        """
        document = decode(text, collection.document)
        if secret_paths(collection.document):
            document = replace_secrets(document, partial(self._unseal, realm_id, collection.name, id))
        return document

    def _seal(self, realm_id: str, kind: str, id: str, path: tuple[str, ...], text: str) -> str:  # noqa: A002
        return self.key.seal(text, associated_data(realm_id, kind, id, "\0".join(path)))

    def _unseal(self, realm_id: str, kind: str, id: str, path: tuple[str, ...], text: str) -> str:  # noqa: A002
        if path[0] == _SEALED_LATER and not is_sealed(text):
            return text  # it is sealed as soon as its document is written
        return self.key.unseal(text, associated_data(realm_id, kind, id, "\0".join(path))).decode()
