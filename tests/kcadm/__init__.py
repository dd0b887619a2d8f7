"""Transcripts of kcadm.sh 26.7.3: what Keycloak's printed, sent and returned, ours must print, send and return."""
