/** Channels against the contract's own storage: deposits, withdrawals, claims, whether they are over, and what all of them hold together. */
import type { Findings } from '../findings.ts'
import type { AuditPorts, ChainSide, ChannelRow, ContractSum } from '../types.ts'
import { CHANNEL_ROWS, whereOf } from './channels.ts'

const ADVICE = 'do not take payments over it; if it stays so after the chain is in sync, make a support bundle (`meshbox support-bundle`) and close it'

/** What is added up of one contract and token. */
interface Sum extends ContractSum {
  readonly own: bigint
  /** Not all could be compared at one block: why not. */
  readonly gap: string | null
}

export async function chainCheck(findings: Findings, ports: AuditPorts): Promise<void> {
  const sums = new Map<string, Sum>()
  let last = 0
  for (;;) {
    const rows = ports.look((books) => books.channelsAfter(last, CHANNEL_ROWS))
    for (const row of rows) {
      if (row.phase === 'settled') continue // the contract has forgotten it
      await one(findings, ports, row, sums)
      await ports.pause()
    }
    last = rows.at(-1)?.number ?? last
    if (rows.length < CHANNEL_ROWS) return compare(findings, sums)
  }
}

async function one(findings: Findings, ports: AuditPorts, before: ChannelRow, sums: Map<string, Sum>): Promise<void> {
  const chain = await ports.chainOf(before)
  // The chain's news may have come in between.
  const [row] = ports.look((books) => books.channelsAfter(before.number - 1, 1))
  if (row === undefined || row.number !== before.number || row.phase === 'settled') return
  const where = whereOf(row)
  const why = 'why' in chain ? chain.why : isSame(before, row) ? null : 'it got news while it was looked at'
  if ('why' in chain || why !== null) {
    findings.unchecked('chain', `${where}: ${why ?? ''}`)
    add(sums, row, null, `${where}: ${why ?? ''}`)
    return
  }
  findings.looked('chain')
  add(sums, row, chain, null)
  if (!chain.isOpen) findings.add({ check: 'chain', what: 'a channel that is kept is not in the contract', where, amount: null, advice: ADVICE })
  for (const [name, side, there] of [['own', row.own, chain.own], ['partner', row.partner, chain.partner]] as const)
    for (const field of ['deposit', 'withdrawn', 'claimed'] as const)
      if (chain.isOpen && side[field] !== there[field]) findings.add({ check: 'chain', what: `the ${name} side's ${field} is not what the contract has`, where, amount: { expected: there[field], found: side[field], token: row.token }, advice: ADVICE })
}

/** What the contract keeps for both sides of a channel. */
function potOf(own: ChainSide, partner: ChainSide): bigint {
  return own.deposit + partner.deposit - own.claimed - partner.claimed - own.withdrawn - partner.withdrawn
}

function add(sums: Map<string, Sum>, { contract, token, own, partner }: ChannelRow, chain: { readonly block: number; readonly own: ChainSide; readonly partner: ChainSide; readonly isOpen: boolean } | null, gap: string | null): void {
  const name = `${contract} ${token}`
  const sum = sums.get(name) ?? { contract, token, block: chain?.block ?? 0, channels: 0, pot: 0n, own: 0n, gap: null }
  const isOneBlock = chain === null || sum.channels === 0 || sum.block === chain.block
  const there = chain?.isOpen === true ? potOf(chain.own, chain.partner) : 0n
  sums.set(name, {
    ...sum,
    block: chain?.block ?? sum.block,
    channels: sum.channels + (chain === null ? 0 : 1),
    pot: sum.pot + there,
    own: sum.own + potOf(own, partner),
    gap: sum.gap ?? gap ?? (isOneBlock ? null : 'blocks came while its channels were looked at; audit again'),
  })
}

/** The sum of all, or why there is none: it never passes in silence. */
function compare(findings: Findings, sums: ReadonlyMap<string, Sum>): void {
  for (const { contract, token, block, channels, pot, own, gap } of sums.values()) {
    if (gap !== null) {
      findings.unchecked('chain-sum', `all channels in ${token} of contract ${contract}: ${gap}`)
      continue
    }
    findings.looked('chain-sum')
    findings.contract({ contract, token, block, channels, pot })
    if (pot !== own) findings.add({ check: 'chain-sum', what: 'what all channels hold together is not what the contract has of them', where: `contract ${contract}, block ${block}, channels: ${channels}`, amount: { expected: pot, found: own, token }, advice: ADVICE })
  }
}

function isSame(a: ChannelRow, b: ChannelRow): boolean {
  return a.phase === b.phase && (['own', 'partner'] as const).every((side) => (['deposit', 'withdrawn', 'claimed'] as const).every((field) => a[side][field] === b[side][field]))
}
