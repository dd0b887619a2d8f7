"""What is known of the user: attributes, properties, name, address, groups."""

from typing import ClassVar, Final

from keyturn.model.client_scope import ProtocolMapper
from keyturn.model.subject import Subject
from keyturn.oauth2.protocol_mappers import claim
from keyturn.oauth2.protocol_mappers.spi import Claims, ClaimsContext, Target

_ATTRIBUTE: Final = "user.attribute"


class _UserMapper:
    """What these mappers share: their settings alone say where the claim goes."""

    priority: ClassVar[int] = 0

    def applies(self, mapper: ProtocolMapper, target: Target) -> bool:
        """Where its settings say so."""
        return claim.included(mapper.config, target)


class UserAttribute(_UserMapper):
    """An attribute of the user, else of the nearest group that has it (Keycloak ``UserAttributeMapper``).

    With ``aggregate.attrs`` the user's and the groups' values together, each once.
    """

    provider: ClassVar[str] = "oidc-usermodel-attribute-mapper"

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the values; the user name, e-mail address and names are attributes, too."""
        name = mapper.config.get(_ATTRIBUTE, "")
        values = _attribute(context.subject, name)
        if mapper.config.get("aggregate.attrs") == "true":
            groups = (value for group in context.subject.group_attributes for value in group.get(name, ()))
            values = tuple(dict.fromkeys((*values, *groups)))
        elif not values:
            values = next((group[name] for group in context.subject.group_attributes if group.get(name)), ())
        claim.put_values(claims.members, mapper.config, values)


class UserProperty(_UserMapper):
    """A property of the user (Keycloak ``UserPropertyMapper``)."""

    provider: ClassVar[str] = "oidc-usermodel-property-mapper"

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the property, if it is one that a user has."""
        value = _property(context.subject, mapper.config.get(_ATTRIBUTE, ""))
        if value:
            claim.put_values(claims.members, mapper.config, (value,))


class FullName(_UserMapper):
    """``name``: the first and last name (Keycloak ``FullNameMapper``)."""

    provider: ClassVar[str] = "oidc-full-name-mapper"

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts what there is of the two."""
        parts = filter(None, (context.subject.first_name, context.subject.last_name))
        if name := " ".join(parts):
            claims.members["name"] = name


class Address(_UserMapper):
    """``address`` (OpenID Connect Core §5.1.1), from attributes that the settings name (Keycloak ``AddressMapper``)."""

    provider: ClassVar[str] = "oidc-address-mapper"

    _PARTS: Final = (
        ("street_address", "street"),
        ("locality", "locality"),
        ("region", "region"),
        ("postal_code", "postal_code"),
        ("country", "country"),
        ("formatted", "formatted"),
    )

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts the parts that there are, if any."""
        address = {}
        for member, part in self._PARTS:
            values = _attribute(context.subject, mapper.config.get(f"{_ATTRIBUTE}.{part}") or part)
            if values:
                address[member] = values[0]
        if address:
            claims.members["address"] = address


class GroupMembership(_UserMapper):
    """The groups that the user is in: paths, or names alone (Keycloak ``GroupMembershipMapper``)."""

    provider: ClassVar[str] = "oidc-group-membership-mapper"

    def apply(self, claims: Claims, mapper: ProtocolMapper, context: ClaimsContext, target: Target) -> None:
        """Puts a list in any case, but none where there is no group."""
        full = mapper.config.get("full.path") == "true"
        groups = [path if full else path.rpartition("/")[2] for path in context.subject.groups]
        if groups:
            claim.put(claims.members, mapper.config.get(claim.CLAIM_NAME, ""), groups)


def _attribute(subject: Subject, name: str) -> tuple[str, ...]:
    match name:
        case "username":
            return (subject.username,)
        case "email":
            return (subject.email,) if subject.email else ()
        case "firstName":
            return (subject.first_name,) if subject.first_name else ()
        case "lastName":
            return (subject.last_name,) if subject.last_name else ()
        case _:
            return subject.attributes.get(name, ())


def _property(subject: Subject, name: str) -> str | None:
    match name[:1].lower() + name[1:]:
        case "id":
            return subject.id
        case "username":
            return subject.username
        case "email":
            return subject.email
        case "firstName":
            return subject.first_name
        case "lastName":
            return subject.last_name
        case "emailVerified":
            return "true" if subject.email_verified else "false"
        case "enabled":
            return "true" if subject.enabled else "false"
        case "serviceAccountClientLink":
            return subject.service_account_client_id
        case _:
            return None
