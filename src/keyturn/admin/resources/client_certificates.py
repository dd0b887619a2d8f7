"""A client's key and certificate. Source: Keycloak ``ClientAttributeCertificateResource``."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import asdict, replace

from keyturn.admin import client_certificates as certificates
from keyturn.admin.admin_events import ACTION, MASKED, Located, Recorded
from keyturn.admin.answers import Content
from keyturn.admin.client_access import require_manage
from keyturn.admin.context import RealmAdmin, RealmView
from keyturn.admin.errors import NotFound
from keyturn.admin.permissions import MANAGE_CLIENTS, VIEW_CLIENTS
from keyturn.admin.resource import Multipart, Resource
from keyturn.model.key_providers import PROVIDER_TYPE, key_ring
from keyturn.representations import UNSET, given, present
from keyturn.representations.certificate import CertificateRepresentation, KeyStoreConfig
from keyturn.representations.client import ClientRepresentation
from keyturn.store.collections import CLIENTS, COMPONENTS

__all__ = ["client_certificates"]

_OCTETS: Final = "application/octet-stream"
_NO_KEY: Final = "keypair not generated for client"


def _generated(_realm: RealmView, _values: Located, _body: Any) -> CertificateRepresentation:
    return CertificateRepresentation(private_key=MASKED)


def _uploaded(_realm: RealmView, _values: Located, body: Any) -> CertificateRepresentation:
    key: CertificateRepresentation = body.meaning
    return replace(key, private_key=MASKED) if present(key.private_key) else key


def _read(realm: RealmView, values: Mapping[str, Any], file: Multipart) -> Multipart:
    """Before the transaction: who made a keystore says how long it takes to open."""
    require_manage(realm, values["client"])
    file.meaning = certificates.uploaded(file)
    return file


_GENERATES: Final = Recorded("CLIENT", ACTION, _generated)
_UPLOADS: Final = Recorded("CLIENT", ACTION, _uploaded)

client_certificates: Final = Resource("client certificates", located=("client",))


@client_certificates.get("{attr}", needs=VIEW_CLIENTS)
def get_certificate(realm: RealmView, client: ClientRepresentation, attr: str) -> CertificateRepresentation:
    """The client's key, its private part in clear."""
    return certificates.certificate_of(given(client.attributes, {}), attr)


@client_certificates.post("{attr}/download", needs=VIEW_CLIENTS, produces=_OCTETS, no_cache=True, event=None)
def download_certificate(realm: RealmView, client: ClientRepresentation, attr: str, config: KeyStoreConfig) -> Content:
    """The client's key and certificate in a keystore, or its certificate where it keeps its key to itself."""
    certificates.check_config(config)
    pair = certificates.certificate_of(given(client.attributes, {}), attr)
    if not present(pair.certificate):
        raise NotFound(_NO_KEY)
    certificates.check_passwords(config, "download", key=present(pair.private_key))
    return _packed(realm, client, config, pair)


class _Wanted(KeyStoreConfig):
    """The keystore that is wanted, and the new key pair for it."""

    pair: CertificateRepresentation = msgspec.field(default_factory=CertificateRepresentation)


def _pair(realm: RealmView, values: Mapping[str, Any], config: KeyStoreConfig | None) -> CertificateRepresentation:
    client: ClientRepresentation = values["client"]
    require_manage(realm, client)
    size, years = (UNSET, UNSET) if config is None else (config.key_size, config.validity)
    now = realm.environment.clock()
    return certificates.shown(*certificates.made(str(client.client_id), now, size=size, years=years))


def _prepare_pair(realm: RealmView, values: Mapping[str, Any], _body: None) -> CertificateRepresentation:
    return _pair(realm, values, None)


@client_certificates.post(
    "{attr}/generate",
    needs=MANAGE_CLIENTS,
    consumes="*/*",
    ignore_unknown=True,
    no_cache=True,
    event=_GENERATES,
    prepare=_prepare_pair,
)
def generate_certificate(
    realm: RealmAdmin, client: ClientRepresentation, attr: str, made: CertificateRepresentation | None
) -> CertificateRepresentation:
    """Gives the client a new RSA key of 4096 bits and a certificate, both of which are kept."""
    assert made is not None
    _keep(realm, client, attr, made)
    return made


def _prepare_keystore(realm: RealmView, values: Mapping[str, Any], config: KeyStoreConfig) -> _Wanted:
    certificates.check_config(config)
    certificates.check_passwords(config, "generation and download")
    return _Wanted(pair=_pair(realm, values, config), **asdict(config))


@client_certificates.post(
    "{attr}/generate-and-download",
    needs=MANAGE_CLIENTS,
    produces=_OCTETS,
    no_cache=True,
    event=_GENERATES,
    prepare=_prepare_keystore,
)
def generate_keystore(realm: RealmAdmin, client: ClientRepresentation, attr: str, wanted: KeyStoreConfig) -> Content:
    """Gives the client a new key and certificate in a keystore; only the certificate is kept."""
    assert isinstance(wanted, _Wanted)
    content = _packed(realm, client, wanted, wanted.pair)
    _keep(realm, client, attr, replace(wanted.pair, private_key=UNSET))
    return content


@client_certificates.post("{attr}/upload", needs=MANAGE_CLIENTS, consumes="*/*", event=_UPLOADS, prepare=_read)
def upload_key(
    realm: RealmAdmin, client: ClientRepresentation, attr: str, file: Multipart
) -> CertificateRepresentation:
    """Takes the client's key from a file: a certificate or public key in PEM, a JWK Set, or a keystore."""
    require_manage(realm, client)
    key: CertificateRepresentation = file.meaning
    _keep(realm, client, attr, key)
    return key


@client_certificates.post(
    "{attr}/upload-certificate", needs=MANAGE_CLIENTS, consumes="*/*", event=_UPLOADS, prepare=_read
)
def upload_certificate(
    realm: RealmAdmin, client: ClientRepresentation, attr: str, file: Multipart
) -> CertificateRepresentation:
    """The same; meant for files without private keys."""
    return upload_key(realm, client, attr, file)


def _keep(realm: RealmAdmin, client: ClientRepresentation, attr: str, key: CertificateRepresentation) -> None:
    attributes = certificates.attributes_with(given(client.attributes, {}), attr, key)
    realm.update(CLIENTS, replace(client, attributes=attributes))


def _packed(
    realm: RealmView, client: ClientRepresentation, config: KeyStoreConfig, pair: CertificateRepresentation
) -> Content:
    environment = realm.environment
    own = _realms_certificate(realm) if given(config.realm_certificate, False) else None
    name = str(client.client_id)
    content = certificates.packed(config, name, pair, own, now=environment.clock(), random=environment.random)
    return Content(content, _OCTETS)


def _realms_certificate(realm: RealmView) -> tuple[str, bytes] | None:
    """Of the realm's active RSA key, with its name."""
    components = realm.reader.select(COMPONENTS, realm.id, where={"provider_type": PROVIDER_TYPE})
    signing = key_ring(components).signing.get("RS256")
    return None if signing is None or signing.certificate is None else (realm.name, signing.certificate)
