// Administers a realm with @keycloak/keycloak-admin-client.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, NODE_EXTRA_CA_CERTS. An
// answer that is not Keycloak's ends it with a status of 1.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The library is not installed beside this file, but where the first argument says.
const library = createRequire(pathToFileURL(`${process.argv[2]}/`));
const { default: KeycloakAdminClient } = await import(
  pathToFileURL(library.resolve("@keycloak/keycloak-admin-client")).href
);

const { KEYCLOAK_URL: baseUrl, KEYCLOAK_USERNAME: username, KEYCLOAK_PASSWORD: password } = process.env;
const realm = `admin-client-js-${randomBytes(4).toString("hex")}`;
const admin = new KeycloakAdminClient({ baseUrl });
await admin.auth({ username, password, grantType: "password", clientId: "admin-cli" });

const names = (documents) => documents.map((document) => document.name ?? document.clientId ?? document.username);

async function refused(promise, status) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.response.status, status, JSON.stringify(error.responseData));
    return true;
  });
}

async function realms() {
  await admin.realms.update({ realm }, { accessTokenLifespan: 90, attributes: { team: "payments" } });
  const found = await admin.realms.findOne({ realm });
  assert.equal(found.accessTokenLifespan, 90);
  assert.equal(found.attributes.team, "payments");
  assert((await admin.realms.find()).some((each) => each.realm === realm));
  await refused(admin.realms.create({ realm }), 409);
  assert.equal(await admin.realms.findOne({ realm: `${realm}-none` }), null);
  assert(names(await admin.clientScopes.find({ realm })).includes("basic"));
  assert((await admin.realms.getKeys({ realm })).keys.some((key) => key.algorithm === "RS256"));
}

async function clients() {
  const { id } = await admin.clients.create({ realm, clientId: "orders", serviceAccountsEnabled: true });
  await refused(admin.clients.create({ realm, clientId: "orders" }), 409);
  assert.deepEqual(names(await admin.clients.find({ realm, clientId: "orders" })), ["orders"]);
  assert.deepEqual(names(await admin.clients.find({ realm, clientId: "rder", search: true })), ["orders"]);
  await admin.clients.update({ realm, id }, { clientId: "orders", description: "takes orders" });
  assert.equal((await admin.clients.findOne({ realm, id })).description, "takes orders");
  const before = await admin.clients.getClientSecret({ realm, id });
  const after = await admin.clients.generateNewClientSecret({ realm, id });
  assert.notEqual(before.value, after.value);
  assert.equal((await admin.clients.getServiceAccountUser({ realm, id })).username, "service-account-orders");
  assert.ok((await admin.clients.generateRegistrationAccessToken({ realm, id })).registrationAccessToken);
  assert.deepEqual(await admin.clients.listSessions({ realm, id }), []);
  assert.equal((await admin.clients.getSessionCount({ realm, id })).count, 0);
  const key = await admin.clients.generateKey({ realm, id, attr: "jwt.credential" });
  assert.equal((await admin.clients.getKeyInfo({ realm, id, attr: "jwt.credential" })).certificate, key.certificate);
  const [account] = await admin.clients.find({ realm, clientId: "account" });
  await refused(admin.clients.del({ realm, id: account.id }), 400);
  assert.equal(await admin.clients.findOne({ realm, id: "none" }), null);
  return id;
}

async function roles(id) {
  await admin.roles.create({ realm, name: "reader", attributes: { area: ["all"] } });
  await admin.roles.create({ realm, name: "writer" });
  await refused(admin.roles.create({ realm, name: "reader" }), 409);
  const reader = await admin.roles.findOneByName({ realm, name: "reader" });
  assert.deepEqual(reader.attributes, { area: ["all"] });
  const writer = await admin.roles.findOneByName({ realm, name: "writer" });
  await admin.roles.createComposite({ realm, roleId: writer.id }, [reader]);
  assert.deepEqual(names(await admin.roles.getCompositeRoles({ realm, id: writer.id })), ["reader"]);
  await admin.roles.updateById({ realm, id: reader.id }, { name: "reader", description: "reads" });
  assert.equal((await admin.roles.findOneById({ realm, id: reader.id })).description, "reads");
  await admin.clients.createRole({ realm, id, name: "cancel" });
  const cancel = await admin.clients.findRole({ realm, id, roleName: "cancel" });
  const { id: userId } = await admin.clients.getServiceAccountUser({ realm, id });
  await admin.users.addRealmRoleMappings({ realm, id: userId, roles: [writer] });
  await admin.users.addClientRoleMappings({ realm, id: userId, clientUniqueId: id, roles: [cancel] });
  const effective = await admin.users.listCompositeRealmRoleMappings({ realm, id: userId });
  assert(["reader", "writer"].every((name) => names(effective).includes(name)));
  assert.deepEqual(names(await admin.users.listClientRoleMappings({ realm, id: userId, clientUniqueId: id })), ["cancel"]);
  assert.deepEqual(names(await admin.roles.findUsersWithRole({ realm, name: "writer" })), ["service-account-orders"]);
  await admin.users.delRealmRoleMappings({ realm, id: userId, roles: [writer] });
  assert(!names(await admin.users.listRealmRoleMappings({ realm, id: userId })).includes("writer"));
  return reader;
}

async function scopesAndMappers(id, reader) {
  const { id: scope } = await admin.clientScopes.create({ realm, name: "stock", protocol: "openid-connect" });
  const mapper = {
    name: "team",
    protocol: "openid-connect",
    protocolMapper: "oidc-hardcoded-claim-mapper",
    config: { "claim.name": "team", "claim.value": "payments", "access.token.claim": "true" },
  };
  await admin.clientScopes.addProtocolMapper({ realm, id: scope }, mapper);
  const [made] = await admin.clientScopes.listProtocolMappers({ realm, id: scope });
  assert.equal(made.config["claim.value"], "payments");
  assert.equal(made.config["introspection.token.claim"], "true");
  await admin.clients.addOptionalClientScope({ realm, id, clientScopeId: scope });
  assert(names(await admin.clients.listOptionalClientScopes({ realm, id })).includes("stock"));
  const { id: userId } = await admin.clients.getServiceAccountUser({ realm, id });
  const example = () => admin.clients.evaluateGenerateAccessToken({ realm, id, userId, scope: "stock" });
  assert.equal((await example()).team, "payments");
  await admin.clientScopes.addRealmScopeMappings({ realm, id: scope }, [reader]);
  assert.deepEqual(names(await admin.clientScopes.listRealmScopeMappings({ realm, id: scope })), ["reader"]);
  assert.equal((await example()).team, undefined); // the scope is for who has the role
  await admin.clientScopes.delProtocolMapper({ realm, id: scope, mapperId: made.id });
  await admin.clientScopes.del({ realm, id: scope });
  assert.equal(await admin.clientScopes.findOne({ realm, id: scope }), null);
}

async function usersAndGroups(reader) {
  const { id: group } = await admin.groups.create({ realm, name: "staff" });
  const { id: child } = await admin.groups.createChildGroup({ realm, id: group }, { name: "night" });
  assert.deepEqual(names(await admin.groups.listSubGroups({ realm, parentId: group })), ["night"]);
  const { id: user } = await admin.users.create({ realm, username: "ada", enabled: true, email: "ada@example.org" });
  await refused(admin.users.create({ realm, username: "ada" }), 409);
  await admin.users.addToGroup({ realm, id: user, groupId: child });
  assert.deepEqual(names(await admin.groups.listMembers({ realm, id: child })), ["ada"]);
  await admin.groups.addRealmRoleMappings({ realm, id: child, roles: [reader] });
  assert(names(await admin.users.listCompositeRealmRoleMappings({ realm, id: user })).includes("reader"));
  await admin.users.update({ realm, id: user }, { firstName: "Ada", lastName: "Byron" });
  assert.equal((await admin.users.findOne({ realm, id: user })).firstName, "Ada");
  await admin.users.resetPassword({
    realm,
    id: user,
    credential: { type: "password", value: "correct horse", temporary: false },
  });
  assert.equal((await admin.users.getCredentials({ realm, id: user }))[0].type, "password");
  assert.equal(await admin.users.count({ realm }), 1);
  assert.deepEqual(names(await admin.users.find({ realm, search: "ada@" })), ["ada"]);
  assert.deepEqual(await admin.users.listSessions({ realm, id: user }), []);
  assert.equal((await admin.attackDetection.findOne({ realm, id: user })).numFailures, 0);
  await admin.users.logout({ realm, id: user });
  await admin.users.delFromGroup({ realm, id: user, groupId: child });
  await admin.users.del({ realm, id: user });
  await admin.groups.del({ realm, id: group });
  assert.equal(await admin.groups.findOne({ realm, id: group }), null);
}

async function keysAndEvents() {
  const { id: parentId } = await admin.realms.findOne({ realm });
  const { id } = await admin.components.create({
    realm,
    name: "es256",
    parentId,
    providerId: "ecdsa-generated",
    providerType: "org.keycloak.keys.KeyProvider",
    config: { priority: ["200"], ecdsaEllipticCurveKey: ["P-256"] },
  });
  assert((await admin.realms.getKeys({ realm })).keys.some((key) => key.algorithm === "ES256"));
  await admin.components.del({ realm, id });
  await admin.realms.updateConfigEvents({ realm }, { adminEventsEnabled: true, eventsEnabled: true });
  assert.equal((await admin.realms.getConfigEvents({ realm })).adminEventsEnabled, true);
  await admin.roles.create({ realm, name: "seen" });
  const [event] = await admin.realms.findAdminEvents({ realm, operationTypes: "CREATE" });
  assert.equal(event.resourceType, "REALM_ROLE");
  await admin.realms.clearAdminEvents({ realm });
}

async function governance() {
  await admin.clientPolicies.createProfiles({ realm, profiles: [{ name: "short", executors: [] }] });
  assert.deepEqual(names((await admin.clientPolicies.listProfiles({ realm })).profiles), ["short"]);
  await admin.clientPolicies.updatePolicy({ realm, policies: [{ name: "all", conditions: [], profiles: ["short"] }] });
  assert.deepEqual(names((await admin.clientPolicies.listPolicies({ realm })).policies), ["all"]);
  const made = await admin.realms.createClientsInitialAccess({ realm }, { count: 1, expiration: 60 });
  assert.ok(made.token);
  await admin.realms.delClientsInitialAccess({ realm, id: made.id });
  assert.deepEqual(await admin.realms.getClientsInitialAccess({ realm }), []);
}

async function transfer() {
  const imported = await admin.realms.partialImport({
    realm,
    rep: { ifResourceExists: "SKIP", roles: { realm: [{ name: "seen" }, { name: "imported" }] } },
  });
  assert.deepEqual([imported.added, imported.skipped], [1, 1]);
  const exported = await admin.realms.export({ realm, exportClients: true, exportGroupsAndRoles: true });
  assert(names(exported.clients).includes("orders"));
  assert(names(exported.roles.realm).includes("imported"));
  const info = await admin.serverInfo.find();
  assert.match(info.systemInfo.version, /^26\./);
}

await admin.realms.create({ realm, enabled: true });
try {
  await realms();
  const id = await clients();
  const reader = await roles(id);
  await scopesAndMappers(id, reader);
  await usersAndGroups(reader);
  await keysAndEvents();
  await governance();
  await transfer();
  await admin.clients.del({ realm, id });
} finally {
  await admin.realms.del({ realm });
}
