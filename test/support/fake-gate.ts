/**
 * A gate with a model of the kernel behind it. The kernel outlives the driver: a test may throw away the
 * process's half and look what is still open. Leases run out on the clock, quotas on the bytes.
 */
import type { Clock } from '../../src/base/index.ts'
import { MeshBoxError } from '../../src/base/index.ts'
import type { DeviceCounters, Gate, GateChange, GateHealth, Grant, MacAddress, NeighbourTable } from '../../src/hotspot/index.ts'

interface Opened {
  readonly grant: Grant
  readonly untilMs: number
}

export class FakeKernel {
  readonly #clock: Clock
  readonly #open = new Map<MacAddress, Opened>()
  readonly #counters = new Map<MacAddress, DeviceCounters>()
  /** Bytes of a session as the kernel counts them, and how many it may use in all. */
  readonly #sessions = new Map<string, { used: number; allowance: number | null }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  change(change: GateChange): void {
    for (const mac of change.close) this.#open.delete(mac)
    for (const grant of change.open) this.#admit(grant)
  }

  replace(grants: readonly Grant[]): void {
    this.#open.clear()
    for (const grant of grants) this.#admit(grant)
  }

  /** Power cycle: nothing is left. */
  reboot(): void {
    this.#open.clear()
    this.#counters.clear()
    this.#sessions.clear()
  }

  isOpen(mac: MacAddress): boolean {
    return this.grantOf(mac) !== null
  }

  /** The grant in force now; null when there is none, or its lease or quota ran out. */
  grantOf(mac: MacAddress): Grant | null {
    const opened = this.#open.get(mac)
    if (opened === undefined || opened.untilMs <= this.#clock.boottimeMs()) return null
    const session = this.#sessions.get(opened.grant.sessionId)
    if (session?.allowance != null && session.used >= session.allowance) return null
    return opened.grant
  }

  openUntilMs(mac: MacAddress): number | null {
    return this.grantOf(mac) === null ? null : (this.#open.get(mac)?.untilMs ?? null)
  }

  openMacs(): MacAddress[] {
    return [...this.#open.keys()].filter((mac) => this.isOpen(mac))
  }

  /** The device sends and receives; what the gate does not let through is not counted. True when it passed. */
  traffic(mac: MacAddress, upBytes: number, downBytes: number): boolean {
    const grant = this.grantOf(mac)
    if (grant === null) return false
    const session = this.#sessions.get(grant.sessionId)
    if (session !== undefined) session.used += upBytes + downBytes
    const before = this.#counters.get(mac) ?? { mac, upBytes: 0, downBytes: 0, upPackets: 0, downPackets: 0 }
    this.#counters.set(mac, {
      mac,
      upBytes: before.upBytes + upBytes,
      downBytes: before.downBytes + downBytes,
      upPackets: before.upPackets + 1,
      downPackets: before.downPackets + 1,
    })
    return true
  }

  counters(): DeviceCounters[] {
    return [...this.#counters.values()]
  }

  #admit(grant: Grant): void {
    this.#open.set(grant.mac, { grant, untilMs: this.#clock.boottimeMs() + grant.leaseMs })
    const known = this.#sessions.get(grant.sessionId)
    const used = known?.used ?? grant.usedBytes ?? 0
    const allowance = grant.quotaBytes === null ? null : grant.quotaBytes + (grant.usedBytes ?? used)
    this.#sessions.set(grant.sessionId, { used, allowance })
    if (!this.#counters.has(grant.mac))
      this.#counters.set(grant.mac, { mac: grant.mac, upBytes: 0, downBytes: 0, upPackets: 0, downPackets: 0 })
  }
}

/** Called around everything that reaches the kernel. */
export type GateEdge = (verb: 'apply' | 'replace', when: 'before' | 'after') => Promise<void>

export class FakeGate implements Gate {
  readonly kernel: FakeKernel
  readonly changes: GateChange[] = []
  /** So many of the next changes are refused. */
  failing = 0
  preflightFails = false
  /** While set, changes wait for it before they reach the kernel. */
  hold: Promise<void> | null = null
  readonly #edge: GateEdge

  constructor(kernel: FakeKernel, edge: GateEdge = () => Promise.resolve()) {
    this.kernel = kernel
    this.#edge = edge
  }

  start(): Promise<void> {
    return Promise.resolve()
  }
  stop(): Promise<void> {
    return Promise.resolve()
  }
  async apply(change: GateChange): Promise<void> {
    await this.#edge('apply', 'before')
    await this.hold
    this.#refuse()
    this.changes.push(change)
    this.kernel.change(change)
    await this.#edge('apply', 'after')
  }
  async replace(grants: readonly Grant[]): Promise<void> {
    await this.#edge('replace', 'before')
    this.#refuse()
    this.kernel.replace(grants)
    await this.#edge('replace', 'after')
  }
  async counters(): Promise<DeviceCounters[]> {
    return this.kernel.counters()
  }
  async preflight(): Promise<void> {
    if (this.preflightFails) throw new MeshBoxError('unavailable', 'the gate is down', { code: 'gate-failed' })
  }
  health(): GateHealth {
    return { state: 'ready', repairs: 0, devices: this.kernel.openMacs().length }
  }

  #refuse(): void {
    if (this.failing === 0) return
    this.failing--
    throw new MeshBoxError('unavailable', 'the kernel refused', { code: 'gate-failed' })
  }
}

export class FakeNeighbours implements NeighbourTable {
  readonly ip4 = new Map<MacAddress, string>()
  #listener: (mac: MacAddress, ip4: string) => void = () => undefined
  #heard: (mac: MacAddress) => void = () => undefined

  start(): Promise<void> {
    return Promise.resolve()
  }
  stop(): Promise<void> {
    return Promise.resolve()
  }
  async macOf(address: string): Promise<MacAddress | null> {
    for (const [mac, ip4] of this.ip4) if (ip4 === address) return mac
    return null
  }
  ip4Of(mac: MacAddress): string | null {
    return this.ip4.get(mac) ?? null
  }
  onIp4(listener: (mac: MacAddress, ip4: string) => void): void {
    this.#listener = listener
  }
  onHeard(listener: (mac: MacAddress) => void): void {
    this.#heard = listener
  }
  /** A packet of it came. */
  hear(mac: MacAddress): void {
    this.#heard(mac)
  }
  /** What DHCP does: the device has another address from now on. */
  move(mac: MacAddress, ip4: string): void {
    this.ip4.set(mac, ip4)
    this.#listener(mac, ip4)
  }
}
