/** Payment channels: what both sides have is what was put in, signed for what is counted, and in the history; nobody may owe more than is said. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { Address } from '../../base/index.ts'
import type { AuditLimits, Books, ChannelRow, HistoryRow, SideRow } from '../types.ts'

/** Their signatures are looked at: some milliseconds each, where there is no native curve. */
export const CHANNEL_ROWS = 8
/** Both sides' figures are each other's only while the chain has not begun to end it. */
const LIVE: ReadonlySet<string> = new Set(['opened', 'closing', 'withdrawing', 'partner-withdrawing', 'cooperative-settling', 'partner-cooperative-settling', 'prepare-cooperative-settle'])
const CLOSE = 'do not take payments over it any more; `meshbox channel close` gets what the newest proofs are worth'

export function channelChecks(findings: Findings, limits: AuditLimits): readonly Step[] {
  return [channelStep(findings, limits), historyStep(findings)]
}

function channelStep(findings: Findings, limits: AuditLimits): Step {
  let last = 0
  return (books) => {
    const rows = books.channelsAfter(last, CHANNEL_ROWS)
    for (const row of rows) channel(findings, row, limits)
    last = rows.at(-1)?.number ?? last
    return rows.length === CHANNEL_ROWS
  }
}

export const whereOf = ({ channel, partner }: ChannelRow): string => `channel ${channel} with ${partner.address}`

/** What a side can still give; locks of both are somebody's, nobody's yet. */
function leftOf(side: SideRow, other: SideRow): bigint {
  return side.deposit - side.withdrawn - side.transferred + other.transferred - side.locked
}

function channel(findings: Findings, row: ChannelRow, limits: AuditLimits): void {
  if (!LIVE.has(row.phase)) return
  findings.looked('channel')
  findings.looked('guarantee')
  const { own, partner, token } = row
  const where = whereOf(row)
  for (const [name, side, other] of [['own', own, partner], ['partner', partner, own]] as const) {
    if (side.locked !== side.locks) findings.add({ check: 'channel', what: `the ${name} side holds back another sum than its locks`, where, amount: { expected: side.locks, found: side.locked, token }, advice: CLOSE })
    const left = leftOf(side, other)
    if (left < 0n) findings.add({ check: 'channel', what: `the ${name} side has given more than it had`, where, amount: { expected: 0n, found: left, token }, advice: CLOSE })
    if (side.claimed > side.transferred) findings.add({ check: 'channel', what: `the chain paid more of the ${name} side's vouchers than its counter says`, where, amount: { expected: side.transferred, found: side.claimed, token }, advice: CLOSE })
    if (side.isForged) findings.add({ check: 'channel', what: `the ${name} side's newest proof is not signed by it`, where, amount: null, advice: 'put the newest sound backup in place (docs/storage.md): the chain would not take this proof' })
  }
  // What the chain gives for what is on this disk: proofs and vouchers. The counter may say no more.
  const shown = max(partner.proved, partner.streamed, partner.claimed)
  if (partner.transferred > shown)
    findings.add({ check: 'guarantee', what: 'the partner gave more than its newest proof and voucher are worth on the chain', where, amount: { expected: partner.transferred, found: shown, token }, advice: CLOSE })
  findings.looked('outbox')
  const missing = own.nonce - row.acked - BigInt(row.waiting)
  if (missing > 0n) findings.add({ check: 'outbox', what: `${missing} messages that the partner has not acknowledged are not kept to be sent again`, where, amount: null, advice: CLOSE })
  if (row.offlineFrom === null || limits.offline === null) return
  findings.looked('exposure')
  const open = partner.transferred - row.offlineFrom
  if (open > limits.offline) findings.add({ check: 'exposure', what: 'more was taken while nobody sees the chain than photon.max_offline_exposure allows', where, amount: { expected: limits.offline, found: open, token }, advice: 'bring the chain back, then look at `meshbox channel show`' })
}

/** What mediated payments earned by the history, the ledger has; what tenants paid by it, IoT has counted; what went by a channel, its counters say. */
function historyStep(findings: Findings): Step {
  const walk = new HistoryWalk(findings)
  return (books) => walk.step(books)
}

/** Of one channel, by the history: how much, and the highest number of a message. */
interface Direct {
  came: bigint
  went: bigint
  cameNonce: bigint
  wentNonce: bigint
}

const NOTHING: Direct = { came: 0n, went: 0n, cameNonce: 0n, wentNonce: 0n }

class HistoryWalk {
  readonly #findings: Findings
  readonly #earned = new Map<string, bigint>()
  readonly #booked = new Map<string, bigint>()
  readonly #forIot = new Map<string, { readonly payer: Address; readonly token: string; sum: bigint }>()
  readonly #direct = new Map<number, Direct>()
  #last = 0
  #lastEntry = 0
  #number = 0
  #mark = -1

  constructor(findings: Findings) {
    this.#findings = findings
  }

  step(books: Books): boolean {
    // What IoT counts on meanwhile is not compared: up to where it was when this began.
    if (this.#mark < 0) this.#mark = books.paidMark()
    const rows = books.historyAfter(this.#last, PAGE_ROWS)
    for (const row of rows) this.#row(row)
    this.#last = rows.at(-1)?.id ?? this.#last
    const entries = books.entriesAfter(this.#lastEntry, PAGE_ROWS)
    for (const { source, evidenceType, token, amount } of entries) if (source === 'photon:fee' && evidenceType === 'payment') this.#booked.set(token, (this.#booked.get(token) ?? 0n) + amount)
    this.#lastEntry = entries.at(-1)?.id ?? this.#lastEntry
    if (rows.length === PAGE_ROWS || entries.length === PAGE_ROWS) return true
    if (this.#number === 0) this.#sums(books)
    return this.#channels(books)
  }

  #row({ id, kind, channelNumber, nonce, amount, token, payer, isForIot }: HistoryRow): void {
    this.#findings.looked('history')
    if (kind === 'mediated') this.#earned.set(token, (this.#earned.get(token) ?? 0n) + amount)
    if (kind !== 'direct-received' && kind !== 'direct-sent') return
    const direct = this.#direct.get(channelNumber) ?? { ...NOTHING }
    if (kind === 'direct-received') [direct.came, direct.cameNonce] = [direct.came + amount, max(direct.cameNonce, nonce)]
    else [direct.went, direct.wentNonce] = [direct.went + amount, max(direct.wentNonce, nonce)]
    this.#direct.set(channelNumber, direct)
    if (kind !== 'direct-received' || !isForIot || payer === null) return
    const name = `${payer} ${token}`
    const one = this.#forIot.get(name) ?? { payer, token, sum: 0n }
    if (id <= this.#mark) one.sum += amount
    this.#forIot.set(name, one)
  }

  #sums(books: Books): void {
    for (const [token, sum] of this.#earned) {
      const has = this.#booked.get(token) ?? 0n
      if (has < sum) this.#findings.add({ check: 'history', what: 'fees of mediated payments are missing in the ledger', where: `history up to row ${this.#last}`, amount: { expected: sum, found: has, token }, advice: 'put the newest sound backup in place (docs/storage.md), or accept the loss: channels are not touched by it' })
    }
    const isStill = books.paidMark() === this.#mark
    for (const { payer, token, sum } of this.#forIot.values()) {
      const counted = books.paidSum(payer, token)
      if (counted < sum || (isStill && counted !== sum)) this.#findings.add({ check: 'history', what: 'what a tenant paid is not what IoT has counted', where: `payer ${payer}`, amount: { expected: sum, found: counted, token }, advice: 'compare with `meshbox tenant show`; put the newest sound backup in place (docs/storage.md)' })
    }
  }

  #channels(books: Books): boolean {
    const rows = books.channelsAfter(this.#number, CHANNEL_ROWS)
    for (const row of rows) {
      const { came, went, cameNonce, wentNonce } = this.#direct.get(row.number) ?? NOTHING
      const { own, partner, token } = row
      if (!LIVE.has(row.phase)) continue
      if (cameNonce > partner.nonce || wentNonce > own.nonce) this.#findings.add({ check: 'history', what: `the history has a payment by message ${cameNonce > partner.nonce ? cameNonce : wentNonce}, which the channel does not know`, where: whereOf(row), amount: null, advice: CLOSE })
      if (came > partner.transferred) this.#findings.add({ check: 'history', what: 'the history says that more came than the channel does', where: whereOf(row), amount: { expected: partner.transferred, found: came, token }, advice: CLOSE })
      if (went > own.transferred) this.#findings.add({ check: 'history', what: 'the history says that more was paid than the channel does', where: whereOf(row), amount: { expected: own.transferred, found: went, token }, advice: CLOSE })
    }
    this.#number = rows.at(-1)?.number ?? Infinity
    return rows.length === CHANNEL_ROWS
  }
}

function max(...values: readonly bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most), 0n)
}
