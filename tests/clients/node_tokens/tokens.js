// Gets tokens with openid-client and oauth4webapi by each way in which a client can prove who it is, and verifies them
// with jose, and with jsonwebtoken and jwks-rsa.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, NODE_EXTRA_CA_CERTS. An
// answer that is not Keycloak's ends it with a status of 1.
import assert from "node:assert/strict";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The libraries are not installed beside this file, but where the first argument says.
const libraries = createRequire(pathToFileURL(`${process.argv[2]}/`));
const load = (name) => import(pathToFileURL(libraries.resolve(name)).href);
const client = await load("openid-client");
const oauth = await load("oauth4webapi");
const jose = await load("jose");
const jsonwebtoken = libraries("jsonwebtoken");
const jwksClient = libraries("jwks-rsa");
const undici = libraries("undici");

const { KEYCLOAK_URL: url, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD } = process.env;
const plain = url.startsWith("http:");
const realm = `node-tokens-${randomBytes(4).toString("hex")}`;
const issuer = new URL(`${url}/realms/${realm}`);
const secret = randomBytes(32).toString("base64url");

async function adminToken() {
  const form = { grant_type: "password", client_id: "admin-cli", username: KEYCLOAK_USERNAME, password: KEYCLOAK_PASSWORD };
  const answer = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams(form),
  });
  return (await answer.json()).access_token;
}

async function administer(method, path, document) {
  const answer = await fetch(`${url}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${await adminToken()}`, "content-type": "application/json" },
    body: document && JSON.stringify(document),
  });
  assert(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`);
}

async function keyPair(algorithm) {
  const { privateKey, publicKey } = await jose.generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await jose.exportJWK(publicKey)), kid: algorithm, alg: algorithm, use: "sig" };
  return { algorithm, privateKey, jwk };
}

const keys = await Promise.all(["ES256", "PS256", "RS256", "EdDSA"].map(keyPair));
const own = { serviceAccountsEnabled: true, standardFlowEnabled: false, fullScopeAllowed: true };
const audience = {
  name: "audience",
  protocol: "openid-connect",
  protocolMapper: "oidc-audience-mapper",
  config: { "included.custom.audience": "by-secret", "access.token.claim": "true" },
};

// Who shows certificates at mtls_endpoint_aliases; nobody where they cannot be shown.
const certified = ["ISSUED", "OWN"]
  .filter((name) => process.env[`KEYCLOAK_${name}_CERTIFICATE`])
  .map((name) => {
    const [cert, key] = ["CERTIFICATE", "KEY"].map((part) => readFileSync(process.env[`KEYCLOAK_${name}_${part}`]));
    const { raw } = new X509Certificate(cert);
    const attributes = {
      ISSUED: { "x509.subjectdn": "CN=issued,O=Acme", "x509.allow.regex.pattern.comparison": "false" },
      OWN: { "keyturn.x509.self.signed": "true", "jwt.credential.certificate": raw.toString("base64") },
    }[name];
    const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS);
    const dispatcher = new undici.Agent({ connect: { cert, key, ca } });
    return {
      clientId: `by-${name}`,
      attributes: { ...attributes, "tls.client.certificate.bound.access.tokens": "true" },
      thumbprint: createHash("sha256").update(raw).digest("base64url"),
      fetch: (address, options) => undici.fetch(address, { ...options, dispatcher }),
    };
  });

async function held(token, { clientId, thumbprint }) {
  await verified(token, clientId);
  assert.deepEqual(jose.decodeJwt(token).cnf, { "x5t#S256": thumbprint });
}

const clients = [
  { ...own, clientId: "by-secret", secret, protocolMappers: [audience] },
  { ...own, clientId: "by-signed-secret", secret, clientAuthenticatorType: "client-secret-jwt" },
  { ...own, clientId: "by-proof", secret, attributes: { "dpop.bound.access.tokens": "true" } },
  ...certified.map(({ clientId, attributes }) => ({ ...own, clientId, attributes, clientAuthenticatorType: "client-x509" })),
  ...keys.map(({ algorithm, jwk }) => ({
    ...own,
    clientId: `by-${algorithm}`,
    clientAuthenticatorType: "client-jwt",
    attributes: {
      "use.jwks.string": "true",
      "jwks.string": JSON.stringify({ keys: [jwk] }),
      "token.endpoint.auth.signing.alg": algorithm,
    },
  })),
];

// Both libraries would say Ed25519 (RFC 9864), which Keycloak refuses.
const named = (algorithm, hook) => ({ [hook]: (header) => Object.assign(header, { alg: algorithm }) });

async function verified(token, clientId) {
  assert.equal((await jose.jwtVerify(token, jose.createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`)), {
    issuer: issuer.href,
  })).payload.azp, clientId);
  const known = jwksClient({ jwksUri: `${issuer}/protocol/openid-connect/certs` });
  const key = await known.getSigningKey(jsonwebtoken.decode(token, { complete: true }).header.kid);
  assert.equal(jsonwebtoken.verify(token, key.getPublicKey(), { issuer: issuer.href }).azp, clientId);
}

async function discovered(clientId, authentication) {
  const execute = plain ? [client.allowInsecureRequests] : [];
  return client.discovery(issuer, clientId, undefined, authentication, { execute });
}

async function openidClient() {
  for (const shown of certified) {
    const metadata = { use_mtls_endpoint_aliases: true };
    const config = await client.discovery(issuer, shown.clientId, metadata, client.TlsClientAuth());
    config[client.customFetch] = shown.fetch;
    await held((await client.clientCredentialsGrant(config)).access_token, shown);
  }
  const methods = [
    ["by-secret", client.ClientSecretBasic(secret)],
    ["by-secret", client.ClientSecretPost(secret)],
    ["by-signed-secret", client.ClientSecretJwt(secret)],
    ...keys.map(({ algorithm, privateKey }) => [
      `by-${algorithm}`,
      client.PrivateKeyJwt({ key: privateKey, kid: algorithm }, named(algorithm, client.modifyAssertion)),
    ]),
  ];
  for (const [clientId, authentication] of methods) {
    const config = await discovered(clientId, authentication);
    const tokens = await client.clientCredentialsGrant(config, { scope: "profile" });
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.expires_in, 300);
    await verified(tokens.access_token, clientId);
  }
  const config = await discovered("by-secret", client.ClientSecretBasic(secret));
  const { access_token: token } = await client.clientCredentialsGrant(config);
  const told = await client.tokenIntrospection(config, token);
  assert.deepEqual([told.active, told.client_id, told.token_type], [true, "by-secret", "Bearer"]);
  await client.tokenRevocation(config, token);
  assert.equal((await client.tokenIntrospection(config, token)).active, false);
  await assert.rejects(client.clientCredentialsGrant(config, { scope: "none" }), { error: "invalid_scope", status: 400 });
  const stranger = await discovered("by-secret", client.ClientSecretBasic("wrong"));
  await assert.rejects(client.clientCredentialsGrant(stranger), { error: "unauthorized_client", status: 401 });
  const proving = await discovered("by-proof", client.ClientSecretBasic(secret));
  const DPoP = client.getDPoPHandle(proving, await client.randomDPoPKeyPair("ES256"));
  const bound = await client.clientCredentialsGrant(proving, { scope: "openid" }, { DPoP });
  assert.equal(bound.token_type, "dpop");
  const about = await client.fetchUserInfo(proving, bound.access_token, client.skipSubjectCheck, { DPoP });
  assert.equal(about.preferred_username, "service-account-by-proof");
}

async function oauth4webapi() {
  const options = { [oauth.allowInsecureRequests]: plain };
  const answer = await oauth.discoveryRequest(issuer, options);
  const server = await oauth.processDiscoveryResponse(issuer, answer);
  const methods = [
    ["by-secret", oauth.ClientSecretBasic(secret)],
    ["by-secret", oauth.ClientSecretPost(secret)],
    ["by-signed-secret", oauth.ClientSecretJwt(secret)],
    ...keys.map(({ algorithm, privateKey }) => [
      `by-${algorithm}`,
      oauth.PrivateKeyJwt({ key: privateKey, kid: algorithm }, named(algorithm, oauth.modifyAssertion)),
    ]),
  ];
  for (const [clientId, authentication] of methods) {
    const known = { client_id: clientId };
    const given = await oauth.clientCredentialsGrantRequest(server, known, authentication, {}, options);
    const tokens = await oauth.processClientCredentialsResponse(server, known, given);
    await verified(tokens.access_token, clientId);
  }
  for (const shown of certified) {
    const showing = { client_id: shown.clientId, use_mtls_endpoint_aliases: true };
    const own = { ...options, [oauth.customFetch]: shown.fetch };
    const got = await oauth.clientCredentialsGrantRequest(server, showing, oauth.TlsClientAuth(), {}, own);
    await held((await oauth.processClientCredentialsResponse(server, showing, got)).access_token, shown);
  }
  const known = { client_id: "by-secret" };
  const basic = oauth.ClientSecretBasic(secret);
  const given = await oauth.clientCredentialsGrantRequest(server, known, basic, {}, options);
  const { access_token: token } = await oauth.processClientCredentialsResponse(server, known, given);
  const request = new Request("http://resource.example/", { headers: { authorization: `Bearer ${token}` } });
  // Keycloak's access tokens are no at+jwt (RFC 9068), which this function wants: it has to say so.
  await assert.rejects(oauth.validateJwtAccessToken(server, request, "by-secret", options), /typ/);
  const asked = await oauth.introspectionRequest(server, known, basic, token, options);
  assert.equal((await oauth.processIntrospectionResponse(server, known, asked)).active, true);
  const signed = { ...known, introspection_signed_response_alg: "RS256" };
  const wanting = { ...options, requestJwtResponse: true };
  const nothing = await oauth.introspectionRequest(server, signed, basic, token, wanting);
  assert.equal(nothing.status, 200);
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, known, basic, token, options));
  const DPoP = oauth.DPoP({ client_id: "by-proof" }, await oauth.generateKeyPair("ES256"));
  const proving = { client_id: "by-proof" };
  const bound = await oauth.clientCredentialsGrantRequest(server, proving, basic, {}, { ...options, DPoP });
  assert.equal((await oauth.processClientCredentialsResponse(server, proving, bound)).token_type, "dpop");
  const unproven = await oauth.clientCredentialsGrantRequest(server, proving, basic, {}, options);
  await assert.rejects(oauth.processClientCredentialsResponse(server, proving, unproven), { error: "invalid_request" });
}

await administer("POST", "", { realm, enabled: true, clients });
try {
  await openidClient();
  await oauth4webapi();
} finally {
  await administer("DELETE", `/${realm}`);
}
