"""The commands of the walk-through, as people type them against Keycloak, byte for byte."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """Commands for bash, and what they mean."""

    title: str
    meaning: str
    commands: str


LOG_IN: Final = Step(
    "Log in as the administrator",
    "kcadm gets a token for the user in the realm master, and keeps it in ~/.keycloak/kcadm.config.",
    r"""/opt/keycloak/bin/kcadm.sh config credentials \
  --server https://keycloak:8443 \
  --realm master \
  --user $KEYCLOAK_ADMIN_USER \
  --password $KEYCLOAK_ADMIN_PASSWORD
""",
)

CREATE_REALM: Final = Step(
    "Make a realm",
    "A realm is a space of its own: clients, roles and signing keys that no other realm sees.",
    r"""/opt/keycloak/bin/kcadm.sh create realms \
    -s realm=my-app-realm \
    -s enabled=true
""",
)

CREATE_CLIENT: Final = Step(
    "Make a client for the backend service",
    "Its only way in is its own secret: a service account, and no logins by people.",
    r"""/opt/keycloak/bin/kcadm.sh create clients \
    -r my-app-realm \
    -s clientId=backend-service \
    -s enabled=true \
    -s clientAuthenticatorType=client-secret \
    -s serviceAccountsEnabled=true \
    -s standardFlowEnabled=false \
    -s directAccessGrantsEnabled=false \
    -s publicClient=false
""",
)

GET_SECRET: Final = Step(
    "Read the client's secret",
    "It was made with the client, from 512 random bits, and is encrypted in the database.",
    r"""/opt/keycloak/bin/kcadm.sh get clients \
    -r my-app-realm \
    -q clientId=backend-service \
    --fields secret \
    --format json \
    | grep "secret" \
    | cut -d':' -f2 \
    | tr -d '", '
""",
)

ASSIGN_ROLE: Final = Step(
    "Make a role and give it to the client",
    "What a service demands of its callers is a role; a client holds it through its service account, a user that "
    "stands for the client.",
    r"""# Create the realm role
/opt/keycloak/bin/kcadm.sh create roles \
    -r my-app-realm \
    -s name=backend-access

# Get the service account user ID for 'backend-service'
SERVICE_ACCOUNT_USER_ID=$(/opt/keycloak/bin/kcadm.sh get users \
    -r my-app-realm \
    -q username=service-account-backend-service \
    --fields id \
    --format json \
    | grep -oP '"id"\s*:\s*"\K[^"]+' \
    | head -1)

# Get tge realm role ID for 'backend-access'
REALM_ROLE_ID=$(/opt/keycloak/bin/kcadm.sh get roles \
    -r my-app-realm \
    -q name=backend-access \
    --fields id \
    --format json \
    | grep -oP '"id"\s*:\s*"\K[^"]+' \
    | head -1)

# Assign the role to the service account
/opt/keycloak/bin/kcadm.sh add-roles \
    -r my-app-realm \
    --uusername "service-account-backend-service" \
    --rolename "backend-access" \
""",
)

WALKTHROUGH: Final = (LOG_IN, CREATE_REALM, CREATE_CLIENT, GET_SECRET, ASSIGN_ROLE)

OTHER_CLIENT: Final = Step(
    "Make a second client, which lacks the role",
    "It will get a token, too: whoever can prove who it is gets one. What it may do is another question.",
    r"""/opt/keycloak/bin/kcadm.sh create clients \
    -r my-app-realm \
    -s clientId=other-service \
    -s secret=$OTHER_SECRET \
    -s serviceAccountsEnabled=true
""",
)
