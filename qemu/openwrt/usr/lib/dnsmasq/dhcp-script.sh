#!/bin/sh
# What dnsmasq says of its leases, for /etc/hotplug.d/dhcp: ACTION, MACADDR, IPADDR, HOSTNAME.
case "$1" in
	add) ACTION=add ;;
	old) ACTION=update ;;
	del) ACTION=remove ;;
	*) exit 0 ;;
esac
export ACTION MACADDR="$2" IPADDR="$3" HOSTNAME="${4:-}"
exec /sbin/hotplug-call dhcp
