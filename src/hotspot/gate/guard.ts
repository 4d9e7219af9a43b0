/**
 * The bridge's own table: what a guest's frame may claim to be. Without it a guest could answer ARP for the
 * router, hand out addresses, or take over another guest's address; the gate's leases would still hold, but
 * somebody else would enjoy or spoil what a guest paid for.
 *
 * `owned4` holds the addresses that DHCP leased and the router's own, `leased4` the pairs of the leases: an owned
 * address without its pair is forged, and the router's has none.
 *
 * What came of a frame is remembered for a moment (`vetted4`, `vetted6`: this MAC at this port with this address): one
 * look-up instead of seven for the frames that follow. Nothing refreshes it, so each sender is looked at anew every
 * other second, and at once when ports or leases change. What a frame's content may not be is checked on each.
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

/** Multicast listeners and neighbour discovery; below are echoes and errors, which claim nothing. */
const CONTROL_TYPES = '130-255'

/** How long a frame's sender passes without being looked at; a fraction of the pin's time, which is longer by as much. */
const LONGEST_VETTED_MS = 2000

function vettedMs(rules: GateRules): number {
  return rules.portPinSeconds === 0 ? LONGEST_VETTED_MS : Math.min(LONGEST_VETTED_MS, rules.portPinSeconds * 250)
}

export function guardTable(rules: GateRules): string {
  const vetted = `flags dynamic,timeout; timeout ${vettedMs(rules)}ms; size 8192;`
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
  set vetted4 { typeof ether saddr . iif . ip saddr; ${vetted} }
  set vetted6 { typeof ether saddr . iif . @nh,64,128; ${vetted} }
  set dns_down { type ether_addr; flags dynamic,timeout; timeout 2m; size 4096; }${pinSets(rules)}

  chain frames {
    type filter hook prerouting priority filter; policy accept;
    ether type ip ether saddr . iif . ip saddr @vetted4 goto vetted_ip4
    ether type ip6 ether saddr . iif . @nh,64,128 @vetted6 goto vetted_ip6
    iifname != @guest_ports accept
    ether saddr @router_macs goto forger${rules.portPinSeconds === 0 ? '' : '\n    jump pin'}
    ether type vmap { arp : goto arp_frames, ip : goto ip4_frames, ip6 : goto ip6_frames }
    drop
  }${rules.portPinSeconds === 0 ? '' : pinChain()}
  chain vetted_ip4 {
    udp sport 67 goto forger
    accept
  }
  chain vetted_ip6 {
    icmpv6 type ${CONTROL_TYPES} goto ip6_frames
    udp sport 547 goto forger
    accept
  }
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
    udp sport 67 goto forger${vettingRules(rules)}
    add @vetted4 { ether saddr . iif . ip saddr }
    accept
  }
  chain ip6_frames {
    icmpv6 type { nd-router-advert, nd-redirect } goto forger
    udp sport 547 goto forger
    @nh,64,128 @router6 goto forger
    icmpv6 type nd-neighbor-advert @th,64,128 @router6 goto forger
    ip6 saddr :: accept
    meta l4proto icmpv6 goto icmp6_frames
    ether saddr . @nh,64,128 @pair6 goto vet_ip6
    goto own6
  }
  chain vet_ip6 {${vettingRules(rules)}
    add @vetted6 { ether saddr . iif . @nh,64,128 }
    accept
  }
  chain icmp6_frames {
    jump own6
    icmpv6 type nd-neighbor-advert goto adverts
    icmpv6 type ${CONTROL_TYPES} accept
    ether saddr . @nh,64,128 @pair6 goto vet_ip6
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

/** Who is not to be remembered: a MAC that is not pinned (yet), and what floods of forged senders bring. */
function vettingRules(rules: GateRules): string {
  return `${rules.portPinSeconds === 0 ? '' : '\n    ether saddr . iifname != @pins accept'}
    limit rate over 1000/second burst 2000 packets accept`
}

function pinSets(rules: GateRules): string {
  if (rules.portPinSeconds === 0) return ''
  // Vetted frames do not refresh the pin, so it lasts as much longer. The pairs have more room: a MAC must never be
  // remembered without its port.
  const timeout = `timeout ${rules.portPinSeconds * 1000 + vettedMs(rules)}ms`
  return `
  set pinned { type ether_addr; flags dynamic,timeout; ${timeout}; size 8192; }
  set pins { type ether_addr . ifname; flags dynamic,timeout; ${timeout}; size 10000; }`
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
