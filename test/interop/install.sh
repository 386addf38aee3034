#!/usr/bin/env bash
# Installs the programs that the interop tests and the benchmark meet. Debian; as root.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -qq --no-install-recommends \
  bind9 bind9-dnsutils bind9-utils \
  knot knot-dnsutils \
  nsd \
  pdns-server pdns-backend-sqlite3 \
  dnsperf \
  samba samba-common-bin samba-ad-dc samba-ad-provision \
  unbound \
  krb5-kdc krb5-admin-server krb5-user \
  kea-dhcp-ddns-server kea-dhcp4-server isc-dhcp-server isc-dhcp-client \
  iproute2
