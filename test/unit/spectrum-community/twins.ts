/**
 * The same calls on two worlds: our contracts, and the original's code over the same genesis storage at the same
 * addresses. After every call both must say the same and hold the same, save where ours is stricter by intent.
 */
import { COMMUNITY_ADDRESSES } from '../../../src/spectrum/community/index.ts'
import type { Community } from '../../../src/spectrum/community/index.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Hex, LogEntry } from '../../../src/spectrum/index.ts'
import { World, data } from './evm.ts'
import type { Call, Outcome } from './evm.ts'
import { ORIGINAL } from './original.ts'
import { PEOPLE } from './village.ts'

export type Contract = 'Chief' | 'ChiefBase' | 'Poc'
export const CONTRACTS: readonly Contract[] = ['Chief', 'ChiefBase', 'Poc']
const RICH = 10n ** 24n

export interface Act {
  readonly from: Address
  readonly contract: Contract
  readonly method: string
  readonly values: readonly unknown[]
  readonly valueWei?: bigint
}

export class Twins {
  readonly ours: World
  readonly original: World
  /** Calls that only the original takes, without any effect: contract, method and how often. */
  readonly stricter = new Map<string, number>()
  calls = 0

  private constructor(ours: World, original: World) {
    this.ours = ours
    this.original = original
  }

  static async of({ network }: Community): Promise<Twins> {
    const people = PEOPLE.map((one) => ({ address: one.address, balanceWei: RICH }))
    const contracts = network.genesis.accounts.filter((account) => account.code !== undefined)
    const theirs = contracts.map((account) => {
      const name = CONTRACTS.find((contract) => COMMUNITY_ADDRESSES[contract] === account.address)
      return name === undefined ? account : { ...account, code: ORIGINAL[name] }
    })
    return new Twins(await World.of([...people, ...contracts]), await World.of([...people, ...theirs]))
  }

  /** Errors: where the two part. */
  async act(act: Act, number: number): Promise<Outcome> {
    const call: Call = { from: act.from, to: COMMUNITY_ADDRESSES[act.contract], data: data(act.contract, act.method, ...act.values), valueWei: act.valueWei ?? 0n, number }
    const mine = await this.ours.call(call)
    const theirs = await this.original.call(call)
    this.calls++
    const name = `${act.contract}.${act.method}`
    if (mine.isOk !== theirs.isOk) {
      if (mine.isOk || theirs.logs.length > 0) throw new Error(`${name} at ${number}: ours ${told(mine)}, the original ${told(theirs)}`)
      this.stricter.set(name, (this.stricter.get(name) ?? 0) + 1)
    } else if (mine.isOk && (mine.output !== theirs.output || !sameLogs(mine.logs, theirs.logs, act.contract))) throw new Error(`${name} at ${number}: ours ${told(mine)}, the original ${told(theirs)}`)
    return mine
  }

  /** A read-only call; what both answer. Errors: where they part. */
  async view(contract: Contract, method: string, values: readonly unknown[], number: number): Promise<Hex> {
    const outcome = await this.act({ from: PEOPLE[23]?.address ?? '0x', contract, method, values }, number)
    if (!outcome.isOk) throw new Error(`${contract}.${method} failed`)
    return outcome.output
  }

  /** Every slot of all three, and the money in them. Errors: where they part. */
  compareState(number: number): void {
    for (const contract of CONTRACTS) {
      const address = COMMUNITY_ADDRESSES[contract]
      const [mine, theirs] = [this.ours.storage(address), this.original.storage(address)]
      for (const slot of new Set([...mine.keys(), ...theirs.keys()]))
        if (mine.get(slot) !== theirs.get(slot)) throw new Error(`${contract} after block ${number}, slot ${slot.toString(16)}: ours ${mine.get(slot)}, the original ${theirs.get(slot)}`)
      if (this.ours.balance(address) !== this.original.balance(address)) throw new Error(`${contract} after block ${number}: another balance`)
    }
    for (const { address } of PEOPLE) if (this.ours.balance(address) !== this.original.balance(address)) throw new Error(`${address} after block ${number}: another balance`)
  }
}

/** Of POC's contracts: ours adds events to the base, which has none in the original. */
function sameLogs(mine: readonly LogEntry[], theirs: readonly LogEntry[], contract: Contract): boolean {
  const text = (logs: readonly LogEntry[]): string => logs.filter((log) => log.address !== COMMUNITY_ADDRESSES.ChiefBase).map((log) => `${log.address} ${log.topics.join()} ${hexOf(log.data)}`).join('\n')
  return text(mine) === text(theirs) && (contract === 'ChiefBase' || mine.length === theirs.length)
}

function told(outcome: Outcome): string {
  return `${outcome.isOk ? 'returned' : 'failed'} ${outcome.output} with ${outcome.logs.length} logs`
}
