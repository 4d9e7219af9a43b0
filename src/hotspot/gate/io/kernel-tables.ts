/**
 * Our tables in the kernel as a whole: reading them, recognising them as ours, and putting them in anew in one
 * transaction, so that there is no moment without rules and no moment without the leases.
 */
import { createHash } from 'node:crypto'
import type { Log } from '../../../base/index.ts'
import { isIp4, readIp } from '../address.ts'
import type { Book } from '../book.ts'
import { wholeBook } from '../book-changes.ts'
import type { Counts } from '../counts.ts'
import { readDump, type Dump, type DumpedElement } from '../dump.ts'
import { guardTable } from '../guard.ts'
import { GARDEN4, GARDEN6, MARK_PREFIX, TABLE, readClassid } from '../names.ts'
import { nftCommands } from '../nft-text.ts'
import type { GateRules } from '../rules.ts'
import { gateTable } from '../ruleset.ts'
import type { Field, SetChange, SetElement, SetName } from '../set-changes.ts'
import type { MacAddress } from '../types.ts'
import type { LinkState } from './guest-link.ts'
import { NftRefused, type NftRunner } from './nft-runner.ts'

/** Who owns which IPv4 address, by DHCP. */
export type LeasedPairs = ReadonlyMap<string, MacAddress>

export interface InstallState {
  readonly book: Book
  readonly counts: Counts
  /** What the kernel had learned, to be carried over; null when there is nothing. */
  readonly learned: Dump | null
  readonly link: LinkState
  readonly nowMs: () => number
}

export class KernelTables {
  #runner: NftRunner
  readonly #rules: GateRules
  readonly #log: Log
  /** Structure the kernel printed after our last installation. */
  #reference: string | null = null
  #hasGuard = true
  #isGuardKnown = true
  #guardTrouble: string | null = null

  constructor(runner: NftRunner, rules: GateRules, log: Log) {
    this.#runner = runner
    this.#rules = rules
    this.#log = log
  }

  /** From now on through this nft. */
  use(runner: NftRunner): void {
    this.#runner = runner
  }

  get guardTrouble(): string | null {
    return this.#guardTrouble
  }

  get hasGuard(): boolean {
    return this.#hasGuard
  }

  /** The guest interface has become a bridge since the tables were installed: they lack the guard. */
  lacksGuard(link: LinkState): boolean {
    return link.isBridge && !this.#hasGuard && this.#isGuardKnown
  }

  /** Both tables as they are now. */
  async read(terse: boolean): Promise<Dump> {
    const texts = await Promise.all([this.#runner.table('inet', TABLE, terse), this.#runner.table('bridge', TABLE, terse)])
    return readDump(texts.filter((text) => text !== null))
  }

  /** Are these the tables that this very configuration would install, untouched since? Then they are kept. */
  recognise(dump: Dump, link: LinkState): boolean {
    this.#hasGuard = this.#wantsGuard(link)
    if (dump.mark !== this.#markOf(dump.structure)) return false
    this.#reference = dump.structure
    this.#noteGuard()
    return true
  }

  isIntact(dump: Dump): boolean {
    return dump.structure === this.#reference && dump.mark === this.#markOf(dump.structure)
  }

  /** Removes what is there and puts everything in, as one transaction. Throws NftRefused or ProcessGone. */
  async install(state: InstallState): Promise<void> {
    this.#hasGuard = this.#wantsGuard(state.link)
    try {
      await this.#runner.run(await this.#installation(state))
    } catch (error) {
      if (!(error instanceof NftRefused) || !this.#hasGuard || !/not supported/i.test(error.message)) throw error
      this.#hasGuard = false
      this.#isGuardKnown = false
      await this.#runner.run(await this.#installation(state))
    }
    this.#noteGuard()
    const { structure } = await this.read(true)
    await this.#runner.run([`add chain inet ${TABLE} ${this.#markOf(structure)}`])
    this.#reference = structure
  }

  /** Contents of the guard's sets that follow the link and DHCP. */
  guardChanges(link: LinkState, leases: LeasedPairs): SetChange[] {
    if (!this.#hasGuard) return []
    const pairs = [...leases].filter(([ip4]) => !link.ip4.includes(ip4)).slice(0, MOST_LEASES - link.ip4.length)
    const single = (texts: readonly string[]): Field[][] => texts.map((text) => [text])
    return [
      ...refill('guest_ports', single(link.ports)),
      ...refill('router_macs', single(link.macs)),
      ...refill('router6', single(link.ip6)),
      ...refill('leased4', pairs.map(([ip4, mac]) => [mac, ip4])),
      ...refill('owned4', single([...link.ip4, ...pairs.map(([ip4]) => ip4)])),
      // Judged by what held until now.
      { do: 'flush', set: 'vetted4' },
      { do: 'flush', set: 'vetted6' },
    ]
  }

  async #installation(state: InstallState): Promise<string[]> {
    const hasBridgeTable = this.#hasGuard || (await this.#runner.table('bridge', TABLE, true)) !== null
    const learned = (set: string): readonly DumpedElement[] => state.learned?.sets.get(`inet ${set}`) ?? []
    const contents = [
      ...carried('owner6', learned('owner6'), ownerElement),
      ...carried(GARDEN4, learned(GARDEN4), ({ key }) => (isIp4(key) ? { key: [key] } : null)),
      ...carried(GARDEN6, learned(GARDEN6), garden6Element),
      ...this.guardChanges(state.link, state.book.leases),
      ...wholeBook(state.book, state.counts, state.nowMs()),
    ]
    return [
      `add table inet ${TABLE}`,
      `delete table inet ${TABLE}`,
      ...(hasBridgeTable ? [`add table bridge ${TABLE}`, `delete table bridge ${TABLE}`] : []),
      ...this.#tables(),
      ...nftCommands(contents),
    ]
  }

  /** An interface that is not there yet will be a bridge; one that was a bridge stays one in our eyes. */
  #wantsGuard(link: LinkState): boolean {
    if (!this.#isGuardKnown) return false
    const isMissing = link.indexOf(this.#rules.guestInterface) === 0
    return link.isBridge || isMissing
  }

  #tables(): string[] {
    return [gateTable(this.#rules, this.#hasGuard), ...(this.#hasGuard ? [guardTable(this.#rules)] : [])]
  }

  /** Name of the chain that says: these rules, and nothing else, by the hand of this configuration. */
  #markOf(structure: string): string {
    const rules = createHash('sha256').update(this.#tables().join('\n')).digest('hex').slice(0, 16)
    return `${MARK_PREFIX}${rules}_${structure}`
  }

  #noteGuard(): void {
    this.#guardTrouble = this.#hasGuard
      ? null
      : !this.#isGuardKnown
        ? 'the kernel has no nftables for bridges (kmod-nft-bridge): forged addresses are not held off'
        : `${this.#rules.guestInterface} is no bridge: forged addresses are not held off and guests not kept apart`
    if (this.#guardTrouble !== null) this.#log.warn(this.#guardTrouble)
  }
}

/** As many as the guard's sets hold. */
const MOST_LEASES = 65_536

function refill(set: SetName, keys: readonly (readonly Field[])[]): SetChange[] {
  const flush: SetChange = { do: 'flush', set }
  return keys.length === 0 ? [flush] : [flush, { do: 'add', set, elements: keys.map((key) => ({ key })) }]
}

/** Learned and resolved addresses of a table about to be replaced; their time starts anew. */
function carried(set: SetName, found: readonly DumpedElement[], read: (element: DumpedElement) => SetElement | null): SetChange[] {
  const elements = found.map(read).filter((element) => element !== null)
  return elements.length === 0 ? [] : [{ do: 'add', set, elements }]
}

function ownerElement(element: DumpedElement): SetElement | null {
  const handle = readClassid(element.value ?? '')
  const address = readIp(element.key)
  return handle === null || address === null ? null : { key: [address], value: handle }
}

function garden6Element(element: DumpedElement): SetElement | null {
  const address = readIp(element.key)
  return address === null || isIp4(address) ? null : { key: [address] }
}
