#!/bin/sh
# Two access boxes and a plain one between them on batman-adv, an Internet, and a guest's phone whose cable goes from bridge to bridge.
#
#   walk.sh build ...                  see the variables; both bridges show the phone the same router
#   walk.sh walk FROM TO WAN           out of the bridge of FROM, into that of TO; the way back from the Internet follows. Says the seconds of uptime
#
#   walker ─ br-guest ─ ours ── middle ── theirs ─ br-guest      ours and theirs each have a way out to internet
set -e

space() {
    for name in "$@"; do
        ip netns add "$name"
        ip -n "$name" link set lo up
        ip netns exec "$name" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 1 > /proc/sys/net/ipv4/ip_forward'
    done
}

# Originators every 200 ms and no loop avoidance: what takes half a minute is there in a second.
mesh() {
    for name in "$@"; do
        ip netns exec "$name" batctl meshif bat0 interface create routing_algo BATMAN_IV
        ip netns exec "$name" batctl meshif bat0 orig_interval 200
        ip netns exec "$name" batctl meshif bat0 bridge_loop_avoidance 0
    done
}

# link ONE OTHER
link() {
    ip -n "$1" link add "to-$2" type veth peer name "to-$1" netns "$2"
    ip -n "$1" link set "to-$2" master bat0 up
    ip -n "$2" link set "to-$1" master bat0 up
}

# access NAME MESH6 WAN4 INTERNET4
access() {
    ip -n "$1" addr add "$2/64" dev bat0 nodad
    ip -n "$1" link add "$BRIDGE" address "$ROUTER_MAC" type bridge forward_delay 0 mcast_snooping 0
    ip -n "$1" addr add "$ROUTER4/24" dev "$BRIDGE"
    ip -n "$1" link set "$BRIDGE" up
    ip -n "$1" link add "$WAN" type veth peer name "to-$1" netns internet
    ip -n "$1" addr add "$3/24" dev "$WAN"
    ip -n "$1" link set "$WAN" up
    ip -n internet addr add "$4/24" dev "to-$1"
    ip -n internet link set "to-$1" up
    ip -n "$1" route add default via "$4"
}

plug() {
    ip -n "$1" link set walker master "$BRIDGE"
    ip -n "$1" link set walker up
}

case "$1" in
build)
    space ours middle theirs internet walker
    mesh ours middle theirs
    link ours middle
    link middle theirs
    for name in ours middle theirs; do ip -n "$name" link set bat0 up; done
    access ours "$OURS6" "$OURS_WAN4" "$INTERNET4"
    access theirs "$THEIRS6" "$THEIRS_WAN4" "$THEIRS_INTERNET4"
    ip -n walker link add eth0 address "$WALKER_MAC" type veth peer name walker netns ours
    ip -n walker addr add "$WALKER4/24" dev eth0
    ip -n walker link set eth0 up
    ip -n walker route add default via "$ROUTER4"
    ip -n internet route replace "$GUESTS4" via "$OURS_WAN4"
    plug ours
    ;;
walk)
    ip -n "$2" link set walker nomaster
    ip -n "$2" link set walker netns "$3"
    ip -n internet route replace "$GUESTS4" via "$4"
    plug "$3"
    cut -d' ' -f1 /proc/uptime
    ;;
*)
    echo "walk.sh: unknown command '$1'; allowed: build, walk" >&2
    exit 2
    ;;
esac
