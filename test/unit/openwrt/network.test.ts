/** The stand-in's network, firewall and dnsmasq: a real kernel's bridges, rules and leases out of OpenWrt's configuration files. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeGuest } from './guest.ts'
import type { Guest } from './guest.ts'

let guest: Guest
beforeAll(() => {
  guest = makeGuest(['/usr/sbin/ip', '/usr/sbin/nft', '/usr/sbin/dnsmasq'])
  guest.write('etc/config/system', "config system\n\toption hostname 'box'\n")
  guest.write('etc/config/network', [
    "config interface 'loopback'", "\toption device 'lo'", "\toption proto 'static'", "\toption ipaddr '127.0.0.1'", "\toption netmask '255.0.0.0'", '',
    'config device', "\toption name 'br-lan'", "\toption type 'bridge'", "\tlist ports 'eth0'", '',
    "config interface 'lan'", "\toption device 'br-lan'", "\toption proto 'static'", "\toption ipaddr '192.168.1.1'", "\toption netmask '255.255.255.0'", '',
    "config interface 'wan'", "\toption device 'eth1'", "\toption proto 'static'", "\tlist ipaddr '198.51.100.1/24'", "\toption gateway '198.51.100.10'", "\tlist dns '198.51.100.10'", '',
  ].join('\n'))
  guest.write('etc/config/firewall', [
    'config defaults', "\toption input 'REJECT'", "\toption output 'ACCEPT'", "\toption forward 'REJECT'", '',
    'config zone', "\toption name 'lan'", "\tlist network 'lan'", "\toption input 'ACCEPT'", "\toption output 'ACCEPT'", "\toption forward 'ACCEPT'", '',
    'config zone', "\toption name 'wan'", "\tlist network 'wan'", "\toption input 'REJECT'", "\toption output 'ACCEPT'", "\toption forward 'REJECT'", "\toption masq '1'", '',
    'config forwarding', "\toption src 'lan'", "\toption dest 'wan'", '',
    'config rule', "\toption name 'Ping6'", "\toption src 'wan'", "\toption family 'ipv6'", "\toption proto 'icmp'", "\tlist icmp_type 'echo-request'", "\tlist icmp_type 'neighbour-solicitation'", "\toption target 'ACCEPT'", '',
    'config rule', "\toption name 'DNS'", "\toption src 'lan'", "\toption proto 'tcp udp'", "\toption dest_port '53 5353'", "\toption target 'ACCEPT'", '',
    'config redirect', "\toption src 'wan'", "\toption src_dport '8080'", "\toption proto 'tcp'", "\toption dest_ip '192.168.1.2'", "\toption dest_port '80'", '',
  ].join('\n'))
  guest.write('etc/config/dhcp', [
    'config dnsmasq', "\toption domain 'lan'", "\toption noping '1'", "\toption rebind_protection '0'", "\tlist server '/example/198.51.100.10'", '',
    "config dhcp 'lan'", "\toption interface 'lan'", "\toption start '100'", "\toption limit '50'", "\toption leasetime '1h'", "\tlist dhcp_option '114,https://box.lan/api'", '',
    "config dhcp 'wan'", "\toption interface 'wan'", "\toption ignore '1'", '',
    'config domain', "\toption name 'box.lan'", "\toption ip '192.168.1.1'", '',
  ].join('\n'))
})
afterAll(() => guest.remove())

// Cables to two other places: a phone at eth0, the Internet at eth1.
const CABLES = `until_true() { n=0; until eval "$1" > /dev/null 2>&1; do n=$((n + 1)); [ $n -lt 300 ] || { echo "never: $1"; return 1; }; sleep 0.1; done; }
unshare -n sleep 1000 & phone=$!; unshare -n sleep 1000 & internet=$!
in_phone() { nsenter -t $phone -n "$@"; }; in_internet() { nsenter -t $internet -n "$@"; }
until_true '[ "$(readlink /proc/$phone/ns/net)" != "$(readlink /proc/self/ns/net)" ] && [ "$(readlink /proc/$internet/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
ip link add eth0 type veth peer name p0; ip link set p0 netns $phone; ip link add eth1 type veth peer name i0; ip link set i0 netns $internet
in_phone ip link set p0 up; in_internet ip link set i0 up; in_internet ip addr add 198.51.100.10/24 dev i0
`

function said(text: string): string[] {
  const done = guest.run(text)
  expect(done.err).toBe('')
  return done.out.split('\n').slice(0, -1)
}

describe('network', () => {
  it('makes what the configuration says, and on a reload only what changed', () => {
    guest.write('etc/hotplug.d/iface/90-trace', 'echo "$ACTION $INTERFACE $DEVICE" >> /tmp/iface\n')
    const lines = said(`${CABLES}/etc/init.d/network start
ip -4 -o addr show br-lan | awk '{ print $4 }'; ip -o link show eth0 | grep -o 'master br-lan'; ip route show default | sed 's/ *$//'
. /lib/functions/network.sh; network_get_ipaddr a lan; network_get_subnet s wan; network_get_device d lan; network_find_wan w; echo "$a $s $d $w"; cat /tmp/resolv.conf.d/resolv.conf.auto
cat /tmp/iface; rm /tmp/iface
uci set network.guest=interface; uci set network.guest.device=br-guest; uci set network.guest.proto=static; uci set network.guest.ipaddr=10.77.0.1; uci set network.guest.netmask=255.255.252.0
uci set network.b=device; uci set network.b.name=br-guest; uci set network.b.type=bridge; uci set network.lan.ipaddr=192.168.2.1; uci commit network
/etc/init.d/network reload; cat /tmp/iface; ip -4 -o addr show | awk '{ print $2, $4 }' | sort
uci delete network.guest; uci delete network.b; uci set network.lan.ipaddr=192.168.1.1; uci commit network; /etc/init.d/network reload; ip link show br-guest > /dev/null 2>&1 || echo gone`)
    expect(lines).toEqual([
      '192.168.1.1/24', 'master br-lan', 'default via 198.51.100.10 dev eth1', '192.168.1.1 198.51.100.1/24 br-lan wan', 'nameserver 198.51.100.10',
      'ifup loopback lo', 'ifup lan br-lan', 'ifup wan eth1',
      'ifdown lan br-lan', 'ifup lan br-lan', 'ifup guest br-guest',
      'br-guest 10.77.0.1/22', 'br-lan 192.168.2.1/24', 'eth1 198.51.100.1/24', 'lo 127.0.0.1/8', 'gone',
    ])
  })
})

describe('firewall', () => {
  it('lets the zones through as they say, masked, and a reload touches no other table', () => {
    const lines = said(`${CABLES}/etc/init.d/firewall start; /etc/init.d/network start
nft add table inet other; nft add chain inet other c; nft list table inet fw4 > /tmp/rules
in_phone ip addr add 192.168.1.2/24 dev p0; in_phone ip route add default via 192.168.1.1; in_internet ip route add 192.168.0.0/16 via 198.51.100.1
reaches() { if "$@" > /dev/null 2>&1; then echo yes; else echo no; fi; }
until_true 'in_phone ping -c 1 -W 1 192.168.1.1'
in_internet nc -l -p 7000 -e /bin/echo hi & until_true 'in_internet netstat -ltn | grep -q :7000'
in_phone nc -w 5 198.51.100.10 7000 < /dev/null; reaches in_internet ping -c 1 -W 1 192.168.1.2; reaches in_internet ping -c 1 -W 1 198.51.100.1
grep -c masquerade /tmp/rules; grep -E 'dport|icmpv6' /tmp/rules | sed 's/^[ \\t]*//; s/counter packets [0-9]* bytes [0-9]* //'
fw4 reload; nft list tables | sort; fw4 stop; reaches in_internet ping -c 1 -W 1 198.51.100.1`)
    expect(lines).toEqual([
      'hi', 'no', 'no', '1',
      'tcp dport { 53, 5353 } accept comment "!fw4: DNS"', 'udp dport { 53, 5353 } accept comment "!fw4: DNS"',
      'icmpv6 type { echo-request, nd-neighbor-solicit } accept comment "!fw4: Ping6"',
      expect.stringMatching(/^meta nfproto ipv4 tcp dport 8080 dnat ip to 192\.168\.1\.2:80/),
      'table inet fw4', 'table inet other', 'yes',
    ])
  })

  it('takes in the files of others', () => {
    guest.write('etc/nftables.d/10-x.nft', 'chain mine { }\n')
    guest.write('usr/share/nftables.d/chain-pre/input_lan/x.nft', 'tcp dport 1 drop\n')
    expect(said('fw4 check && fw4 print | grep -E "include|chain mine"')).toEqual(['\tinclude "/etc/nftables.d/10-x.nft"', '\t\tinclude "/usr/share/nftables.d/chain-pre/input_lan/x.nft"'])
  })
})

describe('dnsmasq', () => {
  it('leases, answers and reads what others put into its folder, with files where OpenWrt has them', () => {
    const lines = said(`${CABLES}/etc/init.d/network start; /etc/init.d/dnsmasq start
until_true '[ -s /var/run/dnsmasq/dnsmasq.cfg01411c.pid ]'; ls /var/etc /tmp | grep -E '^dnsmasq'
echo '#!/bin/sh
[ "$1" != bound ] || { echo "$ip $subnet"; ip addr add "$ip/24" dev "$interface"; }' > /root/bound; chmod 755 /root/bound
until_true 'in_phone udhcpc -q -n -t 3 -T 1 -i p0 -s /root/bound > /tmp/lease'; cat /tmp/lease | sed 's/192.168.1.1[0-4][0-9]/in range/'
awk '{ print NF }' /tmp/dhcp.leases; until_true 'in_phone nslookup -type=a box.lan 192.168.1.1'; in_phone nslookup -type=a box.lan 192.168.1.1 | awk '/^Address/ { a = $NF } END { print a }'
grep -E '^(conf-dir|dhcp-range|dhcp-option|no-dhcp|host-record|server)' /var/etc/dnsmasq.conf.cfg01411c
echo host-record=more.lan,192.168.1.9 > /tmp/dnsmasq.cfg01411c.d/x.conf; /etc/init.d/dnsmasq restart; until_true 'in_phone nslookup -type=a more.lan 192.168.1.1' && echo more
first=$(cat /var/run/procd/dnsmasq/cfg01411c/pid); /etc/init.d/dnsmasq reload; [ "$(cat /var/run/procd/dnsmasq/cfg01411c/pid)" = "$first" ] && echo same
uci set dhcp.lan.limit=20; uci commit dhcp; reload_config; until_true '[ "$(cat /var/run/procd/dnsmasq/cfg01411c/pid)" != "$first" ]'; grep -o '192.168.1.119' /var/etc/dnsmasq.conf.cfg01411c
/etc/init.d/dnsmasq stop; ps | grep -c '[d]nsmasq -C'`)
    expect(lines).toEqual([
      'dnsmasq.cfg01411c.d', 'dnsmasq.conf.cfg01411c', 'in range 255.255.255.0', '5', '192.168.1.1',
      'conf-dir=/tmp/dnsmasq.cfg01411c.d', 'server=/example/198.51.100.10', 'host-record=box.lan,192.168.1.1',
      'dhcp-range=set:lan,192.168.1.100,192.168.1.149,255.255.255.0,1h', 'dhcp-option=tag:lan,114,https://box.lan/api', 'no-dhcp-interface=eth1',
      'more', 'same', '192.168.1.119', '0',
    ])
  })
})
