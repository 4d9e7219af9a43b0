/** Channels that are over: what the chain paid out is what the contract had, what was signed or posted, no less than our newest state, and covers what the ledger earned by it. */
import { PAGE_ROWS } from '../findings.ts'
import type { Findings, Step } from '../findings.ts'
import type { Books, ChannelRow } from '../types.ts'
import { CHANNEL_ROWS, whereOf } from './channels.ts'

const LOST = 'what was lost cannot be had back; look at the channel\'s duties in the log of that time, and make a support bundle (`meshbox support-bundle`)'
const LOOK = 'compare with the Settled event of that block; if the chain says what this box says it did, make a support bundle (`meshbox support-bundle`)'

export function settledCheck(findings: Findings): Step {
  /** What the ledger earned by streams, by channel and its life. */
  const earned = new Map<string, bigint>()
  let [lastEntry, isRead, last] = [0, false, 0]
  return (books: Books) => {
    if (!isRead) {
      const entries = books.entriesAfter(lastEntry, PAGE_ROWS)
      for (const { source, kind, facts, amount, postings } of entries) {
        const from = source === 'hotspot:stream' && kind === 'earn' ? postings.find(({ account }) => account.startsWith('channel:')) : undefined
        if (from === undefined) continue
        const name = `${from.account} ${String(facts['epoch'])}`
        earned.set(name, (earned.get(name) ?? 0n) + amount)
      }
      lastEntry = entries.at(-1)?.id ?? lastEntry
      isRead = entries.length < PAGE_ROWS
      return true
    }
    const rows = books.channelsAfter(last, CHANNEL_ROWS)
    for (const row of rows) one(findings, row, earned.get(`channel:${row.channel} ${row.epoch}`) ?? 0n)
    last = rows.at(-1)?.number ?? last
    return rows.length === CHANNEL_ROWS
  }
}

function one(findings: Findings, row: ChannelRow, earned: bigint): void {
  const { settlement, own, partner, token } = row
  if (settlement === null) return
  const where = `${whereOf(row)}, life ${row.epoch}`
  const { paid, isCooperative, due, least } = settlement
  if (paid === null) return findings.unchecked('settled', `${where}: nobody told what the chain paid out, or an earlier version of this box saw it`)
  findings.looked('settled')
  const add = (what: string, expected: bigint, found: bigint, advice: string): void => findings.add({ check: 'settled', what, where, amount: { expected, found, token }, advice })
  const pot = own.deposit + partner.deposit - own.claimed - partner.claimed - own.withdrawn - partner.withdrawn
  if (paid.own + paid.partner !== pot) add('the chain paid out another sum than the contract had of it', pot, paid.own + paid.partner, LOOK)
  if (paid.own !== due) add(`the chain paid this box another sum than ${isCooperative ? 'both signed' : 'the posted proofs come to'}`, due, paid.own, LOOK)
  if (paid.own < least) add('the chain paid this box less than its newest state of the channel says', least, paid.own, LOST)
  // All that the chain gave us of the partner's: what came out, less what we had put in and did not give away.
  const given = paid.own + partner.claimed + own.withdrawn - own.deposit + (own.transferred > own.claimed ? own.transferred : own.claimed)
  if (earned > given) add("the ledger has earned more by the channel's streams than the chain gave of the partner's", given, earned, LOST)
}
