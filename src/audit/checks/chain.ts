/** Channels against the contract's own storage: deposits, withdrawals, claims, and whether they are over. */
import type { Findings } from '../audit.ts'
import type { AuditPorts, ChannelRow } from '../types.ts'
import { CHANNEL_ROWS, whereOf } from './channels.ts'

const ADVICE = 'do not take payments over it; if it stays so after the chain is in sync, make a support bundle (`meshbox support-bundle`) and close it'

export async function chainCheck(findings: Findings, ports: AuditPorts): Promise<void> {
  let last = 0
  for (;;) {
    const rows = ports.look((books) => books.channelsAfter(last, CHANNEL_ROWS))
    for (const row of rows) {
      if (row.phase === 'settled') continue // the contract has forgotten it
      await one(findings, ports, row)
      await ports.pause()
    }
    last = rows.at(-1)?.number ?? last
    if (rows.length < CHANNEL_ROWS) return
  }
}

async function one(findings: Findings, ports: AuditPorts, before: ChannelRow): Promise<void> {
  const chain = await ports.chainOf(before)
  // The chain's news may have come in between.
  const [row] = ports.look((books) => books.channelsAfter(before.number - 1, 1))
  if (row === undefined || row.number !== before.number || row.phase === 'settled') return
  const where = whereOf(row)
  if (chain === null || !isSame(before, row)) {
    findings.unchecked('chain', chain === null ? `what the chain has of ${where} is not to be had now` : `${where} got news while it was looked at`)
    return
  }
  findings.looked('chain')
  if (!chain.isOpen) findings.add({ check: 'chain', what: 'a channel that is kept is not in the contract', where, amount: null, advice: ADVICE })
  for (const [name, side, there] of [['own', row.own, chain.own], ['partner', row.partner, chain.partner]] as const)
    for (const field of ['deposit', 'withdrawn', 'claimed'] as const)
      if (chain.isOpen && side[field] !== there[field]) findings.add({ check: 'chain', what: `the ${name} side's ${field} is not what the contract has`, where, amount: { expected: there[field], found: side[field], token: row.token }, advice: ADVICE })
}

function isSame(a: ChannelRow, b: ChannelRow): boolean {
  return a.phase === b.phase && (['own', 'partner'] as const).every((side) => (['deposit', 'withdrawn', 'claimed'] as const).every((field) => a[side][field] === b[side][field]))
}
