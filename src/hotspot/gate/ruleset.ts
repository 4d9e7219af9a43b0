/**
 * The gate's table in nft's language: who may pass between the guest link and the rest of the world. Rules of
 * portal.md 2.7 to 2.10; what each set is for, and what nft and the kernel allow, is told in docs/gate.md.
 *
 * In one paragraph: each device has a handle, a number. A packet's addresses lead to the handle (MAC and IPv4
 * up, IPv4 down, for IPv6 the address's owner as the kernel learned it), the handle is kept in
 * `skb->priority`, and only if the handle is in `paid` does the packet pass. `paid` is the one set with a
 * timeout that matters: both directions, IPv4 and IPv6, end with the same element.
 */
import { GARDEN4, GARDEN6, TABLE, UNPAID_ANSWER, BORROWED6, PAID, classid } from './names.ts'
import { DNS_CLIENTS_AT_ONCE, splitFamilies, type GateRules } from './rules.ts'
import { isIp4 } from './address.ts'

/** Silence after which the kernel forgets who owns an IPv6 address. */
const OWNER6_TIMEOUT = '10m'
/** New IPv6 addresses a device may bring: privacy addresses come a few a day. */
const LEARN6_LIMIT = 'limit rate over 30/minute burst 60 packets'
const OWNERS6_PER_DEVICE = 16

/** `hasGuard`: the bridge table is there to limit DNS answers by MAC; else they are limited by address. */
export function gateTable(rules: GateRules, hasGuard: boolean): string {
  return `table inet ${TABLE} {\n${[
    identitySets(rules),
    leaseAndCountSets(rules),
    gardenSets(rules),
    dnsSets(hasGuard),
    captureChain(rules),
    passageChains(rules),
    nameChains(),
    doorstepChains(rules),
    answerChain(rules, hasGuard),
  ].join('\n')}\n}\n`
}

function identitySets(rules: GateRules): string {
  const size = `size ${rules.maxDevices}`
  return `
  map up4 { type ether_addr . ipv4_addr : classid; ${size}; }
  map down4 { type ipv4_addr : classid; ${size}; }
  map upmac { type ether_addr : classid; ${size}; }
  set devmac { type ether_addr . classid; ${size}; }
  map owner6 { type ipv6_addr : classid; flags dynamic,timeout; timeout ${OWNER6_TIMEOUT}; size ${rules.maxDevices * OWNERS6_PER_DEVICE}; }
  set learn6 { type classid; flags dynamic,timeout; timeout 2m; ${size}; }
  set ${BORROWED6} { type ether_addr; flags dynamic,timeout; timeout 1m; size 256; }`
}

function leaseAndCountSets(rules: GateRules): string {
  const size = `size ${rules.maxDevices}`
  return `
  set ${PAID} { type classid; flags timeout; ${size}; }
  map quotas { type classid : quota; ${size}; }
  map classes { type classid : classid; ${size}; }
  set bytes_up { type classid; ${size}; counter; }
  set bytes_down { type classid; ${size}; counter; }`
}

function gardenSets(rules: GateRules): string {
  const { ip4, ip6 } = splitFamilies(rules.gardenAddresses)
  const fixed = (name: string, type: string, elements: readonly string[]): string =>
    elements.length === 0 ? '' : `\n  set ${name} { type ${type}; flags interval; auto-merge; elements = { ${elements.join(', ')} }; }`
  // Always there: dnsmasq logs an error for each answer when a set it was told of is missing.
  return `
  set ${GARDEN4} { type ipv4_addr; flags timeout; timeout 1d; size 4096; }
  set ${GARDEN6} { type ipv6_addr; flags timeout; timeout 1d; size 4096; }${fixed('fixed4', 'ipv4_addr', ip4)}${fixed('fixed6', 'ipv6_addr', ip6)}`
}

function dnsSets(hasGuard: boolean): string {
  const dynamic = 'flags dynamic,timeout; timeout 2m; size 4096;'
  const byAddress = `
  set dns_down4 { type ipv4_addr; ${dynamic} }
  set dns_down6 { type ipv6_addr; ${dynamic} }`
  return `
  set dns_asked { type ether_addr; ${dynamic} }
  set dns_up { type ether_addr; ${dynamic} }${hasGuard ? '' : byAddress}`
}

/** Rules that hold when the packet goes to (or comes from) the walled garden, one per set in use. */
function gardenMatches(rules: GateRules, side: 'daddr' | 'saddr', verdict: string): string {
  const { ip4, ip6 } = splitFamilies(rules.gardenAddresses)
  const lines: string[] = []
  if (rules.hasGardenDomains) lines.push(`ip ${side} @${GARDEN4} ${verdict}`, `ip6 ${side} @${GARDEN6} ${verdict}`)
  if (ip4.length > 0) lines.push(`ip ${side} @fixed4 ${verdict}`)
  if (ip6.length > 0) lines.push(`ip6 ${side} @fixed6 ${verdict}`)
  return lines.map((line) => `\n    ${line}`).join('')
}

/** Web requests of unpaid guests, and anybody's to the box itself, go to the portal. */
function captureChain(rules: GateRules): string {
  const toPortal = portalTargets(rules, rules.portalPort)
  const toTls = rules.tlsPort === null ? [] : portalTargets(rules, rules.tlsPort)
  return `
  chain capture {
    type nat hook prerouting priority dstnat - 5; policy accept;
    iifname != "${rules.guestInterface}" accept
    meta l4proto != tcp accept
${toPortal.map((target) => `    fib daddr type local tcp dport 80 ${target}`).join('\n')}
${toTls.map((target) => `    fib daddr type local tcp dport 443 ${target}\n`).join('')}    tcp dport != 80 accept${gardenMatches(rules, 'daddr', 'accept')}
    meta priority set none
    meta priority set ether saddr . ip saddr map @up4
    meta nfproto ipv6 meta priority set ether saddr map @upmac
    meta priority @${PAID} accept
${toPortal.map((target) => `    tcp dport 80 ${target}`).join('\n')}
  }`
}

function portalTargets(rules: GateRules, port: number): string[] {
  if (rules.portalAddress === null) return [`redirect to :${port}`]
  return isIp4(rules.portalAddress) ? [`dnat ip to ${rules.portalAddress}:${port}`] : [`dnat ip6 to [${rules.portalAddress}]:${port}`]
}

/**
 * Behind everybody else's forward rules, so that what is counted has passed them too. No `ct state` rule:
 * each packet is judged, so a cut-off ends established flows at once.
 */
function passageChains(rules: GateRules): string {
  const guest = rules.guestInterface
  const afterPaid = `
    meta priority set meta priority map @classes accept
    meta priority set none accept`
  return `
  chain passage {
    type filter hook forward priority filter + 5; policy accept;
    iifname "${guest}" goto from_guest
    oifname "${guest}" goto to_guest
  }
  chain from_guest {
    oifname "${guest}" goto refuse${gardenMatches(rules, 'daddr', 'accept')}
    meta priority set ether saddr . ip saddr map @up4 goto named_up
    meta nfproto != ipv6 goto refuse
    jump name6
    goto named_up
  }
  chain named_up {
    meta priority != @${PAID} goto refuse
    quota name meta priority map @quotas goto refuse
    meta priority @bytes_up${afterPaid}
  }
  chain to_guest {${gardenMatches(rules, 'saddr', 'accept')}
    meta priority set ip daddr map @down4 goto named_down
    meta priority set ip6 daddr map @owner6 goto named_down
    drop
  }
  chain named_down {
    meta priority != @${PAID} drop
    quota name meta priority map @quotas drop
    meta priority @bytes_down${afterPaid}
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }`
}

/**
 * Whose is this IPv6 address? Leaves the handle in meta priority, or none. An address belongs to the paid
 * device that used it first; it changes hands only when its owner is no longer paid. (In `borrower` and the
 * guard's `forger` the verdict is a rule of its own: when a set is full, a rule ends at its update.)
 */
function nameChains(): string {
  return `
  chain name6 {
    meta priority set none
    meta priority set ip6 saddr map @owner6
    ether saddr . meta priority @devmac update @owner6 { ip6 saddr : meta priority } return
    meta priority @${PAID} goto borrower
    meta priority set none
    meta priority set ether saddr map @upmac
    meta priority != @${PAID} return
    update @learn6 { meta priority ${LEARN6_LIMIT} } meta priority set none return
    delete @owner6 { ip6 saddr : meta priority }
    add @owner6 { ip6 saddr : meta priority }
  }
  chain borrower {
    update @${BORROWED6} { ether saddr }
    meta priority set none
  }`
}

/** What any guest, paid or not, may reach on the box itself. */
function doorstepChains(rules: GateRules): string {
  const ports = [rules.portalPort, ...[rules.tlsPort, rules.boxesPort].filter((port) => port !== null)]
  const bytes = rules.dnsKibPerMinute
  return `
  chain doorstep {
    type filter hook input priority filter + 5; policy accept;
    iifname "${rules.guestInterface}" goto guest_knocks
  }
  chain guest_knocks {
    tcp dport { ${ports.join(', ')} } accept
    meta l4proto { tcp, udp } th dport 53 goto ask_dns
    meta nfproto ipv4 udp dport { 67, 123 } accept
    meta nfproto ipv6 udp dport { 547, 123 } accept
    icmp type { echo-request, echo-reply, destination-unreachable, time-exceeded, parameter-problem } accept
    icmpv6 type { echo-request, echo-reply, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept
    icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } accept
    meta pkttype != host drop
    goto refuse
  }
  chain ask_dns {
    meta priority set none
    meta priority set ether saddr . ip saddr map @up4
    meta nfproto ipv6 jump name6
    meta priority @${PAID} meta priority set none accept
    meta priority set none
    update @dns_asked { ether saddr limit rate over ${rules.dnsQueriesPerSecond}/second burst ${rules.dnsQueriesPerSecond * 2} packets } drop
    update @dns_up { ether saddr ${byteLimit(bytes)} } drop
    limit rate over ${rules.dnsQueriesPerSecond * DNS_CLIENTS_AT_ONCE}/second burst ${rules.dnsQueriesPerSecond * DNS_CLIENTS_AT_ONCE * 2} packets drop
    ${byteLimit(bytes * DNS_CLIENTS_AT_ONCE)} drop
    accept
  }`
}

/**
 * So many KiB at once, then as many a minute. In bytes a second: the kernel multiplies the burst by the
 * nanoseconds of the unit and refuses what does not fit into 64 bits.
 */
export function byteLimit(kibPerMinute: number): string {
  return `limit rate over ${Math.ceil((kibPerMinute * 1024) / 60)} bytes/second burst ${kibPerMinute} kbytes`
}

/** DNS answers to unpaid guests are bounded too: a tunnel's harvest comes back in them. */
function answerChain(rules: GateRules, hasGuard: boolean): string {
  const bytes = rules.dnsKibPerMinute
  const perClient = hasGuard
    ? `meta priority set ${classid(UNPAID_ANSWER)} accept`
    : `update @dns_down4 { ip daddr ${byteLimit(bytes)} } drop
    update @dns_down6 { ip6 daddr ${byteLimit(bytes)} } drop`
  return `
  chain answers {
    type filter hook output priority filter + 5; policy accept;
    oifname != "${rules.guestInterface}" accept
    meta l4proto != { tcp, udp } accept
    th sport != 53 accept
    meta priority set none
    meta priority set ip daddr map @down4
    meta priority set ip6 daddr map @owner6
    meta priority @${PAID} meta priority set none accept
    meta priority set none
    ${byteLimit(bytes * DNS_CLIENTS_AT_ONCE)} drop
    ${perClient}
  }`
}
