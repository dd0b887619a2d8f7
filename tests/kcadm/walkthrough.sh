/opt/keycloak/bin/kcadm.sh config credentials \
  --server https://keycloak:8443 \
  --realm master \
  --user $KEYCLOAK_ADMIN_USER \
  --password $KEYCLOAK_ADMIN_PASSWORD

/opt/keycloak/bin/kcadm.sh create clients \
    -r my-app-realm \
    -s clientId=backend-service \
    -s enabled=true \
    -s clientAuthenticatorType=client-secret \
    -s serviceAccountsEnabled=true \
    -s standardFlowEnabled=false \
    -s directAccessGrantsEnabled=false \
    -s publicClient=false

/opt/keycloak/bin/kcadm.sh get clients \
    -r my-app-realm \
    -q clientId=backend-service \
    --fields secret \
    --format json \
    | grep "secret" \
    | cut -d':' -f2 \
    | tr -d '", '
# zCFsZQqWKrWxC6LRwewVPKUHmngPMDaI

# Create the realm role
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
