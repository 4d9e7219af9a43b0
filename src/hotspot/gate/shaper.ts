/**
 * Rates per session, as tc commands (tc-htb(8)). Our forward chain writes the session's class into
 * `skb->priority`, and HTB takes a priority that is one of its classes as the classification: no filters, so
 * the cost does not grow with the number of sessions. Download is shaped where packets leave for the guests,
 * upload where they leave the box.
 */
import { checkInterface } from './rules.ts'

export type LeafQueue = 'fq_codel' | 'sfq' | 'bfifo'

export interface SessionRate {
  readonly minor: number
  readonly downKbps: number | null
  readonly upKbps: number | null
}

/** Handle of our root discipline; classes are `1:<minor>`. */
const ROOT = '1:'
/** Everything without a rate: other traffic of the interface, and sessions that are not limited. */
const DEFAULT_MINOR = 0x2
/** Far above any interface: the default class never holds anything back. */
const UNLIMITED = '100gbit'

const LEAF: Record<LeafQueue, (kbps: number) => string> = {
  // Few flows per guest: 1024 would take 70 KiB for each of a thousand sessions.
  fq_codel: () => 'fq_codel limit 1024 flows 64 memory_limit 1Mb',
  sfq: () => 'sfq perturb 10 divisor 256',
  // 200 ms worth of bytes, but always room for one GSO packet and what follows it.
  bfifo: (kbps) => `bfifo limit ${Math.max(96 * 1024, Math.ceil((kbps * 1000) / 8 / 5))}`,
}
const UNLIMITED_LEAF: Record<LeafQueue, string> = { fq_codel: 'fq_codel', sfq: 'sfq perturb 10', bfifo: 'pfifo limit 1000' }

/** Takes the place of the interface's root discipline. */
export function rootCommands(device: string, leaf: LeafQueue): string[] {
  const dev = `dev ${checkInterface('interface', device)}`
  return [
    `qdisc add ${dev} root handle ${ROOT} htb default ${DEFAULT_MINOR.toString(16)}`,
    `class add ${dev} parent ${ROOT} classid ${classText(DEFAULT_MINOR)} htb rate ${UNLIMITED} burst 1mb cburst 1mb quantum 60000`,
    `qdisc add ${dev} parent ${classText(DEFAULT_MINOR)} ${UNLIMITED_LEAF[leaf]}`,
  ]
}

export function removeRootCommand(device: string): string {
  return `qdisc del dev ${checkInterface('interface', device)} root`
}

/** Makes the session's class on one interface, or changes its rate. A class keeps its queue when changed. */
export function classCommands(device: string, minor: number, kbps: number, leaf: LeafQueue, isNew: boolean): string[] {
  const dev = `dev ${checkInterface('interface', device)}`
  const bytesPerSecond = (kbps * 1000) / 8
  // Twenty milliseconds' worth, so that a coarse kernel clock does not cost rate.
  const burst = Math.round(Math.min(1_000_000, Math.max(3200, bytesPerSecond / 50)))
  const quantum = Math.round(Math.min(60_000, Math.max(1600, bytesPerSecond / 100)))
  const rate = `htb rate ${kbps}kbit ceil ${kbps}kbit burst ${burst} cburst ${burst} quantum ${quantum}`
  return [
    `class ${isNew ? 'add' : 'change'} ${dev} parent ${ROOT} classid ${classText(minor)} ${rate}`,
    ...(isNew ? [`qdisc add ${dev} parent ${classText(minor)} ${LEAF[leaf](kbps)}`] : []),
  ]
}

export function removeClassCommand(device: string, minor: number): string {
  return `class del dev ${checkInterface('interface', device)} classid ${classText(minor)}`
}

/** Discipline at the root of each interface, from `tc qdisc show`; `noqueue` where none is shown. */
export function rootDiscipline(shown: string): string {
  const root = shown.split('\n').map((line) => /^qdisc (\S+) (\S+) (?:dev \S+ )?root/.exec(line)).find((match) => match !== null)
  return root ? `${root[1]} ${root[2]}` : 'noqueue 0:'
}

/** May ours take its place? Not where somebody set up shaping of his own (SQM). */
export function isReplaceable(discipline: string): boolean {
  const [kind = '', handle = ''] = discipline.split(' ')
  if (kind === 'htb') return handle === ROOT
  return ['noqueue', 'pfifo_fast', 'pfifo', 'fq_codel', 'fq', 'sfq', 'mq'].includes(kind)
}

function classText(minor: number): string {
  return `${ROOT}${minor.toString(16)}`
}
