// Gets tokens with Spring Security's OAuth 2.0 client by each way in which it can prove who it is, and takes them as its
// resource server does: as JWTs by the issuer's keys, and as opaque tokens by introspection.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, KEYCLOAK_CA. An answer that
// is not Keycloak's ends it with a status of 1.

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.SignedJWT;
import java.io.FileInputStream;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.keycloak.admin.client.Keycloak;
import org.keycloak.admin.client.KeycloakBuilder;
import org.keycloak.representations.idm.ClientRepresentation;
import org.keycloak.representations.idm.ProtocolMapperRepresentation;
import org.keycloak.representations.idm.RealmRepresentation;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.security.authentication.AnonymousAuthenticationToken;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.ClientAuthorizationException;
import org.springframework.security.oauth2.client.ClientCredentialsOAuth2AuthorizedClientProvider;
import org.springframework.security.oauth2.client.InMemoryOAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.http.OAuth2ErrorResponseErrorHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.client.registration.InMemoryClientRegistrationRepository;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.OAuth2AccessToken;
import org.springframework.security.oauth2.core.http.converter.OAuth2AccessTokenResponseHttpMessageConverter;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtDecoders;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.security.oauth2.server.resource.introspection.BadOpaqueTokenException;
import org.springframework.security.oauth2.server.resource.introspection.SpringOpaqueTokenIntrospector;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.web.client.RestClient;

public class Tokens {
    private static final String URL = System.getenv("KEYCLOAK_URL");
    private static final String REALM = "spring-" + UUID.randomUUID().toString().substring(0, 8);
    private static final String ISSUER = URL + "/realms/" + REALM;
    private static final String SECRET = "a secret: with % and + and / in it, of more than thirty-two characters";

    private static final boolean CERTIFICATES = System.getenv("KEYCLOAK_OWN_CERTIFICATE") != null;
    private static final String BOUND = "tls.client.certificate.bound.access.tokens";

    private final Map<String, JWK> keys = new LinkedHashMap<>();

    private Tokens() throws Exception {
        keys.put("by-RS256", new RSAKeyGenerator(2048)
                .algorithm(JWSAlgorithm.RS256).keyUse(KeyUse.SIGNATURE).keyID("rsa").generate());
        keys.put("by-ES256", new ECKeyGenerator(Curve.P_256)
                .algorithm(JWSAlgorithm.ES256).keyUse(KeyUse.SIGNATURE).keyID("ec").generate());
        keys.put("by-signed-secret", new OctetSequenceKey.Builder(SECRET.getBytes(StandardCharsets.UTF_8))
                .algorithm(JWSAlgorithm.HS256).build());
    }

    static void check(boolean holds, String text) {
        if (!holds) throw new AssertionError(text);
    }

    static void same(Object expected, Object found) {
        check(expected.equals(found), "expected " + expected + ", found " + found);
    }

    static void refused(Class<? extends Exception> how, Runnable call) {
        try {
            call.run();
        } catch (Exception refusal) {
            check(how.isInstance(refusal), "refused otherwise: " + refusal);
            return;
        }
        throw new AssertionError("not refused");
    }

    private ClientRepresentation client(String clientId, String authenticator, Map<String, String> attributes) {
        ClientRepresentation client = new ClientRepresentation();
        client.setClientId(clientId);
        client.setSecret(SECRET);
        client.setServiceAccountsEnabled(true);
        client.setClientAuthenticatorType(authenticator);
        client.setAttributes(attributes);
        return client;
    }

    private RealmRepresentation realm() throws Exception {
        ProtocolMapperRepresentation audience = new ProtocolMapperRepresentation();
        audience.setName("audience");
        audience.setProtocol("openid-connect");
        audience.setProtocolMapper("oidc-audience-mapper");
        audience.setConfig(Map.of("included.custom.audience", "by-secret", "access.token.claim", "true"));
        ClientRepresentation secret = client("by-secret", "client-secret", Map.of());
        secret.setProtocolMappers(List.of(audience));
        RealmRepresentation realm = new RealmRepresentation();
        realm.setRealm(REALM);
        realm.setEnabled(true);
        realm.setClients(List.of(
                secret,
                client("by-signed-secret", "client-secret-jwt", Map.of()),
                client("by-RS256", "client-jwt", published("by-RS256")),
                client("by-ES256", "client-jwt", published("by-ES256"))));
        if (CERTIFICATES) {
            realm.setClients(Stream.concat(realm.getClients().stream(), Stream.of(
                    client("by-ISSUED", "client-x509", Map.of(
                            "x509.subjectdn", "CN=issued,O=Acme", "x509.allow.regex.pattern.comparison", "false", BOUND, "true")),
                    client("by-OWN", "client-x509", Map.of(
                            "keyturn.x509.self.signed", "true", BOUND, "true", "jwt.credential.certificate",
                            Base64.getEncoder().encodeToString(certificate("OWN").getEncoded()))))).toList());
        }
        return realm;
    }

    private Map<String, String> published(String clientId) {
        String set = new JWKSet(keys.get(clientId).toPublicJWK()).toString();
        return Map.of("use.jwks.string", "true", "jwks.string", set);
    }

    private OAuth2AccessToken token(String clientId, ClientAuthenticationMethod method, String secret) {
        ClientRegistration registration = ClientRegistrations.fromIssuerLocation(ISSUER)
                .registrationId(clientId)
                .clientId(clientId)
                .clientSecret(secret)
                .clientAuthenticationMethod(method)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .scope("profile")
                .build();
        var answers = new RestClientClientCredentialsTokenResponseClient();
        answers.addParametersConverter(new NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest>(
                asking -> keys.get(asking.getClientId())));
        var provider = new ClientCredentialsOAuth2AuthorizedClientProvider();
        provider.setAccessTokenResponseClient(answers);
        var registrations = new InMemoryClientRegistrationRepository(registration);
        var manager = new AuthorizedClientServiceOAuth2AuthorizedClientManager(
                registrations, new InMemoryOAuth2AuthorizedClientService(registrations));
        manager.setAuthorizedClientProvider(provider);
        var service = new AnonymousAuthenticationToken("key", "service", AuthorityUtils.createAuthorityList("SERVICE"));
        return manager.authorize(OAuth2AuthorizeRequest.withClientRegistrationId(clientId).principal(service).build())
                .getAccessToken();
    }

    private void getsTokens(JwtDecoder decoder) {
        Map<String, ClientAuthenticationMethod> methods = Map.of(
                "by-signed-secret", ClientAuthenticationMethod.CLIENT_SECRET_JWT,
                "by-RS256", ClientAuthenticationMethod.PRIVATE_KEY_JWT,
                "by-ES256", ClientAuthenticationMethod.PRIVATE_KEY_JWT);
        methods.forEach((clientId, method) -> verify(decoder, clientId, token(clientId, method, SECRET)));
        for (var method : List.of(
                ClientAuthenticationMethod.CLIENT_SECRET_BASIC, ClientAuthenticationMethod.CLIENT_SECRET_POST)) {
            verify(decoder, "by-secret", token("by-secret", method, SECRET));
            refused(ClientAuthorizationException.class, () -> token("by-secret", method, "wrong"));
        }
    }

    private void verify(JwtDecoder decoder, String clientId, OAuth2AccessToken token) {
        same("Bearer", token.getTokenType().getValue());
        check(token.getScopes().contains("profile"), "of the scopes " + token.getScopes());
        check(token.getExpiresAt().isAfter(Instant.now().plus(Duration.ofMinutes(4))), "expires soon");
        Jwt jwt = decoder.decode(token.getTokenValue());
        same(clientId, jwt.getClaimAsString("azp"));
        same(ISSUER, jwt.getIssuer().toString());
        String value = token.getTokenValue();
        refused(JwtException.class, () -> decoder.decode(value.substring(0, value.length() - 8) + "AAAAAAAA"));
    }

    private static X509Certificate certificate(String name) throws Exception {
        try (FileInputStream file = new FileInputStream(System.getenv("KEYCLOAK_" + name + "_CERTIFICATE"))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }

    /** What connects with the certificate and its key. */
    private static SSLContext showing(String name) throws Exception {
        String pem = Files.readString(Path.of(System.getenv("KEYCLOAK_" + name + "_KEY")));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        var key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        store.setKeyEntry("own", key, new char[0], new Certificate[] {certificate(name)});
        var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trustManagers(), null);
        return context;
    }

    private void showsCertificates(JwtDecoder decoder) throws Exception {
        var methods = Map.of(
                "ISSUED", ClientAuthenticationMethod.TLS_CLIENT_AUTH,
                "OWN", ClientAuthenticationMethod.SELF_SIGNED_TLS_CLIENT_AUTH);
        for (String name : methods.keySet()) {
            ClientRegistration known = ClientRegistrations.fromIssuerLocation(ISSUER)
                    .clientId("by-" + name)
                    .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                    .clientAuthenticationMethod(methods.get(name))
                    .build();
            var aliases = (Map<?, ?>) known.getProviderDetails().getConfigurationMetadata().get("mtls_endpoint_aliases");
            ClientRegistration registration = ClientRegistration.withClientRegistration(known)
                    .tokenUri((String) aliases.get("token_endpoint"))
                    .build();
            var http = HttpClient.newBuilder().sslContext(showing(name)).build();
            var answers = new RestClientClientCredentialsTokenResponseClient();
            answers.setRestClient(RestClient.builder()
                    .requestFactory(new JdkClientHttpRequestFactory(http))
                    .configureMessageConverters(converters -> converters
                            .registerDefaults()
                            .addCustomConverter(new OAuth2AccessTokenResponseHttpMessageConverter()))
                    .defaultStatusHandler(new OAuth2ErrorResponseErrorHandler())
                    .build());
            // The method is none of the usual ones, and has no parameters but the client's name.
            answers.addParametersConverter(asking -> new LinkedMultiValueMap<>());
            String token = answers.getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration))
                    .getAccessToken().getTokenValue();
            var confirmation = SignedJWT.parse(token).getJWTClaimsSet().getJSONObjectClaim("cnf");
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(certificate(name).getEncoded());
            same(Base64.getUrlEncoder().withoutPadding().encodeToString(digest), confirmation.get("x5t#S256"));
            refused(JwtException.class, () -> decoder.decode(token)); // it has not come with the certificate
        }
    }

    private void introspects() {
        String token = token("by-secret", ClientAuthenticationMethod.CLIENT_SECRET_BASIC, SECRET).getTokenValue();
        var introspector = SpringOpaqueTokenIntrospector
                .withIntrospectionUri(ISSUER + "/protocol/openid-connect/token/introspect")
                .clientId("by-secret")
                .clientSecret(SECRET)
                .build();
        var principal = introspector.introspect(token);
        same("by-secret", principal.getAttribute("client_id"));
        check(principal.getAuthorities().toString().contains("SCOPE_profile"), "may " + principal.getAuthorities());
        refused(BadOpaqueTokenException.class, () -> introspector.introspect("none"));
    }

    static SSLContext trusted() throws Exception {
        if (System.getenv("KEYCLOAK_CA") == null) return SSLContext.getDefault();
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trustManagers(), null);
        return context;
    }

    private static TrustManager[] trustManagers() throws Exception {
        String path = System.getenv("KEYCLOAK_CA");
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream file = new FileInputStream(path)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        return managers.getTrustManagers();
    }

    public static void main(String[] arguments) throws Exception {
        SSLContext.setDefault(trusted());
        Tokens tokens = new Tokens();
        try (Keycloak admin = KeycloakBuilder.builder()
                .serverUrl(URL)
                .realm("master")
                .clientId("admin-cli")
                .username(System.getenv("KEYCLOAK_USERNAME"))
                .password(System.getenv("KEYCLOAK_PASSWORD"))
                .resteasyClient(Keycloak.getClientProvider().newRestEasyClient(null, SSLContext.getDefault(), false))
                .build()) {
            admin.realms().create(tokens.realm());
            try {
                tokens.getsTokens(JwtDecoders.fromIssuerLocation(ISSUER));
                if (CERTIFICATES) tokens.showsCertificates(JwtDecoders.fromIssuerLocation(ISSUER));
                tokens.introspects();
            } finally {
                admin.realm(REALM).remove();
            }
        }
    }
}
