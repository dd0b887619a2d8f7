// Gets tokens with golang.org/x/oauth2 as a client with a secret, in both ways in which it can send one.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, KEYCLOAK_CA. An answer that
// is not Keycloak's ends it with a status of 1.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
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

func run() {
	administer(http.MethodPost, "", map[string]any{
		"realm": realm, "enabled": true,
		"clients": []map[string]any{{"clientId": "orders", "secret": secret, "serviceAccountsEnabled": true}},
	})
	defer administer(http.MethodDelete, "/"+realm, nil)
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams, oauth2.AuthStyleAutoDetect} {
		config := credentials(style, secret)
		token, err := config.Token(ctx)
		check(err == nil, "no token: %v", err)
		check(token.Type() == "Bearer" && token.Valid(), "of type %s", token.Type())
		check(time.Until(token.Expiry) > 4*time.Minute, "expires %s", token.Expiry)
		check(token.Extra("scope") == "email profile" || token.Extra("scope") == "profile email", "%v", token.Extra("scope"))
	}
	wrong := credentials(oauth2.AuthStyleInHeader, "wrong")
	_, err := wrong.Token(ctx)
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
