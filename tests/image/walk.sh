# Runs in the container as its only process, the server being its child: $1 is what makes the server's health known,
# the rest starts the server. The walk-through, byte for byte, is read from standard input.
set -eu
health=$1
shift

"$@" > /tmp/server.log 2>&1 &
server=$!
trap 'cat /tmp/server.log >&2' EXIT
for _ in $(seq 300); do
    if python -c "$health" 2> /tmp/health; then break; fi
    kill -0 $server
    sleep 0.1
done
python -c "$health"

[ "$(id -u):$(id -g)" = 10001:10001 ]
grep -q '^CapEff:.0*$' /proc/self/status
for place in / /opt/keyturn /etc /usr/bin; do
    if touch "$place/written" 2> /tmp/refused; then echo "$place can be written to" >&2; exit 1; fi
done

kcadm=/opt/keycloak/bin/kcadm.sh
$kcadm config truststore --trustpass keyturn /var/lib/keyturn/tls/truststore.p12
walkthrough=$(cat; echo .)  # the dot keeps the empty line that the last command's backslash takes
$kcadm config credentials --server https://keycloak:8443 --realm master --user "$KEYCLOAK_ADMIN_USER" \
    --password "$KEYCLOAK_ADMIN_PASSWORD"
$kcadm create realms -s realm=my-app-realm -s enabled=true
eval "${walkthrough%.}"
[ -n "$SERVICE_ACCOUNT_USER_ID" ]
[ -n "$REALM_ROLE_ID" ]
$kcadm get-roles -r my-app-realm --uusername service-account-backend-service | grep '"backend-access"'

keyturn doctor
kill -TERM $server
wait $server
trap - EXIT
