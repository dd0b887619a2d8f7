"""What administrators do, in any order."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from property.plain_model import JSON, PlainModel
from property.prepared import audience_mapper, key_component, new_mapper
from property.watched import Watched

some = st.integers(0, 1000)
"""Chooses one of what there is."""
flag = st.booleans()
mostly = st.sampled_from([True, True, True, True, False])
"""For what hides everything else while it is off."""
rarely = mostly.map(lambda value: not value)
name = st.sampled_from(["ant", "bee", "cat", "dog"])


class Writes(Watched):
    """Everything that can change a token."""

    @rule(which=some, field=st.sampled_from(["enabled", "fullScopeAllowed", "serviceAccountsEnabled"]), value=mostly)
    def set_a_flag_of_a_client(self, which: int, field: str, value: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {field: value})

    @rule(which=some, value=rarely)
    def make_a_client_public_or_not(self, which: int, value: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {"publicClient": value})

    @rule(which=some, made=flag)
    def change_a_secret(self, which: int, made: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            if made:
                self.call("POST", f"/clients/{client['id']}/client-secret")
            else:
                self.call("PUT", f"/clients/{client['id']}", {"secret": f"secret {next(self.numbers)}"})

    @rule(which=some, to=name)
    def rename_a_client(self, which: int, to: str) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {"clientId": to})

    @rule(which=some, lifespan=st.sampled_from(["", "60", "-1", "7200000"]), lightweight=rarely)
    def set_attributes_of_a_client(self, which: int, lifespan: str, lightweight: bool) -> None:
        if client := chosen(self.mine(self.model()), which):
            attributes = {
                "access.token.lifespan": lifespan,
                "client.use.lightweight.access.token.enabled": "true" if lightweight else "",
            }
            self.call("PUT", f"/clients/{client['id']}", {"attributes": attributes})

    @rule(which=some, origins=st.lists(st.sampled_from(["https://a.example", "https://b.example"]), unique=True))
    def set_web_origins(self, which: int, origins: list[str]) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("PUT", f"/clients/{client['id']}", {"webOrigins": origins})

    @rule(which=some, later=st.sampled_from([-1, 0, 0, 1]), whose=st.sampled_from(["client", "realm"]))
    def set_not_before(self, which: int, later: int, whose: str) -> None:
        moment = {"notBefore": int(self.server.now) + later}
        client = chosen(self.mine(self.model()), which)
        if whose == "realm" or client is None:
            self.call("PUT", "", moment)
        else:
            self.call("PUT", f"/clients/{client['id']}", moment)

    @rule(client_id=name, full=flag)
    def create_a_client(self, client_id: str, full: bool) -> None:
        if len(self.mine(self.model())) < 3:
            document = {
                "clientId": client_id,
                "secret": "secret",
                "serviceAccountsEnabled": True,
                "fullScopeAllowed": full,
                "protocolMappers": [audience_mapper()],
            }
            self.call("POST", "/clients", document)

    @rule(which=some)
    def delete_a_client(self, which: int) -> None:
        if client := chosen(self.mine(self.model()), which):
            self.call("DELETE", f"/clients/{client['id']}")

    @rule(which=some, of=some, to=name)
    def create_a_role(self, which: int, of: int, to: str) -> None:
        client = chosen(self.mine(self.model()), of)
        self.call("POST", f"/clients/{client['id']}/roles" if client and which % 2 else "/roles", {"name": to})

    @rule(which=some, to=name)
    def rename_a_role(self, which: int, to: str) -> None:
        if role := chosen(self.roles(self.model()), which):
            self.call("PUT", f"/roles-by-id/{role['id']}", {"name": to})

    @rule(which=some)
    def delete_a_role(self, which: int) -> None:
        if role := chosen(self.roles(self.model()), which):
            self.call("DELETE", f"/roles-by-id/{role['id']}")

    @rule(outer=some, inner=some, add=flag)
    def change_a_composite(self, outer: int, inner: int, add: bool) -> None:
        roles = self.roles(self.model())
        one, other = chosen(roles, outer), chosen(roles, inner)
        if one and other:
            self.call("POST" if add else "DELETE", f"/roles-by-id/{one['id']}/composites", [other])

    @rule(which=some, role=some, add=flag)
    def map_a_role_to_a_service_account(self, which: int, role: int, add: bool) -> None:
        model = self.model()
        user = self._account(model, which)
        if user and (mapped := chosen(self.roles(model), role)):
            self.call("POST" if add else "DELETE", f"/users/{user['id']}/role-mappings/{owner(mapped)}", [mapped])

    @rule(which=some, role=some, add=flag)
    def map_a_role_to_a_group(self, which: int, role: int, add: bool) -> None:
        model = self.model()
        group, mapped = chosen([*model.groups.values()], which), chosen(self.roles(model), role)
        if group and mapped:
            self.call("POST" if add else "DELETE", f"/groups/{group['id']}/role-mappings/{owner(mapped)}", [mapped])

    @rule(which=some, role=some, add=flag, of_client=flag)
    def change_a_scope_mapping(self, which: int, role: int, add: bool, of_client: bool) -> None:
        model = self.model()
        scoped = chosen(self.mine(model) if of_client else self.scopes(model), which)
        mapped = chosen(self.roles(model), role)
        if scoped and mapped:
            path = f"/{'clients' if of_client else 'client-scopes'}/{scoped['id']}/scope-mappings/{owner(mapped)}"
            self.call("POST" if add else "DELETE", path, [mapped])

    @rule(which=some, enabled=mostly, value=st.sampled_from(["", "red", "blue"]))
    def change_a_service_account(self, which: int, enabled: bool, value: str) -> None:
        if user := self._account(self.model(), which):
            document = self.call("GET", f"/users/{user['id']}").body
            attributes = {"colour": [value]} if value else {}
            self.call("PUT", f"/users/{user['id']}", document | {"enabled": enabled, "attributes": attributes})

    @rule(which=some, anew=mostly)
    def delete_a_service_account(self, which: int, anew: bool) -> None:
        """Whoever asks for it afterwards makes it anew."""
        client = chosen(self.mine(self.model()), which)
        if client and (user := self.model().account(client)):
            self.call("DELETE", f"/users/{user['id']}")
            self.every_token_says_what_the_documents_say()
            if anew:
                self.call("GET", f"/clients/{client['id']}/service-account-user")

    @rule(which=some, to=name, inside=flag)
    def create_a_group(self, which: int, to: str, inside: bool) -> None:
        group = chosen([*self.model().groups.values()], which)
        self.call("POST", f"/groups/{group['id']}/children" if inside and group else "/groups", {"name": to})

    @rule(which=some, to=name)
    def rename_a_group(self, which: int, to: str) -> None:
        if group := chosen([*self.model().groups.values()], which):
            self.call("PUT", f"/groups/{group['id']}", {"name": to})

    @rule(which=some)
    def delete_a_group(self, which: int) -> None:
        if group := chosen([*self.model().groups.values()], which):
            self.call("DELETE", f"/groups/{group['id']}")

    @rule(which=some, group=some, join=flag)
    def join_or_leave_a_group(self, which: int, group: int, join: bool) -> None:
        model = self.model()
        user, joined = self._account(model, which), chosen([*model.groups.values()], group)
        if user and joined:
            self.call("PUT" if join else "DELETE", f"/users/{user['id']}/groups/{joined['id']}")

    @rule(to=name, shown=flag)
    def create_a_client_scope(self, to: str, shown: bool) -> None:
        attributes = {"include.in.token.scope": str(shown).lower()}
        self.call("POST", "/client-scopes", {"name": to, "protocol": "openid-connect", "attributes": attributes})

    @rule(which=some, to=name, shown=flag)
    def change_a_client_scope(self, which: int, to: str, shown: bool) -> None:
        if scope := chosen(self.scopes(self.model()), which):
            attributes = {"include.in.token.scope": str(shown).lower()}
            document = {"name": to, "protocol": "openid-connect", "attributes": attributes}
            self.call("PUT", f"/client-scopes/{scope['id']}", document)

    @rule(which=some)
    def delete_a_client_scope(self, which: int) -> None:
        if scope := chosen(self.scopes(self.model()), which):
            self.call("DELETE", f"/client-scopes/{scope['id']}")

    @rule(which=some, scope=some, kind=st.sampled_from(["default", "optional"]), add=flag)
    def assign_a_client_scope(self, which: int, scope: int, kind: str, add: bool) -> None:
        model = self.model()
        client, assigned = chosen(self.mine(model), which), chosen([*model.scopes.values()], scope)
        if client and assigned:
            path = f"/clients/{client['id']}/{kind}-client-scopes/{assigned['id']}"
            self.call("PUT" if add else "DELETE", path)

    @rule(which=some, of_client=flag, kind=some, access=flag, introspected=flag, light=flag)
    def add_a_mapper(
        self, which: int, of_client: bool, kind: int, access: bool, introspected: bool, light: bool
    ) -> None:
        model = self.model()
        mapped = chosen(self.mine(model) if of_client else self.scopes(model), which)
        if mapped:
            number = next(self.numbers)
            where = {
                "access.token.claim": str(access).lower(),
                "introspection.token.claim": str(introspected).lower(),
                "lightweight.claim": str(light).lower(),
            }
            path = f"/{'clients' if of_client else 'client-scopes'}/{mapped['id']}/protocol-mappers/models"
            self.call("POST", path, new_mapper(kind, number, where))

    @rule(which=some, mapper=some, remove=flag, access=flag)
    def change_a_mapper(self, which: int, mapper: int, remove: bool, access: bool) -> None:
        model = self.model()
        owners = [("clients", each) for each in self.mine(model)]
        owners += [("client-scopes", each) for each in model.scopes.values()]
        found = [(kind, each, m) for kind, each in owners for m in each.get("protocolMappers", [])]
        found = [each for each in found if each[2]["protocol"] == "openid-connect"]
        if found:
            kind, each, changed = found[(which * 31 + mapper) % len(found)]
            path = f"/{kind}/{each['id']}/protocol-mappers/models/{changed['id']}"
            if remove:
                self.call("DELETE", path)
            else:
                config = changed["config"] | {"access.token.claim": str(access).lower()}
                self.call("PUT", path, changed | {"config": config})

    @rule()
    def add_a_key(self) -> None:
        self.call("POST", "/components", key_component(100 + next(self.numbers)))

    @rule(which=some, change=st.sampled_from(["delete", "active", "enabled"]), value=flag)
    def change_a_key(self, which: int, change: str, value: bool) -> None:
        keys = [each for each in self.model().components if each["providerId"] == "ecdsa-generated"]
        if key := chosen(keys, which):
            if change == "delete":
                self.call("DELETE", f"/components/{key['id']}")
            else:
                document = self.call("GET", f"/components/{key['id']}").body
                document["config"][change] = [str(value).lower()]
                self.call("PUT", f"/components/{key['id']}", document)

    @rule(lifespan=st.sampled_from([60, 300, 90000]), longest=st.sampled_from([600, 36000]))
    def change_lifespans_of_the_realm(self, lifespan: int, longest: int) -> None:
        self.call("PUT", "", {"accessTokenLifespan": lifespan, "ssoSessionMaxLifespan": longest})

    @rule(enabled=mostly)
    def enable_or_disable_the_realm(self, enabled: bool) -> None:
        self.call("PUT", "", {"enabled": enabled})

    @rule(to=st.sampled_from(["demo", "other", "my realm"]))
    def rename_the_realm(self, to: str) -> None:
        if self.call("PUT", "", {"realm": to}).status == 204:
            self.name = to

    @rule(seconds=st.integers(1, 90))
    def let_time_pass(self, seconds: int) -> None:
        self.server.now += seconds
        self.deployment.clock.now += seconds

    def _account(self, model: PlainModel, which: int) -> JSON | None:
        client = chosen(self.mine(model), which)
        return None if client is None else model.account(client)


def chosen(things: list[JSON], which: int) -> JSON | None:
    return things[which % len(things)] if things else None


def owner(role: JSON) -> str:
    """Where the mappings of a role are."""
    return f"clients/{role['containerId']}" if role.get("clientRole") else "realm"
