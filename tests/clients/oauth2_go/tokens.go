// Gets tokens with golang.org/x/oauth2: with a secret, in both ways in which it can send one, with an assertion that its
// package jws signs, and with certificates.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, KEYCLOAK_CA and certificates. An answer that
// is not Keycloak's ends it with a status of 1.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/jws"
)

const secret = "a secret: with % and + and / in it"

var (
	base   = os.Getenv("KEYCLOAK_URL")
	realm  = fmt.Sprintf("oauth2-go-%d", time.Now().UnixNano())
	client = &http.Client{Timeout: 30 * time.Second}
	ctx    = context.WithValue(context.Background(), oauth2.HTTPClient, client)
)

// failed is what a check that does not hold panics with, so that the realm is removed all the same.
type failed string

func check(holds bool, format string, values ...any) {
	if !holds {
		panic(failed(fmt.Sprintf(format, values...)))
	}
}

func tokenURL(realm string) string {
	return base + "/realms/" + realm + "/protocol/openid-connect/token"
}

// administrator logs in with the library, too.
func administrator() *http.Client {
	config := oauth2.Config{ClientID: "admin-cli", Endpoint: oauth2.Endpoint{TokenURL: tokenURL("master")}}
	token, err := config.PasswordCredentialsToken(ctx, os.Getenv("KEYCLOAK_USERNAME"), os.Getenv("KEYCLOAK_PASSWORD"))
	check(err == nil, "no login: %v", err)
	return config.Client(ctx, token)
}

func administer(method, path string, document any) {
	body, _ := json.Marshal(document)
	request, err := http.NewRequest(method, base+"/admin/realms"+path, bytes.NewReader(body))
	check(err == nil, "%v", err)
	request.Header.Set("Content-Type", "application/json")
	answer, err := administrator().Do(request)
	check(err == nil && answer.StatusCode < 300, "%s %s: %v %v", method, path, answer, err)
}

func credentials(style oauth2.AuthStyle, secret string) clientcredentials.Config {
	return clientcredentials.Config{
		ClientID:       "orders",
		ClientSecret:   secret,
		TokenURL:       tokenURL(realm),
		AuthStyle:      style,
		Scopes:         []string{"profile"},
		EndpointParams: url.Values{},
	}
}

// signing is a client that proves itself by a key of its own (private_key_jwt).
func signing(key *rsa.PrivateKey) map[string]any {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	check(err == nil, "%v", err)
	return map[string]any{
		"clientId": "signing", "serviceAccountsEnabled": true, "clientAuthenticatorType": "client-jwt",
		"attributes": map[string]string{"jwt.credential.public.key": base64.StdEncoding.EncodeToString(public)},
	}
}

func signs(key *rsa.PrivateKey) {
	now := time.Now().Unix()
	claims := jws.ClaimSet{
		Iss: "signing", Sub: "signing", Aud: base + "/realms/" + realm, Iat: now, Exp: now + 50,
		PrivateClaims: map[string]any{"jti": fmt.Sprint(time.Now().UnixNano())},
	}
	assertion, err := jws.Encode(&jws.Header{Algorithm: "RS256", Typ: "JWT"}, &claims, key)
	check(err == nil, "%v", err)
	config := clientcredentials.Config{
		ClientID: "signing", TokenURL: tokenURL(realm), AuthStyle: oauth2.AuthStyleInParams,
		EndpointParams: url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion},
		},
	}
	token, err := config.Token(ctx)
	check(err == nil && token.Valid(), "no token for an assertion: %v", err)
	_, err = config.Token(ctx)
	check(err != nil, "the same assertion counts twice")
}

// showing are the clients that prove themselves by certificates; none where these cannot be shown.
func showing() []map[string]any {
	path := os.Getenv("KEYCLOAK_OWN_CERTIFICATE")
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	check(err == nil, "%v", err)
	block, _ := pem.Decode(content)
	bound := "tls.client.certificate.bound.access.tokens"
	client := func(name string, attributes map[string]string) map[string]any {
		return map[string]any{
			"clientId": name, "serviceAccountsEnabled": true, "clientAuthenticatorType": "client-x509", "attributes": attributes,
		}
	}
	return []map[string]any{
		client("ISSUED", map[string]string{
			"x509.subjectdn": "CN=issued,O=Acme", "x509.allow.regex.pattern.comparison": "false", bound: "true",
		}),
		client("OWN", map[string]string{
			"keyturn.x509.self.signed": "true", bound: "true",
			"jwt.credential.certificate": base64.StdEncoding.EncodeToString(block.Bytes),
		}),
	}
}

func shows(name string) {
	answer, err := client.Get(base + "/realms/" + realm + "/.well-known/openid-configuration")
	check(err == nil, "%v", err)
	var metadata struct {
		Aliases map[string]string `json:"mtls_endpoint_aliases"`
	}
	check(json.NewDecoder(answer.Body).Decode(&metadata) == nil, "no metadata")
	pair, err := tls.LoadX509KeyPair(os.Getenv("KEYCLOAK_"+name+"_CERTIFICATE"), os.Getenv("KEYCLOAK_"+name+"_KEY"))
	check(err == nil, "%v", err)
	transport := client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
	own := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: transport})
	config := clientcredentials.Config{
		ClientID: name, TokenURL: metadata.Aliases["token_endpoint"], AuthStyle: oauth2.AuthStyleInParams,
	}
	token, err := config.Token(own)
	check(err == nil && token.Valid(), "no token for the certificate %s: %v", name, err)
	var claims struct {
		Confirmation map[string]string `json:"cnf"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token.AccessToken, ".")[1])
	check(err == nil && json.Unmarshal(payload, &claims) == nil, "no claims: %v", err)
	digest := sha256.Sum256(pair.Certificate[0])
	thumbprint := base64.RawURLEncoding.EncodeToString(digest[:])
	check(claims.Confirmation["x5t#S256"] == thumbprint, "bound to %v", claims.Confirmation)
}

func run() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err == nil, "%v", err)
	clients := []map[string]any{{"clientId": "orders", "secret": secret, "serviceAccountsEnabled": true}, signing(key)}
	certified := showing()
	administer(http.MethodPost, "", map[string]any{
		"realm": realm, "enabled": true, "clients": append(clients, certified...),
	})
	defer administer(http.MethodDelete, "/"+realm, nil)
	signs(key)
	for _, client := range certified {
		shows(client["clientId"].(string))
	}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams, oauth2.AuthStyleAutoDetect} {
		config := credentials(style, secret)
		token, err := config.Token(ctx)
		check(err == nil, "no token: %v", err)
		check(token.Type() == "Bearer" && token.Valid(), "of type %s", token.Type())
		check(time.Until(token.Expiry) > 4*time.Minute, "expires %s", token.Expiry)
		check(token.Extra("scope") == "email profile" || token.Extra("scope") == "profile email", "%v", token.Extra("scope"))
	}
	wrong := credentials(oauth2.AuthStyleInHeader, "wrong")
	_, err = wrong.Token(ctx)
	var refusal *oauth2.RetrieveError
	check(errors.As(err, &refusal), "not refused: %v", err)
	check(refusal.ErrorCode == "unauthorized_client" && refusal.Response.StatusCode == 401, "refused with %v", refusal)
	source := credentials(oauth2.AuthStyleInHeader, secret)
	answer, err := source.Client(ctx).Get(base + "/admin/realms/" + realm)
	check(err == nil && answer.StatusCode == http.StatusForbidden, "reads the realm: %v %v", answer, err)
}

func main() {
	if path := os.Getenv("KEYCLOAK_CA"); path != "" {
		certificate, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(certificate)
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	}
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Println(problem)
			os.Exit(1)
		}
	}()
	run()
}
