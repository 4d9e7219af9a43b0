/**
 * The bridge's own table: what a guest's frame may claim to be. Without it a guest could answer ARP for the
 * router, hand out addresses, or take over another guest's address; the gate's leases would still hold, but
 * somebody else would enjoy or spoil what a guest paid for.
 *
 * `owned4` holds the addresses that DHCP leased and the router's own, `leased4` the pairs of the leases: an owned
 * address without its pair is forged, and the router's has none.
 *
 * It looks at frames of guest ports only (`guest_ports`, kept by the service), so other bridges of the box are
 * left alone. Stations of one radio reach each other inside the access point: there `ap_isolate` does it.
 */
import { DOUBLED, FORGED, TABLE, UNPAID_ANSWER, classid } from './names.ts'
import type { GateRules } from './rules.ts'
import { byteLimit } from './ruleset.ts'

/**
 * Time without neighbour discovery after which a guest's IPv6 address is free for another device. Only ICMPv6
 * refreshes it: the box itself asks a guest it sends to every half minute, and data packets stay cheap.
 */
const OWN6_TIMEOUT = '2m'

export function guardTable(rules: GateRules): string {
  return `table bridge ${TABLE} {
  set guest_ports { type ifname; }
  set router_macs { type ether_addr; }
  set router6 { typeof @nh,64,128; }
  set leased4 { type ether_addr . ipv4_addr; size 65536; }
  set owned4 { type ipv4_addr; size 65536; }
  set pair6 { typeof ether saddr . @nh,64,128; flags dynamic,timeout; timeout ${OWN6_TIMEOUT}; size 20000; }
  set owned6 { typeof @nh,64,128; flags dynamic,timeout; timeout ${OWN6_TIMEOUT}; size 16384; }
  set ${FORGED} { type ether_addr; flags dynamic,timeout; timeout 1m; size 256; }
  set ${DOUBLED} { type ether_addr . ifname; flags dynamic,timeout; timeout 1m; size 256; }
  set dns_down { type ether_addr; flags dynamic,timeout; timeout 2m; size 4096; }${pinSets(rules)}

  chain frames {
    type filter hook prerouting priority filter; policy accept;
    iifname != @guest_ports accept
    ether saddr @router_macs goto forger${rules.portPinSeconds === 0 ? '' : '\n    jump pin'}
    ether type vmap { arp : goto arp_frames, ip : goto ip4_frames, ip6 : goto ip6_frames }
    drop
  }${rules.portPinSeconds === 0 ? '' : pinChain()}
  chain arp_frames {
    arp htype != 1 drop
    arp ptype != ip drop
    arp hlen != 6 drop
    arp plen != 4 drop
    arp saddr ether @router_macs goto forger
    arp saddr ip @owned4 ether saddr . arp saddr ip != @leased4 goto forger
    arp saddr ip @owned4 arp saddr ether . arp saddr ip != @leased4 goto forger
    accept
  }
  chain ip4_frames {
    ip saddr @owned4 ether saddr . ip saddr != @leased4 goto forger
    udp sport 67 goto forger
    accept
  }
  chain ip6_frames {
    icmpv6 type { nd-router-advert, nd-redirect } goto forger
    udp sport 547 goto forger
    @nh,64,128 @router6 goto forger
    icmpv6 type nd-neighbor-advert @th,64,128 @router6 goto forger
    ip6 saddr :: accept
    meta l4proto icmpv6 goto icmp6_frames
    ether saddr . @nh,64,128 @pair6 accept
    goto own6
  }
  chain icmp6_frames {
    jump own6
    icmpv6 type nd-neighbor-advert goto adverts
    accept
  }
  chain own6 {
    ether saddr . @nh,64,128 @pair6 update @pair6 { ether saddr . @nh,64,128 } update @owned6 { @nh,64,128 } return
    @nh,64,128 @owned6 goto forger
    limit rate over 50/second burst 500 packets return
    add @owned6 { @nh,64,128 } add @pair6 { ether saddr . @nh,64,128 }
  }
  chain adverts {
    ether saddr . @th,64,128 @pair6 accept
    @th,64,128 @owned6 goto forger
    accept
  }
  chain forger {
    update @${FORGED} { ether saddr }
    drop
  }${rules.clientIsolation ? isolationChain() : ''}
  chain to_ports {
    type filter hook output priority filter; policy accept;
    meta priority != ${classid(UNPAID_ANSWER)} accept
    meta priority set none
    update @dns_down { ether daddr ${byteLimit(rules.dnsKibPerMinute)} } drop
  }
}
`
}

function pinSets(rules: GateRules): string {
  if (rules.portPinSeconds === 0) return ''
  // The pairs have more room: a MAC must never be remembered without its port.
  return `
  set pinned { type ether_addr; flags dynamic,timeout; timeout ${rules.portPinSeconds}s; size 8192; }
  set pins { type ether_addr . ifname; flags dynamic,timeout; timeout ${rules.portPinSeconds}s; size 10000; }`
}

/**
 * First come keeps it: a MAC seen at one port is refused at another until it has been silent for the pin's
 * time. The pair is refreshed before the MAC, so it never outlives it. New MACs are pinned at a bounded rate
 * that cannot fill the set with a flood; beyond it they pass unpinned and are pinned with a later frame.
 */
function pinChain(): string {
  return `
  chain pin {
    ether saddr . iifname @pins update @pins { ether saddr . iifname } update @pinned { ether saddr } return
    ether saddr @pinned goto clash
    limit rate over 20/second burst 200 packets return
    add @pinned { ether saddr } add @pins { ether saddr . iifname }
  }
  chain clash {
    update @${DOUBLED} { ether saddr . iifname }
    drop
  }`
}

function isolationChain(): string {
  return `
  chain isolation {
    type filter hook forward priority filter; policy accept;
    iifname @guest_ports oifname @guest_ports drop
  }`
}
