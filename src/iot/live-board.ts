/** What the owner sees as it happens: the last frames and the last orders to concentrators, in memory. */
import { asError, momentOf } from '../base/index.ts'
import type { Cancel, Clock, Log } from '../base/index.ts'
import type { DownlinkEvent } from './desk.ts'
import type { Eui, FrameEvent, Heard, TenantId, TenantVerdict, TxAck, Verdict } from './ports.ts'

const KEPT = 200

export class LiveBoard {
  readonly #clock: Clock
  readonly #log: Log
  readonly #frames: FrameEvent[] = []
  readonly #downlinks: DownlinkEvent[] = []
  readonly #listeners = new Set<(frame: FrameEvent) => void>()
  uplinks = 0
  downlinksSent = 0
  downlinksFailed = 0

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** It is shown at once; `sold` says later what became of it with tenants, and then it is told. */
  frame(heard: Heard, verdict: Verdict, isForTenants: boolean): { sold(tenants: ReadonlyMap<TenantId, TenantVerdict>): void } {
    this.uplinks++
    const { phy, ...rest } = heard
    const first: FrameEvent = { at: momentOf(this.#clock), heard: { ...rest, bytes: phy.length }, verdict: verdict.kind, devEui: devEuiOf(verdict), tenants: [] }
    this.#frames.unshift(first)
    if (this.#frames.length > KEPT) this.#frames.pop()
    if (!isForTenants) this.#tell(first)
    return {
      sold: (tenants) => {
        const event = { ...first, tenants: [...tenants].map(([id, each]) => ({ id, verdict: each })) }
        const place = this.#frames.indexOf(first)
        if (place >= 0) this.#frames[place] = event
        this.#tell(event)
      },
    }
  }

  downlink(ack: TxAck, devEui: Eui | null, tenant: TenantId | null): void {
    if (ack.sent === null) this.downlinksFailed++
    else this.downlinksSent++
    this.#downlinks.unshift({ ...ack, at: momentOf(this.#clock), devEui, tenant })
    if (this.#downlinks.length > KEPT) this.#downlinks.pop()
  }

  frames(limit: number): readonly FrameEvent[] {
    return this.#frames.slice(0, limit)
  }

  downlinks(limit: number): readonly DownlinkEvent[] {
    return this.#downlinks.slice(0, limit)
  }

  onFrame(listener: (frame: FrameEvent) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(event: FrameEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (thrown) {
        this.#log.error('who looks at frames failed', { error: asError(thrown) })
      }
    }
  }
}

export function devEuiOf(verdict: Verdict): Eui | null {
  switch (verdict.kind) {
    case 'reading':
      return verdict.reading.devEui
    case 'join':
      return verdict.event.devEui
    case 'mac':
    case 'repeated':
    case 'refused':
      return verdict.devEui
    case 'unknown':
      return null
  }
}
