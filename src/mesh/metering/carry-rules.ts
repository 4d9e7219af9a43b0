/**
 * The table `meshbox_carry` in nft's language: what neighbours sent through this box is counted and, for who does not pay, not
 * let through. batman-adv's frames have ethertype 0x4305; its header (net/batman-adv, packet types of compat version 15):
 *
 * | byte | unicast 0x40, four addresses 0x42 | fragment 0x41 |
 * |---|---|---|
 * | 0 | packet type | packet type |
 * | 1..3 | version, ttl, translation table number | version, ttl, number and priority |
 * | 4..9 | originator it is for | originator it is for |
 *
 * Only these three carry people's traffic from hop to hop; originator messages, broadcast and batman-adv's own tools pass
 * uncounted. A frame that is for another originator gets a mark on arrival, by which it is known when it leaves. Where this box
 * has the way out, frames end here and go on as IP packets: their mark stays on them until the forward chain.
 */
import { createHash } from 'node:crypto'
import { inputError } from '../../base/index.ts'
import type { Mac } from '../ports.ts'

export const CARRY_TABLE = 'meshbox_carry'
/** Sets with a counter per neighbour: all frames, those forwarded, and those of admitted neighbours that end here. */
const ARRIVING_SETS = ['in_all', 'in_carried', 'in_ended'] as const
const LEAVING_SETS = ['out_all', 'out_carried'] as const
export type CountingSet = (typeof ARRIVING_SETS | typeof LEAVING_SETS)[number]
export const ADMITTED_SET = 'admitted'
export const MAX_NEIGHBOURS = 512

export const FORWARDED = '0x6d620001'
const NOT_ADMITTED = '0x6d620002'
const INTERFACE_NAME = /^[A-Za-z0-9_.-]{1,15}$/
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/
const MAX_INTERFACES = 8

export interface CarryRules {
  /** batman-adv's hard interfaces. */
  readonly interfaces: readonly string[]
  /** The kernel's numbers of them: rules do not come back to an interface that was made anew. */
  readonly numbers?: readonly number[]
  /** Originators of this box: the hard interfaces' addresses. */
  readonly own: readonly Mac[]
  /** False: counted only, for a community that carries for nothing. */
  readonly isGated: boolean
}

/** Who counts what leaves: this table, or, where the kernel has no hook for it, traffic control (leaving-rules.ts). */
export type LeavingBy = 'table' | 'filters'

export function countingSets(leavingBy: LeavingBy): readonly CountingSet[] {
  return leavingBy === 'table' ? [...ARRIVING_SETS, ...LEAVING_SETS] : ARRIVING_SETS
}

/** Name of a set that is there exactly when the table is by these rules; 14 characters. */
export function carryShape(rules: CarryRules, leavingBy: LeavingBy): string {
  return `shape_${createHash('sha256').update(`${carryChains(rules, leavingBy)}${rules.numbers?.join() ?? ''}`).digest('hex').slice(0, 8)}`
}

/** Replaces what was there, in one transaction. Errors: input for names and addresses that are none. */
export function carryTable(rules: CarryRules, leavingBy: LeavingBy): string {
  const size = `size ${MAX_NEIGHBOURS};`
  const sets = [
    `set ${carryShape(rules, leavingBy)} { type ether_addr; }`,
    `set ${ADMITTED_SET} { type ether_addr; ${size} }`,
    ...countingSets(leavingBy).map((name) => `set ${name} { type ether_addr; ${size} counter; }`),
  ]
  return `${dropped('netdev')}${dropped('inet')}table netdev ${CARRY_TABLE} {\n  ${sets.join('\n  ')}\n${carryChains(rules, leavingBy)}\n}\n${forwardTable(rules)}`
}

/** Makes the table if it is missing, so that deleting it is never refused. */
function dropped(family: 'netdev' | 'inet'): string {
  return `table ${family} ${CARRY_TABLE} { }\ndelete table ${family} ${CARRY_TABLE}\n`
}

function carryChains(rules: CarryRules, leavingBy: LeavingBy): string {
  checkRules(rules)
  const devices = `devices = { ${rules.interfaces.join(', ')} }`
  const gated = (...lines: readonly string[]): readonly string[] => (rules.isGated ? lines : [])
  const own = rules.own.map((mac) => `@nh,32,48 0x${mac.replaceAll(':', '')} goto ending`)
  const leaving = [
    `type filter hook egress ${devices} priority 0; policy accept;`,
    'ether type != 0x4305 accept',
    '@nh,0,8 != 0x40-0x42 accept',
    ...gated(`meta mark ${FORWARDED} ether daddr != @${ADMITTED_SET} drop`),
    'ether daddr @out_all',
    `meta mark ${FORWARDED} ether daddr @out_carried`,
  ]
  return [
    chain('ending', [...gated(`ether saddr != @${ADMITTED_SET} meta mark set ${NOT_ADMITTED} accept`), 'ether saddr @in_ended']),
    chain('arriving', [
      `type filter hook ingress ${devices} priority 0; policy accept;`,
      'ether type != 0x4305 accept',
      '@nh,0,8 != 0x40-0x42 accept',
      'ether saddr @in_all',
      ...own,
      ...gated(`ether saddr != @${ADMITTED_SET} drop`),
      `meta mark set ${FORWARDED}`,
      'ether saddr @in_carried',
    ]),
    ...(leavingBy === 'table' ? [chain('leaving', leaving)] : []),
  ].join('\n')
}

function forwardTable(rules: CarryRules): string {
  if (!rules.isGated) return ''
  return `table inet ${CARRY_TABLE} {\n${chain('passing', ['type filter hook forward priority filter - 5; policy accept;', `meta mark ${NOT_ADMITTED} drop`])}\n}\n`
}

function chain(name: string, lines: readonly string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }`
}

function checkRules({ interfaces, own }: CarryRules): void {
  if (interfaces.length === 0 || interfaces.length > MAX_INTERFACES) throw inputError('interfaces', interfaces.length, `1..${MAX_INTERFACES} hard interfaces`)
  for (const name of interfaces) if (!INTERFACE_NAME.test(name)) throw inputError('interfaces', name, 'letters, digits, dot, dash, underscore; at most 15')
  if (own.length === 0 || own.length > MAX_INTERFACES) throw inputError('own', own.length, `1..${MAX_INTERFACES} addresses`)
  for (const mac of own) if (!MAC.test(mac)) throw inputError('own', mac, 'aa:bb:cc:dd:ee:ff in lower case')
}
