// Administers a realm with org.keycloak:keycloak-admin-client.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, KEYCLOAK_CA. An answer that
// is not Keycloak's ends it with a status of 1.

import jakarta.ws.rs.ClientErrorException;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.core.Response;
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.keycloak.admin.client.CreatedResponseUtil;
import org.keycloak.admin.client.Keycloak;
import org.keycloak.admin.client.KeycloakBuilder;
import org.keycloak.admin.client.resource.RealmResource;
import org.keycloak.representations.idm.*;

public class Administer {
    private static final String URL = System.getenv("KEYCLOAK_URL");
    private static final String REALM = "admin-client-java-" + UUID.randomUUID().toString().substring(0, 8);

    private final Keycloak admin;
    private final RealmResource realm;

    private Administer(Keycloak admin) {
        this.admin = admin;
        this.realm = admin.realm(REALM);
    }

    static void check(boolean holds, String text) {
        if (!holds) throw new AssertionError(text);
    }

    static void same(Object expected, Object found) {
        check(expected.equals(found), "expected " + expected + ", found " + found);
    }

    static void refused(int status, Runnable call) {
        try {
            call.run();
        } catch (ClientErrorException refusal) {
            same(status, refusal.getResponse().getStatus());
            return;
        }
        throw new AssertionError("not refused with " + status);
    }

    static String created(Response response) {
        try (response) {
            return CreatedResponseUtil.getCreatedId(response);
        }
    }

    static void refused(int status, Response response) {
        try (response) {
            same(status, response.getStatus());
        }
    }

    static Set<String> names(List<RoleRepresentation> roles) {
        return roles.stream().map(RoleRepresentation::getName).collect(Collectors.toSet());
    }

    private void realms() {
        RealmRepresentation document = realm.toRepresentation();
        same(300, document.getAccessTokenLifespan());
        document.setAccessTokenLifespan(90);
        document.getAttributes().put("team", "payments");
        realm.update(document);
        same(90, realm.toRepresentation().getAccessTokenLifespan());
        same("payments", realm.toRepresentation().getAttributes().get("team"));
        check(admin.realms().findAll().stream().anyMatch(each -> each.getRealm().equals(REALM)), "not listed");
        refused(409, () -> admin.realms().create(document));
        refused(404, () -> admin.realm(REALM + "-none").toRepresentation());
        check(realm.keys().getKeyMetadata().getActive().containsKey("RS256"), "no key");
        realm.clearRealmCache();
    }

    private String clients() {
        ClientRepresentation orders = new ClientRepresentation();
        orders.setClientId("orders");
        orders.setServiceAccountsEnabled(true);
        String id = created(realm.clients().create(orders));
        refused(409, realm.clients().create(orders));
        var client = realm.clients().get(id);
        ClientRepresentation document = client.toRepresentation();
        document.setDescription("takes orders");
        client.update(document);
        same("takes orders", realm.clients().findByClientId("orders").get(0).getDescription());
        same(1, realm.clients().findAll("rder", null, true, 0, 10).size());
        String before = client.getSecret().getValue();
        check(!before.equals(client.generateNewSecret().getValue()), "the secret is the old one");
        same("service-account-orders", client.getServiceAccountUser().getUsername());
        check(client.regenerateRegistrationAccessToken().getRegistrationAccessToken() != null, "no token");
        same("0", String.valueOf(client.getApplicationSessionCount().get("count")));
        same(0, client.getUserSessions(0, 10).size());
        String certificate = client.getCertficateResource("jwt.credential").generate().getCertificate();
        same(certificate, client.getCertficateResource("jwt.credential").getKeyInfo().getCertificate());
        String account = realm.clients().findByClientId("account").get(0).getId();
        refused(400, () -> realm.clients().get(account).remove());
        refused(404, () -> realm.clients().get("none").toRepresentation());
        return id;
    }

    private RoleRepresentation roles(String clientId) {
        realm.roles().create(new RoleRepresentation("reader", "reads", false));
        realm.roles().create(new RoleRepresentation("writer", "writes", false));
        refused(409, () -> realm.roles().create(new RoleRepresentation("reader", "", false)));
        RoleRepresentation reader = realm.roles().get("reader").toRepresentation();
        reader.singleAttribute("area", "all");
        realm.roles().get("reader").update(reader);
        same(List.of("all"), realm.rolesById().getRole(reader.getId()).getAttributes().get("area"));
        RoleRepresentation writer = realm.roles().get("writer").toRepresentation();
        realm.rolesById().addComposites(writer.getId(), List.of(reader));
        same(Set.of("reader"), Set.copyOf(realm.roles().get("writer").getRoleComposites().stream()
                .map(RoleRepresentation::getName).toList()));
        var client = realm.clients().get(clientId);
        client.roles().create(new RoleRepresentation("cancel", "", false));
        RoleRepresentation cancel = client.roles().get("cancel").toRepresentation();
        var mappings = realm.users().get(client.getServiceAccountUser().getId()).roles();
        mappings.realmLevel().add(List.of(writer));
        mappings.clientLevel(clientId).add(List.of(cancel));
        check(names(mappings.realmLevel().listEffective()).containsAll(Set.of("reader", "writer")), "not effective");
        same(Set.of("cancel"), names(mappings.getAll().getClientMappings().get("orders").getMappings()));
        same("service-account-orders", realm.roles().get("writer").getUserMembers().get(0).getUsername());
        mappings.realmLevel().remove(List.of(writer));
        check(!names(mappings.realmLevel().listAll()).contains("writer"), "still has the role");
        return reader;
    }

    private void scopes(String clientId, RoleRepresentation reader) {
        ClientScopeRepresentation stock = new ClientScopeRepresentation();
        stock.setName("stock");
        stock.setProtocol("openid-connect");
        String id = created(realm.clientScopes().create(stock));
        refused(409, realm.clientScopes().create(stock));
        ProtocolMapperRepresentation mapper = new ProtocolMapperRepresentation();
        mapper.setName("team");
        mapper.setProtocol("openid-connect");
        mapper.setProtocolMapper("oidc-hardcoded-claim-mapper");
        mapper.setConfig(Map.of("claim.name", "team", "claim.value", "payments", "access.token.claim", "true"));
        var mappers = realm.clientScopes().get(id).getProtocolMappers();
        String mapperId = created(mappers.createMapper(mapper));
        same("payments", mappers.getMapperById(mapperId).getConfig().get("claim.value"));
        realm.clients().get(clientId).addOptionalClientScope(id);
        check(realm.clients().get(clientId).getOptionalClientScopes().stream()
                .anyMatch(each -> each.getName().equals("stock")), "not optional");
        realm.clientScopes().get(id).getScopeMappings().realmLevel().add(List.of(reader));
        same(Set.of("reader"), names(realm.clientScopes().get(id).getScopeMappings().realmLevel().listEffective()));
        realm.addDefaultOptionalClientScope(id);
        realm.removeDefaultOptionalClientScope(id);
        mappers.delete(mapperId);
        realm.clientScopes().get(id).remove();
        refused(404, () -> realm.clientScopes().get(id).toRepresentation());
    }

    private void people(RoleRepresentation reader) {
        GroupRepresentation staff = new GroupRepresentation();
        staff.setName("staff");
        String groupId = created(realm.groups().add(staff));
        GroupRepresentation night = new GroupRepresentation();
        night.setName("night");
        String nightId = created(realm.groups().group(groupId).subGroup(night));
        same("night", realm.groups().group(groupId).getSubGroups(0, 10, true).get(0).getName());
        same("/staff/night", realm.getGroupByPath("/staff/night").getPath());
        UserRepresentation ada = new UserRepresentation();
        ada.setUsername("ada");
        ada.setEmail("ada@example.org");
        ada.setEnabled(true);
        String userId = created(realm.users().create(ada));
        refused(409, realm.users().create(ada));
        var user = realm.users().get(userId);
        user.joinGroup(nightId);
        same("ada", realm.groups().group(nightId).members().get(0).getUsername());
        realm.groups().group(nightId).roles().realmLevel().add(List.of(reader));
        check(names(user.roles().realmLevel().listEffective()).contains("reader"), "no role by the group");
        CredentialRepresentation password = new CredentialRepresentation();
        password.setType("password");
        password.setValue("correct horse");
        password.setTemporary(false);
        user.resetPassword(password);
        same("password", user.credentials().get(0).getType());
        same(1, realm.users().count());
        same("ada", realm.users().searchByEmail("ada@example.org", true).get(0).getUsername());
        same(0, user.getUserSessions().size());
        same(0, realm.attackDetection().bruteForceUserStatus(userId).get("numFailures"));
        user.logout();
        user.leaveGroup(nightId);
        refused(204, realm.users().delete(userId));
        realm.groups().group(groupId).remove();
        refused(404, () -> realm.groups().group(nightId).toRepresentation());
    }

    private void keysAndEvents() {
        ComponentRepresentation key = new ComponentRepresentation();
        key.setName("es256");
        key.setProviderId("ecdsa-generated");
        key.setProviderType("org.keycloak.keys.KeyProvider");
        key.setParentId(realm.toRepresentation().getId());
        key.setConfig(new org.keycloak.common.util.MultivaluedHashMap<>());
        key.getConfig().putSingle("priority", "200");
        String id = created(realm.components().add(key));
        check(realm.keys().getKeyMetadata().getActive().containsKey("ES256"), "no key");
        realm.components().component(id).remove();
        RealmEventsConfigRepresentation events = realm.getRealmEventsConfig();
        events.setAdminEventsEnabled(true);
        realm.updateRealmEventsConfig(events);
        realm.roles().create(new RoleRepresentation("seen", "", false));
        same("REALM_ROLE", realm.getAdminEvents().get(0).getResourceType());
        realm.clearAdminEvents();
        same(0, realm.getAdminEvents().size());
    }

    private void governance() {
        ClientProfilesRepresentation profiles = realm.clientPoliciesProfilesResource().getProfiles(false);
        ClientProfileRepresentation empty = new ClientProfileRepresentation();
        empty.setName("empty");
        empty.setExecutors(List.of());
        profiles.setProfiles(List.of(empty));
        realm.clientPoliciesProfilesResource().updateProfiles(profiles);
        same("empty", realm.clientPoliciesProfilesResource().getProfiles(true).getProfiles().get(0).getName());
        same(0, realm.clientPoliciesPoliciesResource().getPolicies(false).getPolicies().size());
        var access = realm.clientInitialAccess().create(new ClientInitialAccessCreatePresentation(60, 1));
        check(access.getToken() != null, "no token");
        realm.clientInitialAccess().delete(access.getId());
        same(0, realm.clientInitialAccess().list().size());
    }

    private void transfer() {
        PartialImportRepresentation some = new PartialImportRepresentation();
        some.setIfResourceExists("SKIP");
        RolesRepresentation roles = new RolesRepresentation();
        roles.setRealm(List.of(new RoleRepresentation("seen", "", false), new RoleRepresentation("imported", "", false)));
        some.setRoles(roles);
        refused(200, realm.partialImport(some));
        check(names(realm.roles().list()).contains("imported"), "not imported");
        check(names(realm.partialExport(true, true).getRoles().getRealm()).contains("imported"), "not exported");
        check(admin.serverInfo().getInfo().getSystemInfo().getVersion().startsWith("26."), "another version");
    }

    private void all() {
        RealmRepresentation document = new RealmRepresentation();
        document.setRealm(REALM);
        document.setEnabled(true);
        admin.realms().create(document);
        try {
            realms();
            String clientId = clients();
            RoleRepresentation reader = roles(clientId);
            scopes(clientId, reader);
            people(reader);
            keysAndEvents();
            governance();
            transfer();
            realm.clients().get(clientId).remove();
        } finally {
            realm.remove();
        }
    }

    static SSLContext trusted() throws Exception {
        String path = System.getenv("KEYCLOAK_CA");
        if (path == null) return SSLContext.getDefault();
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream file = new FileInputStream(path)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    public static void main(String[] arguments) throws Exception {
        SSLContext.setDefault(trusted());
        try (Keycloak admin = KeycloakBuilder.builder()
                .serverUrl(URL)
                .realm("master")
                .clientId("admin-cli")
                .username(System.getenv("KEYCLOAK_USERNAME"))
                .password(System.getenv("KEYCLOAK_PASSWORD"))
                .resteasyClient(Keycloak.getClientProvider().newRestEasyClient(null, SSLContext.getDefault(), false))
                .build()) {
            new Administer(admin).all();
        }
    }
}
