# shellcheck shell=dash disable=SC2034
# network_* of the OpenWrt stand-in: what scripts ask about interfaces. Each puts its answer into the variable that is
# named first, and is false when the interface is not up. Answers come from /var/run/netifd (usr/lib/stand-in/netifd).

_network_field() { # <variable> <interface> <field>
	local __line __text=''
	eval "$1="
	[ -f "/var/run/netifd/$2/up" ] || return 1
	while read -r __line; do
		case "$__line" in "$3="*) __text=${__line#*=} ;; esac
	done < "/var/run/netifd/$2/up" 2> /dev/null
	[ -n "$__text" ] || return 1
	eval "$1=\$__text"
}

network_get_subnet() { _network_field "$1" "$2" address; }
network_get_subnets() { _network_field "$1" "$2" address; }
network_get_ipaddr() {
	_network_field "$1" "$2" address || return 1
	eval "$1=\${$1%%/*}"
}
network_get_ipaddrs() { network_get_ipaddr "$@"; }
network_get_gateway() { _network_field "$1" "$2" gateway; }
network_get_dnsserver() { _network_field "$1" "$2" dns; }
network_get_protocol() { _network_field "$1" "$2" proto; }
network_get_device() { _network_field "$1" "$2" device; }
network_get_physdev() { _network_field "$1" "$2" device; }
network_is_up() { [ -e "/var/run/netifd/$1/up" ]; }
network_flush_cache() { :; }

# The interface with the default route.
network_find_wan() {
	local __device __file __name
	eval "$1="
	__device=$(ip route show default 2> /dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
	[ -n "$__device" ] || return 1
	for __file in /var/run/netifd/*/up; do
		grep -qx "device=$__device" "$__file" 2> /dev/null || continue
		__name=${__file%/up}
		eval "$1=\${__name##*/}"
		return 0
	done
	return 1
}
