// Administers a realm with gocloak, and gets, checks and ends tokens with it.
//
// It is given KEYCLOAK_URL, KEYCLOAK_USERNAME, KEYCLOAK_PASSWORD and, where the URL is https, KEYCLOAK_CA. An answer that
// is not Keycloak's ends it with a status of 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/Nerzal/gocloak/v13"
)

var (
	ctx    = context.Background()
	client = gocloak.NewClient(os.Getenv("KEYCLOAK_URL"))
	realm  = fmt.Sprintf("gocloak-%d", time.Now().UnixNano())
	token  string
)

// failed is what a check that does not hold panics with, so that the realm is removed all the same.
type failed string

func check(holds bool, format string, values ...any) {
	if !holds {
		panic(failed(fmt.Sprintf(format, values...)))
	}
}

func must(err error) { check(err == nil, "refused: %v", err) }

func got[T any](value T, err error) T {
	must(err)
	return value
}

// refused expects an answer with this status.
func refused(status int, err error) {
	var answer *gocloak.APIError
	check(errors.As(err, &answer), "not refused with %d: %v", status, err)
	check(answer.Code == status, "refused with %d instead of %d: %s", answer.Code, status, answer.Message)
}

func text(value string) *string { return &value }
func yes() *bool                { return gocloak.BoolP(true) }

func roles() {
	got(client.CreateRealmRole(ctx, token, realm, gocloak.Role{Name: text("reader")}))
	got(client.CreateRealmRole(ctx, token, realm, gocloak.Role{Name: text("writer")}))
	_, err := client.CreateRealmRole(ctx, token, realm, gocloak.Role{Name: text("reader")})
	refused(409, err)
	reader := got(client.GetRealmRole(ctx, token, realm, "reader"))
	must(client.AddRealmRoleComposite(ctx, token, realm, "writer", []gocloak.Role{*reader}))
	composites := got(client.GetCompositeRealmRoles(ctx, token, realm, "writer"))
	check(len(composites) == 1 && *composites[0].Name == "reader", "composites: %v", composites)
	must(client.UpdateRealmRole(ctx, token, realm, "reader", gocloak.Role{Name: text("reader"), Description: text("reads")}))
	check(*got(client.GetRealmRoleByID(ctx, token, realm, *reader.ID)).Description == "reads", "the description is not kept")
	_, err = client.GetRealmRole(ctx, token, realm, "nobody")
	refused(404, err)
}

func clients() string {
	id := got(client.CreateClient(ctx, token, realm, gocloak.Client{
		ClientID: text("orders"), Secret: text("orders' secret"),
		ServiceAccountsEnabled: yes(), DirectAccessGrantsEnabled: yes(),
	}))
	_, err := client.CreateClient(ctx, token, realm, gocloak.Client{ClientID: text("orders")})
	refused(409, err)
	found := got(client.GetClients(ctx, token, realm, gocloak.GetClientsParams{ClientID: text("orders")}))
	check(len(found) == 1 && *found[0].ID == id, "found: %v", found)
	check(*got(client.GetClientSecret(ctx, token, realm, id)).Value == "orders' secret", "another secret")

	got(client.CreateClientRole(ctx, token, realm, id, gocloak.Role{Name: text("approve")}))
	approve := got(client.GetClientRole(ctx, token, realm, id, "approve"))
	account := got(client.GetClientServiceAccount(ctx, token, realm, id))
	must(client.AddClientRolesToUser(ctx, token, realm, id, *account.ID, []gocloak.Role{*approve}))
	writer := got(client.GetRealmRole(ctx, token, realm, "writer"))
	must(client.AddRealmRoleToUser(ctx, token, realm, *account.ID, []gocloak.Role{*writer}))
	held := got(client.GetCompositeRealmRolesByUserID(ctx, token, realm, *account.ID))
	check(slices.ContainsFunc(held, func(role *gocloak.Role) bool { return *role.Name == "reader" }), "roles held: %v", held)

	got(client.CreateClientProtocolMapper(ctx, token, realm, id, gocloak.ProtocolMapperRepresentation{
		Name: text("tenant"), Protocol: text("openid-connect"), ProtocolMapper: text("oidc-hardcoded-claim-mapper"),
		Config: &map[string]string{"claim.name": "tenant", "claim.value": "acme", "access.token.claim": "true"},
	}))
	scope := got(client.CreateClientScope(ctx, token, realm, gocloak.ClientScope{
		Name: text("invoices"), Protocol: text("openid-connect"),
	}))
	must(client.AddOptionalScopeToClient(ctx, token, realm, id, scope))
	optional := got(client.GetClientsOptionalScopes(ctx, token, realm, id))
	check(slices.ContainsFunc(optional, func(each *gocloak.ClientScope) bool { return *each.ID == scope }), "not optional")
	return id
}

func usersAndGroups() string {
	user := got(client.CreateUser(ctx, token, realm, gocloak.User{
		Username: text("alice"), Email: text("alice@example.org"), FirstName: text("Alice"), LastName: text("Archer"),
		Enabled: yes(),
	}))
	_, err := client.CreateUser(ctx, token, realm, gocloak.User{Username: text("alice")})
	refused(409, err)
	must(client.SetPassword(ctx, token, user, realm, "alice's password", false))
	check(got(client.GetUserCount(ctx, token, realm, gocloak.GetUsersParams{Search: text("alice")})) == 1, "not counted")
	group := got(client.CreateGroup(ctx, token, realm, gocloak.Group{Name: text("staff")}))
	child := got(client.CreateChildGroup(ctx, token, realm, group, gocloak.Group{Name: text("clerks")}))
	must(client.AddUserToGroup(ctx, token, realm, user, child))
	members := got(client.GetGroupMembers(ctx, token, realm, child, gocloak.GetGroupsParams{}))
	check(len(members) == 1 && *members[0].ID == user, "members: %v", members)
	check(*got(client.GetGroupByPath(ctx, token, realm, "staff/clerks")).ID == child, "another group")
	check(got(client.GetGroupsCount(ctx, token, realm, gocloak.GetGroupsParams{})) == 2, "other groups")
	credentials := got(client.GetCredentials(ctx, token, realm, user))
	check(len(credentials) == 1 && *credentials[0].Type == "password", "credentials: %v", credentials)
	status := got(client.GetUserBruteForceDetectionStatus(ctx, token, realm, user))
	check(status.NumFailures != nil && *status.NumFailures == 0, "failures: %v", status)
	return user
}

func tokens(id, user string) {
	granted := got(client.LoginClient(ctx, "orders", "orders' secret", realm, "invoices"))
	check(granted.RefreshToken == "", "a refresh token")
	_, claims, err := client.DecodeAccessToken(ctx, granted.AccessToken, realm)
	must(err)
	check((*claims)["azp"] == "orders" && (*claims)["tenant"] == "acme", "claims: %v", *claims)
	_, err = client.LoginClient(ctx, "orders", "wrong", realm)
	refused(401, err)

	session := got(client.Login(ctx, "orders", "orders' secret", realm, "alice", "alice's password"))
	check(len(got(client.GetUserSessions(ctx, token, realm, user))) == 1, "no session")
	again := got(client.RefreshToken(ctx, session.RefreshToken, "orders", "orders' secret", realm))
	seen := got(client.RetrospectToken(ctx, again.RefreshToken, "orders", "orders' secret", realm))
	check(seen.Active != nil, "introspection: %v", seen)
	must(client.Logout(ctx, "orders", "orders' secret", realm, again.RefreshToken))
	_, err = client.RefreshToken(ctx, again.RefreshToken, "orders", "orders' secret", realm)
	refused(400, err)

	fresh := got(client.RegenerateClientSecret(ctx, token, realm, id))
	_, err = client.LoginClient(ctx, "orders", "orders' secret", realm)
	refused(401, err)
	got(client.LoginClient(ctx, "orders", *fresh.Value, realm))
}

func componentsAndEvents() {
	component := got(client.CreateComponent(ctx, token, realm, gocloak.Component{
		Name: text("elliptic"), ProviderID: text("ecdsa-generated"), ProviderType: text("org.keycloak.keys.KeyProvider"),
		ComponentConfig: &map[string][]string{"priority": {"200"}, "ecdsaEllipticCurveKey": {"P-256"}},
	}))
	active := got(client.GetKeyStoreConfig(ctx, token, realm)).ActiveKeys
	check(active != nil && active.RS256 != nil, "keys: %v", active)
	must(client.DeleteComponent(ctx, token, realm, component))
	_, err := client.GetComponent(ctx, token, realm, component)
	refused(404, err)
	check(len(got(client.GetAuthenticationFlows(ctx, token, realm))) > 0, "no flows")
	check(len(got(client.GetRequiredActions(ctx, token, realm))) > 0, "no required actions")
	got(client.CreateIdentityProvider(ctx, token, realm, gocloak.IdentityProviderRepresentation{
		Alias: text("elsewhere"), ProviderID: text("oidc"), Config: &map[string]string{"clientId": "a"},
	}))
	must(client.DeleteIdentityProvider(ctx, token, realm, "elsewhere"))
}

func administer() (why string) {
	token = got(client.LoginAdmin(ctx, os.Getenv("KEYCLOAK_USERNAME"), os.Getenv("KEYCLOAK_PASSWORD"), "master")).AccessToken
	check(*got(client.GetServerInfo(ctx, token)).SystemInfo.Version != "", "no version")
	got(client.CreateRealm(ctx, token, gocloak.RealmRepresentation{Realm: &realm, Enabled: yes()}))
	defer func() {
		if caught := recover(); caught != nil {
			why = fmt.Sprint(caught)
		}
		if err := client.DeleteRealm(ctx, token, realm); err != nil {
			why += fmt.Sprintf("\nthe realm stays: %v", err)
		}
	}()
	check(*got(client.GetRealm(ctx, token, realm)).Enabled, "not enabled")
	roles()
	id := clients()
	user := usersAndGroups()
	tokens(id, user)
	componentsAndEvents()
	must(client.DeleteClient(ctx, token, realm, id))
	refused(404, client.DeleteClient(ctx, token, realm, id))
	return ""
}

func main() {
	if authority := os.Getenv("KEYCLOAK_CA"); authority != "" {
		client.RestyClient().SetRootCertificate(authority)
	}
	if why := administer(); why != "" {
		fmt.Println(why)
		os.Exit(1)
	}
}
