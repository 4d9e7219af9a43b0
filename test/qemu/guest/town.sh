#!/bin/sh
# Around the router in the guest: an Internet behind its wan port, and many phones on its guest bridge. All phones live
# in one namespace, each with its own device address and its own routes, so that one program can be all of them.
#   town.sh plug NAME PORT ADDRESS/LENGTH GATEWAY    namespace NAME on the cable of a port of the router
#   town.sh phones COUNT BRIDGE FIRST GATEWAY LENGTH namespace `phones`, addresses FIRST … (only the last part counts up)
#   town.sh guest NAME BRIDGE                        namespace NAME with one interface eth0, no address yet
set -eu

# A namespace whose interface is one end of a cable; the other end stays with the router.
namespace() {
	ip netns add "$1"
	ip -n "$1" link set lo up
}

# Plugs the far end of a port of the router into a namespace.
plug() {
	namespace "$1"
	ip link set "$2-far" netns "$1" name eth0
	ip -n "$1" addr add "$3" dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" route add default via "$4"
}

phones() {
	count=$1 bridge=$2 first=$3 gateway=$4 length=$5
	# Hundreds of neighbours on one router.
	for table in 1 2 3; do echo $((1024 << table)) > /proc/sys/net/ipv4/neigh/default/gc_thresh$table; done
	namespace phones
	ip link add phones type veth peer name uplink netns phones
	ip link set phones master "$bridge" up
	ip -n phones link set uplink up
	# shellcheck disable=SC2016  # for the shell inside
	ip netns exec phones sh -c 'for key in arp_filter arp_ignore arp_announce rp_filter; do
		case $key in arp_filter) value=1 ;; arp_ignore) value=1 ;; arp_announce) value=2 ;; *) value=0 ;; esac
		echo $value > /proc/sys/net/ipv4/conf/all/$key; echo $value > /proc/sys/net/ipv4/conf/default/$key
	done'
	network=${first%.*} last=${first##*.}
	batch=/tmp/phones.$$
	for index in $(seq 0 $((count - 1))); do
		address=$network.$((last + index)) table=$((1000 + index)) name=phone$index
		mac=$(printf '02:70:68:6f:%02x:%02x' $((index / 256)) $((index % 256)))
		echo "link add link uplink name $name address $mac type macvlan mode bridge"
		echo "link set $name up"
		echo "addr add $address/$length dev $name noprefixroute"
		echo "route add $gateway dev $name table $table"
		echo "route add default via $gateway dev $name table $table"
		echo "rule add from $address lookup $table"
	done > "$batch"
	ip -n phones -batch "$batch"
	rm -f "$batch"
}

guest() {
	namespace "$1"
	ip link add "$1" type veth peer name eth0 netns "$1"
	ip link set "$1" master "$2" up
	ip -n "$1" link set eth0 up
	mkdir -p "/etc/netns/$1"
}

verb=$1
shift
case "$verb" in
	plug | phones | guest) "$verb" "$@" ;;
	*)
		echo "town.sh: unknown '$verb'" >&2
		exit 2
		;;
esac
