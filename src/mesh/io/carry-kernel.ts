/**
 * The kernel's counters and gates of what neighbours carry (metering/carry-rules.ts), through nfnetlink; nft makes the table. A table
 * of the same rules is kept over a restart of the service with what it counted. If somebody removes it, it is made again, and the
 * counters begin anew. Where the kernel has no egress hook, what leaves is traffic control's (leaving-filters.ts): once that
 * is known, it stays so until the service starts again.
 *
 * Egress sees a frame with its Ethernet header, ingress without: 14 bytes a frame are taken off what left, so that both ends of a
 * link count the same.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MeshBoxError, asError } from '../../base/index.ts'
import type { Log } from '../../base/index.ts'
import { NfRefused } from '../../native/index.ts'
import type { NfChange, NfElement, NfSet, Nfnetlink } from '../../native/index.ts'
import { macBytes, macText } from '../documents/index.ts'
import { ADMITTED_SET, CARRY_TABLE, MAX_NEIGHBOURS, carryShape, carryTable, countingSets } from '../metering/index.ts'
import type { CarryRules, CountingSet, LeavingBy, LinkTraffic, TrafficSource } from '../metering/index.ts'
import type { CarriageGate, Mac } from '../ports.ts'
import { LeavingFilters } from './leaving-filters.ts'
import type { LeavingTools } from './leaving-filters.ts'

const run = promisify(execFile)
const NFT_TIMEOUT_MS = 20_000
const ETHERNET_HEADER_BYTES = 14
/** Room that is kept in the counting sets: neighbours that left long ago go before it is used. */
const SPARE_NEIGHBOURS = 64
/** nft's words for a hook that the kernel does not have. */
const HOOK_MISSING = 'Operation not supported'

export interface CarryKernelParts {
  readonly netlink: Pick<Nfnetlink, 'commit' | 'dumpElements'>
  /** `['nft']`, or with what goes before it to reach another network namespace. */
  readonly nft: readonly string[]
  /** For the text of the table, while nft reads it. */
  readonly runtimeDir: string
  readonly log: Log
  /** For kernels without an egress hook; missing: nothing is counted there. */
  readonly leaving?: LeavingTools
  /** Missing: the kernel is asked. */
  readonly leavingBy?: LeavingBy
}

interface Count {
  readonly packets: bigint
  readonly bytes: bigint
}

type Counts = Readonly<Record<CountingSet, ReadonlyMap<Mac, Count>>>

const NOTHING: Count = { packets: 0n, bytes: 0n }
const NOBODY: ReadonlyMap<Mac, Count> = new Map()
const NO_COUNTS: Counts = { in_all: NOBODY, in_carried: NOBODY, in_ended: NOBODY, out_all: NOBODY, out_carried: NOBODY }

export class CarryKernel implements TrafficSource, CarriageGate {
  readonly #parts: CarryKernelParts
  #rules: CarryRules | null = null
  /** Null: nobody has said it yet. */
  #allowed: ReadonlyMap<Mac, 'open' | 'closed'> | null = null
  readonly #counting = new Set<Mac>()
  readonly #filters: LeavingFilters | null
  /** Null: not known yet. */
  #leavingBy: LeavingBy | null

  constructor(parts: CarryKernelParts) {
    const { leaving, runtimeDir, log, leavingBy } = parts
    this.#parts = parts
    this.#filters = leaving === undefined ? null : new LeavingFilters({ ...leaving, runtimeDir, log })
    this.#leavingBy = leavingBy ?? null
  }

  /** `kept`: the table was there by these rules, and its counters go on. Who was allowed before stays so. Errors: input (rules), unavailable `carry-table` in nft's words, `carry-filters` in tc's. */
  async install(rules: CarryRules): Promise<'kept' | 'made'> {
    const isThere = await this.#isThere(rules)
    if (!isThere) await this.#make(rules)
    else if (this.#leavingBy === 'filters') await this.#filtersNow().install(rules)
    this.#rules = rules
    this.#counting.clear()
    for (const element of await this.#parts.netlink.dumpElements(setOf('in_all'))) this.#counting.add(macText(element.key))
    if (this.#allowed !== null) await this.#commit(this.#allowed)
    return isThere ? 'kept' : 'made'
  }

  /** Takes the table away, and the filters on `interfaces`: everything is let through and nothing counted. */
  async remove(interfaces: readonly string[] = this.#rules?.interfaces ?? []): Promise<void> {
    this.#rules = null
    await this.#nft(`table netdev ${CARRY_TABLE} { }\ndelete table netdev ${CARRY_TABLE}\ntable inet ${CARRY_TABLE} { }\ndelete table inet ${CARRY_TABLE}\n`)
    if (this.#leavingBy !== 'table') await this.#filters?.remove(interfaces)
  }

  /** Errors: unavailable (NfRefused, `carry-table`, or `not-counting` before the table is there). */
  async read(): Promise<readonly LinkTraffic[]> {
    if (this.#rules === null) throw new MeshBoxError('unavailable', 'nothing is counted yet: batman-adv has no interface', { code: 'not-counting' })
    return this.#leavingBy === 'filters' ? await this.#readBoth() : await this.#readTable()
  }

  async #readTable(): Promise<readonly LinkTraffic[]> {
    const counts = await this.#counts('table')
    return [...counts.in_all.keys()].map((neighbour) => {
      const [forwarded, all] = [of(counts.out_carried, neighbour), of(counts.out_all, neighbour)]
      return { ...arrived(counts, neighbour), sentBytes: left(forwarded), sentPackets: forwarded.packets, allSentBytes: left(all) }
    })
  }

  async #readBoth(): Promise<readonly LinkTraffic[]> {
    const [counts, gone] = await Promise.all([this.#counts('filters'), this.#filtersNow().read()])
    return [...counts.in_all.keys()].map((neighbour) => {
      const { forwarded, other } = gone.get(neighbour) ?? { forwarded: NOTHING, other: NOTHING }
      return { ...arrived(counts, neighbour), sentBytes: left(forwarded), sentPackets: forwarded.packets, allSentBytes: left(forwarded) + left(other) }
    })
  }

  async #counts(leavingBy: LeavingBy): Promise<Counts> {
    const found = await this.#withTable(() => Promise.all(countingSets(leavingBy).map(async (name) => [name, countsOf(await this.#parts.netlink.dumpElements(setOf(name)))] as const)))
    return { ...NO_COUNTS, ...Object.fromEntries(found) }
  }

  /** All at once: who is not named, or `closed`, sends nothing through this box; from the table's making on where it is not there yet. Errors: as `read`; limit above 448 neighbours. */
  async setAllowed(neighbours: ReadonlyMap<Mac, 'open' | 'closed'>): Promise<void> {
    if (neighbours.size > MAX_NEIGHBOURS - SPARE_NEIGHBOURS) throw new MeshBoxError('limit', `${neighbours.size} neighbours; at most ${MAX_NEIGHBOURS - SPARE_NEIGHBOURS} are counted`, { code: 'carry-neighbours' })
    this.#allowed = neighbours
    if (this.#rules === null) return
    await this.#withTable(() => this.#commit(neighbours))
  }

  async #commit(neighbours: ReadonlyMap<Mac, 'open' | 'closed'>): Promise<void> {
    const fresh = [...neighbours.keys()].filter((mac) => !this.#counting.has(mac))
    const gone = this.#counting.size + fresh.length > MAX_NEIGHBOURS - SPARE_NEIGHBOURS ? [...this.#counting].filter((mac) => !neighbours.has(mac)) : []
    const open = [...neighbours].filter(([, gate]) => gate === 'open').map(([mac]) => ({ key: macBytes(mac) }))
    const changes: NfChange[] = [{ op: 'flush-set', ...setOf(ADMITTED_SET) }]
    if (open.length > 0) changes.push({ op: 'add-elements', ...setOf(ADMITTED_SET), elements: open })
    for (const set of countingSets(this.#leavingBy ?? 'table')) {
      if (gone.length > 0) changes.push({ op: 'delete-elements', ...setOf(set), elements: gone.map((mac) => ({ key: macBytes(mac) })) })
      if (fresh.length > 0) changes.push({ op: 'add-elements', ...setOf(set), elements: fresh.map((mac) => ({ key: macBytes(mac) })) })
    }
    await this.#parts.netlink.commit(changes)
    for (const mac of gone) this.#counting.delete(mac)
    for (const mac of fresh) this.#counting.add(mac)
    if (this.#leavingBy === 'filters') await this.#filtersNow().set(this.#counting, new Set(open.map(({ key }) => macText(key))))
  }

  /** Does it, and if the table is not there any more, makes it and does it once more. */
  async #withTable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const rules = this.#rules
      if (!(error instanceof NfRefused) || error.errno !== 'ENOENT' || rules === null) throw error
      this.#parts.log.warn('the table that counts what is carried was gone; it is made again', { table: CARRY_TABLE })
      await this.install(rules)
      return await work()
    }
  }

  /** A table that is there by these rules says who counts what leaves. */
  async #isThere(rules: CarryRules): Promise<boolean> {
    for (const way of this.#leavingBy === null ? (['table', 'filters'] as const) : [this.#leavingBy]) {
      if (!(await this.#hasShape(rules, way))) continue
      this.#leavingBy = way
      return true
    }
    return false
  }

  async #make(rules: CarryRules): Promise<void> {
    if (this.#leavingBy !== 'filters') {
      try {
        await this.#nft(carryTable(rules, 'table'))
        this.#leavingBy = 'table'
        return
      } catch (error) {
        if (!isHookMissing(error) || this.#leavingBy !== null || this.#filters === null) throw error
      }
      this.#parts.log.info('this kernel has no egress hook: traffic control counts what leaves')
    }
    // Filters first: without the table no frame has a mark, and none is dropped.
    await this.#filtersNow().install(rules)
    await this.#nft(carryTable(rules, 'filters'))
    this.#leavingBy = 'filters'
  }

  async #hasShape(rules: CarryRules, leavingBy: LeavingBy): Promise<boolean> {
    try {
      await this.#parts.netlink.dumpElements(setOf(carryShape(rules, leavingBy)))
      return true
    } catch (error) {
      if (error instanceof NfRefused && error.errno === 'ENOENT') return false
      throw error
    }
  }

  #filtersNow(): LeavingFilters {
    if (this.#filters === null) throw new MeshBoxError('unavailable', 'this kernel has no egress hook, and traffic control was not given', { code: 'carry-filters' })
    return this.#filters
  }

  async #nft(text: string): Promise<void> {
    const [program = 'nft', ...words] = this.#parts.nft
    const folder = await mkdtemp(join(this.#parts.runtimeDir, 'carry-'))
    try {
      const file = join(folder, 'carry.nft')
      await writeFile(file, text, { mode: 0o600 })
      await run(program, [...words, '-f', file], { timeout: NFT_TIMEOUT_MS })
    } catch (thrown) {
      const said = typeof thrown === 'object' && thrown !== null && 'stderr' in thrown ? String(thrown.stderr).trim() : ''
      const cause = asError(thrown)
      const hint = said.includes(HOOK_MISSING) ? '; it takes a kernel with CONFIG_NETFILTER_EGRESS (docs/mesh.md)' : ''
      throw new MeshBoxError('unavailable', `the table that counts what is carried was not made: ${said === '' ? cause.message : said.slice(0, 500)}${hint}`, { code: 'carry-table', cause })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

const of = (counts: ReadonlyMap<Mac, Count>, mac: Mac): Count => counts.get(mac) ?? NOTHING
const left = (count: Count): bigint => count.bytes - BigInt(ETHERNET_HEADER_BYTES) * count.packets

function arrived(counts: Counts, neighbour: Mac): Pick<LinkTraffic, 'neighbour' | 'receivedBytes' | 'receivedPackets' | 'endedBytes' | 'allReceivedBytes'> {
  const carried = of(counts.in_carried, neighbour)
  return { neighbour, receivedBytes: carried.bytes, receivedPackets: carried.packets, endedBytes: of(counts.in_ended, neighbour).bytes, allReceivedBytes: of(counts.in_all, neighbour).bytes }
}

function isHookMissing(error: unknown): boolean {
  return error instanceof MeshBoxError && error.message.includes(HOOK_MISSING)
}

function setOf(set: string): NfSet {
  return { family: 'netdev', table: CARRY_TABLE, set }
}

function countsOf(elements: readonly NfElement[]): ReadonlyMap<Mac, Count> {
  return new Map(elements.map(({ key, counter }) => [macText(key), { packets: BigInt(counter?.packets ?? 0), bytes: BigInt(counter?.bytes ?? 0) }]))
}
