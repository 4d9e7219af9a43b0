/**
 * Looks at the boxes as their owners would (control sockets, and what the roofs answer) and writes what it sees into the scene. Money
 * that moves on the map is an entry of a book: nothing is drawn that was not booked.
 */
import { readFileSync, readdirSync } from 'node:fs'
import type { ChainPageView, EarningsJson, EntriesJson, IotDevicesJson, PhotonChannelsJson, SessionsJson } from '../../src/owner/index.ts'
import { socketRequest, type Service } from '../../test/support/town-services.ts'
import type { Scene } from './scene.ts'
import { HOPS, STREET, type Roof, type Street } from './street.ts'

const EVERY_MS = 1_000
const MIB = 1_048_576

/** A box that runs the whole bundled service. */
export interface WatchedBox {
  readonly name: string
  readonly role: string
  /** Null: not started, or without power. */
  service(): Service | null
}

export interface Watched {
  readonly boxes: ReadonlyMap<string, WatchedBox>
  readonly street: () => Street | null
  /** Who the device is. */
  readonly nameOf: (mac: string) => { readonly id: string; readonly name: string } | null
  readonly guests: () => readonly { readonly id: string; readonly name: string }[]
}

export class Watcher {
  readonly #scene: Scene
  readonly #watched: Watched
  /** Newest entry of each book that was shown. */
  readonly #shown = new Map<string, number>()
  readonly #heads = new Map<string, number>()
  /** Session to guest. */
  readonly #sessions = new Map<string, string>()
  readonly #earnedUnits = new Map<Roof, bigint>()
  readonly #bytes = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #peakOfFour = 0
  #isOver = false

  constructor(scene: Scene, watched: Watched) {
    this.#scene = scene
    this.#watched = watched
  }

  start(): void {
    void this.#round()
  }

  stop(): void {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** Of the four greatest boxes at once, the most that was seen; bytes. */
  get peakOfFour(): number {
    return this.#peakOfFour
  }

  async #round(): Promise<void> {
    for (const [id, box] of this.#watched.boxes) await this.#look(id, box)
    const street = this.#watched.street()
    if (street !== null) for (const roof of STREET) await this.#lookAtRoof(street, roof)
    this.#weigh(street)
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#round(), EVERY_MS)
  }

  async #look(id: string, box: WatchedBox): Promise<void> {
    const service = box.service()
    const { name, role } = box
    if (service === null || service.process.exitCode !== null || service.process.signalCode !== null) {
      this.#scene.box(id, { name, role, state: 'off', facts: [] })
      if (id === 'box1') this.#showGuests(null)
      return
    }
    const [sessions, earnings, chain, channels, sensors] = await Promise.all([
      id === 'box1' ? ask<SessionsJson>(service, '/api/sessions') : null,
      ask<EarningsJson>(service, '/api/earnings'),
      ask<ChainPageView>(service, '/api/chain'),
      ask<PhotonChannelsJson>(service, '/api/photon/channels'),
      id === 'box1' ? ask<IotDevicesJson>(service, '/api/iot/devices') : null,
    ])
    if (earnings === null) return // busy with its start or end
    const head = chain?.head.number ?? null
    const open = channels?.channels.filter(({ phase }) => phase === 'opened') ?? []
    const facts = [...(head === null ? [] : [`block ${head}`]), ...(open.length === 0 ? [] : [`${open.length} channel${open.length === 1 ? '' : 's'}: ${open.map(({ own, token }) => `${own.spendable.text} ${token.symbol}`).join(', ')}`])]
    for (const sensor of sensors?.devices ?? []) facts.push(...sensor.values.map(({ name: what, value, unit }) => `${sensor.name}: ${what} ${value}${unit === null ? '' : ` ${unit}`}`))
    if (sessions !== null) {
      facts.unshift(`${sessions.sessions.length} guest${sessions.sessions.length === 1 ? '' : 's'} on line`)
      this.#showGuests(sessions)
    }
    const earned = earnings.earnedTotal.all
    this.#scene.box(id, { name, role, state: 'on', earned: earned.units === '0' ? null : `${earned.text} ${earnings.token.symbol}`, facts })
    this.#showBlock(id, head)
    await this.#showEntries(id, service, earnings.token.symbol)
  }

  #showGuests(found: SessionsJson | null): void {
    this.#sessions.clear()
    const known = new Set(this.#watched.guests().map(({ id }) => id))
    for (const { id, name } of this.#watched.guests()) {
      const session = found?.sessions.find(({ devices }) => devices.some(({ mac }) => this.#watched.nameOf(mac)?.id === id))
      if (session !== undefined) this.#sessions.set(session.id, id)
      const left = session?.source === 'stream' ? 'by the second' : session?.secondsLeft == null ? '' : `${clock(session.secondsLeft)} left`
      this.#scene.guest(id, { name, state: session === undefined ? 'captured' : session.state === 'paused' ? 'paused' : 'online', note: session === undefined ? 'not paid' : session.state === 'paused' ? 'paused' : left })
      this.#scene.link(`wifi-${id}`, { from: id, to: 'box1', kind: 'mesh', state: session?.state === 'active' ? 'up' : 'shut' })
    }
    for (const id of Object.keys(this.#scene.view.guests)) if (!known.has(id)) this.#scene.guest(id, null)
  }

  #showBlock(id: string, head: number | null): void {
    const before = this.#heads.get(id)
    if (head === null) return
    this.#heads.set(id, head)
    const sealer = this.#watched.boxes.has('hall') && this.#heads.has('hall') ? 'hall' : 'box1'
    if (before !== undefined && head > before && id === 'box1' && 'wan' in this.#scene.view.links) this.#scene.flow({ kind: 'block', by: sealer === 'hall' ? ['hall', 'internet', 'box1'] : ['box1', 'internet'], label: `${head}` })
    if (before !== undefined && head > before && id === 'box2') this.#scene.flow({ kind: 'block', by: ['box1', 'box2'], label: '' })
    this.#scene.figure('block', String(Math.max(...this.#heads.values())))
  }

  async #showEntries(id: string, service: Service, symbol: string): Promise<void> {
    const afterId = this.#shown.get(id) ?? 0
    const page = await ask<EntriesJson>(service, `/api/earnings/entries?limit=100&afterId=${afterId}`)
    if (page === null) return
    for (const entry of page.entries) {
      this.#shown.set(id, entry.id)
      const came = entry.postings.filter(({ amount }) => BigInt(amount.units) > 0n)[0]
      if (entry.kind !== 'earn' || came === undefined) continue
      const buyer = entry.source.startsWith('hotspot') ? (this.#sessions.get(entry.evidence.id) ?? [...this.#sessions.values()].at(-1)) : entry.source.startsWith('iot') ? 'box2' : null
      if (buyer != null && id === 'box1') this.#scene.flow({ kind: 'money', by: [buyer, 'box1'], label: `+${came.amount.text} ${symbol}` })
      if (entry.source.startsWith('iot')) this.#scene.flow({ kind: 'frame', by: ['field', 'box1', 'box2'], label: '' })
    }
  }

  async #lookAtRoof(street: Street, roof: Roof): Promise<void> {
    const state = street.isOn(roof) ? 'on' : 'off'
    if (state === 'off') return this.#scene.box(roof, { state, facts: [], isCheating: false })
    const facts = await street.facts(roof)
    if (facts === null) return
    const entries = await street.entriesAfter(roof, this.#shown.get(roof) ?? 0)
    let earned = 0n
    for (const entry of entries) {
      this.#shown.set(roof, entry.id)
      for (const { account, amount } of entry.postings) {
        const client = STREET.find((other) => other !== roof && account.includes(street.accountOf(other)))
        if (client === undefined || BigInt(amount) <= 0n) continue
        earned += BigInt(amount)
        this.#scene.flow({ kind: 'money', by: [client, roof], label: `+${amount}` })
      }
    }
    this.#earnedUnits.set(roof, (this.#earnedUnits.get(roof) ?? 0n) + earned)
    const all = this.#earnedUnits.get(roof) ?? 0n
    const carried = facts.carriages.filter(({ carrier }) => carrier === street.boxOf(roof)).reduce((sum, { lastBytes }) => sum + Number(lastBytes.up) + Number(lastBytes.down), 0)
    this.#scene.box(roof, {
      state,
      earned: all === 0n ? null : `${all} units`,
      isCheating: street.isCheating(roof),
      facts: [...(facts.own?.unitsPerMiB == null ? [] : [`asks ${facts.own.unitsPerMiB} a MiB`]), ...(carried === 0 ? [] : [`carried ${(carried / MIB).toFixed(1)} MiB`])],
    })
    for (const [client, carrier] of HOPS) {
      if (carrier !== roof) continue
      const carriage = facts.carriages.filter((one) => one.client === street.boxOf(client)).at(-1)
      const bytes = Number(carriage?.lastBytes.up ?? 0)
      const id = `${client}-${carrier}`
      if (bytes > (this.#bytes.get(id) ?? 0)) this.#scene.flow({ kind: 'bytes', by: [client, carrier], label: '' })
      this.#bytes.set(id, bytes)
      this.#scene.link(id, { from: client, to: carrier, kind: 'mesh', state: !street.isOn(client) ? 'down' : carriage === undefined || carriage.state === 'running' || carriage.state === 'offered' ? 'up' : 'shut' })
    }
  }

  /** Resident memory of all boxes' processes and of what they started. */
  #weigh(street: Street | null): void {
    const boxes = [...[...this.#watched.boxes.values()].flatMap((box) => box.service()?.process.pid ?? []), ...(street?.processes ?? [])]
    const sizes = residentBytes(boxes).toSorted((one, other) => other - one)
    this.#peakOfFour = Math.max(this.#peakOfFour, sumOf(sizes.slice(0, 4)))
    this.#scene.figure('boxes’ memory', `${(sumOf(sizes) / MIB).toFixed(0)} MiB`)
  }
}

async function ask<T>(service: Service, path: string): Promise<T | null> {
  const answer = await socketRequest(service.files.socket, 'GET', path).catch(() => null) // it has just ended: the next round shows it
  return answer?.status === 200 ? (JSON.parse(answer.body) as T) : null
}

function clock(seconds: number): string {
  if (seconds >= 7_200) return `${Math.round(seconds / 3_600)} h`
  return seconds >= 90 ? `${Math.round(seconds / 60)} min` : `${seconds} s`
}

const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0)

/** Of each of these processes with its children, from /proc; a page that two of them share counts twice. */
function residentBytes(roots: readonly number[]): readonly number[] {
  const parents = new Map<number, number>()
  const bytes = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0))
      bytes.set(Number(name), Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024)
    } catch {
      // it has ended since the list was read
    }
  }
  const isOf = (root: number, pid: number): boolean => pid > 1 && (pid === root || isOf(root, parents.get(pid) ?? 0))
  return roots.map((root) => sumOf([...bytes].filter(([pid]) => isOf(root, pid)).map(([, size]) => size)))
}
