/**
 * A concentrator that is not there, speaking GWMP as Semtech's forwarder does: one socket up, one down; PUSH_ACK counted; orders judged
 * against its own counter and its queue of 32, with the forwarder's habit of comparing unsigned; TX_ACK without JSON for a yes. A frame takes the air as long
 * as it is. The queue lets two frames be 2.5 ms apart, but one whose turn to be loaded comes while the other is still on the air is lost, though it got its yes. Powers
 * are those of Semtech's tables, without antenna gain: an SX1301 refuses what is not in it, an SX1302 sends with the next lower one and says so. What goes on the
 * air is told at its moment. Its network can lose and repeat.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'

const ROUND_US = 2 ** 32
const TOO_EARLY_US = 512_000_000
const PLACES = 32
const GAP_US = 2_500
/** A frame leaves the queue for the radio so long before its slot. */
const LOADED_US = 30_000
const CHIPS = {
  sx1301: { tooLateUs: 32_500, nowUs: 1_000_000, perDatagram: 8 },
  sx1302: { tooLateUs: 42_500, nowUs: 80_000, perDatagram: 255 },
} as const
const POWERS_DBM = [-6, -3, 0, 3, 6, 10, 11, 12, 13, 14, 16, 20, 23, 25, 26, 27]

export interface ConcentratorOptions {
  readonly gateway: string
  readonly host?: string
  readonly port: number
  /** Default sx1301. */
  readonly chip?: keyof typeof CHIPS
  /** Default 2. */
  readonly version?: 1 | 2
  readonly keepaliveMs?: number
  /** What the counter says at the start; near 2^32 to see it wrap. */
  readonly counterUs?: number
  /** Of a datagram: lost, sent twice. Asked for each, in both directions. */
  readonly fate?: (direction: 'up' | 'down') => 'through' | 'lost' | 'twice'
  /** Between a frame's end and its datagram. */
  readonly delayMs?: () => number
}

export interface HeardFrame {
  readonly phy: Uint8Array
  readonly freq?: number
  readonly datr?: string | number
  readonly codr?: string
  readonly rssi?: number
  readonly lsnr?: number
  readonly chan?: number
  readonly stat?: number
  /** Fields to add or to spoil. */
  readonly more?: Readonly<Record<string, unknown>>
}

export interface AirFrame {
  readonly phy: Uint8Array
  readonly freq: number
  readonly datr: string | number
  readonly powe: number
  /** Counter at the start; null: at once. */
  readonly tmst: number | null
  readonly txpk: Readonly<Record<string, unknown>>
}

interface Waiting {
  readonly startUs: number
  readonly endUs: number
}

export class Concentrator {
  readonly #options: ConcentratorOptions
  readonly #eui: Buffer
  #up: Socket | null = null
  #down: Socket | null = null
  #keepalive: NodeJS.Timeout | undefined
  readonly #timers = new Set<NodeJS.Timeout>()
  #startMs = performance.now()
  #startUs: number
  #token = 0x1000
  #queue: Waiting[] = []
  #busyUntilUs = 0
  readonly onAir: AirFrame[] = []
  /** Got their yes, and were never sent: another was on the air when they should have been loaded. */
  readonly swallowed: AirFrame[] = []
  /** By kind of datagram. */
  readonly seen = { pushAcks: 0, pullAcks: 0, orders: 0 }
  readonly answers: string[] = []
  pushes = 0
  /** Milliseconds from PUSH_DATA to its PUSH_ACK. */
  readonly ackMs: number[] = []
  readonly #sentAt = new Map<number, number>()
  #listener: (frame: AirFrame) => void = () => undefined

  constructor(options: ConcentratorOptions) {
    this.#options = options
    this.#eui = Buffer.from(options.gateway, 'hex')
    this.#startUs = options.counterUs ?? 0
  }

  async start(): Promise<void> {
    this.#up = await this.#open((bytes) => this.#takeUp(bytes))
    await this.#openDown()
    this.#keepalive = setInterval(() => this.pull(), this.#options.keepaliveMs ?? 5_000)
  }

  stop(): void {
    clearInterval(this.#keepalive)
    for (const timer of this.#timers) clearTimeout(timer)
    this.#up?.close()
    this.#down?.close()
    this.#up = this.#down = null
  }

  /** Another port downward, as after a router's change of mind. */
  async moveDown(): Promise<void> {
    this.#down?.close()
    await this.#openDown()
  }

  /** The forwarder starts anew: counter and queue begin again. */
  restart(counterUs = 0): void {
    this.#startMs = performance.now()
    this.#startUs = counterUs
    this.#queue = []
    this.#busyUntilUs = 0
  }

  onSent(listener: (frame: AirFrame) => void): void {
    this.#listener = listener
  }

  get counterUs(): number {
    return (this.#startUs + Math.floor((performance.now() - this.#startMs) * 1_000)) % ROUND_US
  }

  pull(): void {
    this.#send(this.#down, 2, Buffer.alloc(0))
  }

  /** What was fetched at once, in as few datagrams as the forwarder needs; answers the counter each was given. */
  hear(...frames: readonly HeardFrame[]): number[] {
    const tmst = this.counterUs
    const { perDatagram } = this.#chip
    for (let from = 0; from < frames.length; from += perDatagram) this.push({ rxpk: frames.slice(from, from + perDatagram).map((frame) => rxpkOf(frame, tmst)) })
    return frames.map(() => tmst)
  }

  get #chip(): (typeof CHIPS)[keyof typeof CHIPS] {
    return CHIPS[this.#options.chip ?? 'sx1301']
  }

  /** Any JSON, or bytes that are none. */
  push(body: unknown): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
    const send = (): void => {
      this.pushes += 1
      this.#sentAt.set(this.#send(this.#up, 0, bytes), performance.now())
      if (this.#sentAt.size > 1_000) this.#sentAt.delete(this.#sentAt.keys().next().value ?? 0)
    }
    const delayMs = this.#options.delayMs?.() ?? 0
    if (delayMs > 0) this.#after(delayMs, send)
    else send()
  }

  stat(more: object = {}): void {
    this.push({ stat: { time: '2026-01-12 08:59:28 GMT', rxnb: 2, rxok: 2, rxfw: 2, ackr: 100, dwnb: 1, txnb: 1, ...more } })
  }

  #takeUp(bytes: Buffer): void {
    if (bytes.length !== 4 || bytes[3] !== 1) return
    this.seen.pushAcks += 1
    const sentAt = this.#sentAt.get(bytes.readUInt16BE(1))
    if (sentAt !== undefined) this.ackMs.push(performance.now() - sentAt)
    this.#sentAt.delete(bytes.readUInt16BE(1))
  }

  #takeDown(bytes: Buffer): void {
    if (bytes[3] === 4) this.seen.pullAcks += 1
    if (bytes[3] !== 3) return
    this.seen.orders += 1
    const token = bytes.readUInt16BE(1)
    let txpk: Record<string, unknown>
    try {
      txpk = (JSON.parse(bytes.subarray(4).toString()) as { txpk: Record<string, unknown> }).txpk
    } catch {
      return // a forwarder drops what it cannot read without a word
    }
    const error = this.#judge(txpk)
    if (error === null) return
    this.answers.push(error)
    if (this.#options.version === 1) return
    const sentWith = powerFor(txpk['powe'])
    const ack = error !== 'NONE' ? { error } : sentWith !== txpk['powe'] ? { warn: 'TX_POWER', value: sentWith } : null
    this.#send(this.#down, 5, ack === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify({ txpk_ack: ack })), token)
  }

  /** Null: dropped silently, for want of a field. */
  #judge(txpk: Readonly<Record<string, unknown>>): string | null {
    const { freq, modu, datr, codr, fdev, size, data, rfch, powe } = txpk
    const isWhole = typeof freq === 'number' && typeof rfch === 'number' && typeof data === 'string' && typeof size === 'number' && (modu === 'FSK' ? typeof fdev === 'number' && typeof datr === 'number' : typeof codr === 'string' && typeof datr === 'string')
    if (!isWhole) return null
    const isNow = txpk['imme'] === true
    const tmst = typeof txpk['tmst'] === 'number' ? txpk['tmst'] : null
    if (!isNow && tmst === null) return typeof txpk['tmms'] === 'number' ? 'GPS_UNLOCKED' : null
    if (freq < 863 || freq > 870) return 'TX_FREQ'
    const sentWith = powerFor(powe)
    if (this.#options.chip !== 'sx1302' && sentWith !== powe) return 'TX_POWER'
    if (this.#queue.length >= PLACES) return 'COLLISION_PACKET'
    const nowUs = performance.now() * 1_000
    const leadUs = isNow ? this.#chip.nowUs : ((tmst ?? 0) - this.counterUs + ROUND_US) % ROUND_US
    if (leadUs > TOO_EARLY_US) return 'TOO_EARLY'
    if (leadUs <= this.#chip.tooLateUs) return 'TOO_LATE'
    const lastsUs = lastsFor(txpk)
    const clashing = (startUs: number): Waiting | undefined => this.#queue.find((other) => startUs < other.endUs + GAP_US && other.startUs < startUs + lastsUs + GAP_US)
    let startUs = nowUs + leadUs
    // Without a moment of its own it goes where there is room.
    for (let other = clashing(startUs); other !== undefined; other = clashing(startUs)) {
      if (!isNow) return 'COLLISION_PACKET'
      startUs = other.endUs + GAP_US
    }
    const waiting = { startUs, endUs: startUs + lastsUs }
    this.#queue.push(waiting)
    const frame: AirFrame = { phy: new Uint8Array(Buffer.from(data, 'base64')), freq, datr: datr as string | number, powe: sentWith, tmst, txpk }
    this.#after((startUs - nowUs) / 1_000, () => {
      if (!this.#queue.includes(waiting)) return // started anew since
      this.#queue = this.#queue.filter((other) => other !== waiting)
      if (this.#busyUntilUs > startUs - LOADED_US) return void this.swallowed.push(frame)
      this.#busyUntilUs = waiting.endUs
      this.onAir.push(frame)
      this.#listener(frame)
    })
    return 'NONE'
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    this.#timers.add(timer)
  }

  #send(socket: Socket | null, kind: number, body: Buffer, token = (this.#token = (this.#token + 1) % 0x1_0000)): number {
    const head = Buffer.from([this.#options.version ?? 2, token >> 8, token & 255, kind])
    const datagram = Buffer.concat([head, this.#eui, body])
    for (let times = timesOf(this.#options.fate?.('up')); times > 0; times--) socket?.send(datagram, this.#options.port, this.#options.host ?? '127.0.0.1', () => undefined)
    return token
  }

  async #openDown(): Promise<void> {
    this.#down = await this.#open((bytes) => this.#takeDown(bytes))
    this.pull()
  }

  #open(take: (bytes: Buffer) => void): Promise<Socket> {
    const socket = createSocket('udp4')
    socket.on('message', (bytes) => {
      for (let times = timesOf(this.#options.fate?.('down')); times > 0; times--) take(bytes)
    })
    socket.on('error', () => undefined)
    return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)))
  }
}

/** Of the table, the highest that is not above; the least where all are. */
function powerFor(powe: unknown): number {
  return POWERS_DBM.findLast((power) => power <= Number(powe ?? 0)) ?? POWERS_DBM[0] ?? 0
}

/** Microseconds, as Semtech's HAL counts them (lgw_time_on_air), to the symbol; not by the box's own formula, which is tested with this. */
function lastsFor(txpk: Readonly<Record<string, unknown>>): number {
  const { datr, codr, prea } = txpk
  const [size, crc] = [Number(txpk['size']), txpk['ncrc'] === true ? 0 : 1]
  if (typeof datr === 'number') return (8e6 * (Math.max(3, Number(prea ?? 5)) + 3 + 1 + size + 2 * crc)) / datr
  const [, factor, kilohertz] = /^SF(\d+)BW(\d+)$/.exec(String(datr)) ?? []
  const [sf, symbolUs] = [Number(factor), (2 ** Number(factor) * 1_000) / Number(kilohertz)]
  const low = symbolUs > 16_000 ? 1 : 0
  const words = Math.max(0, Math.ceil((8 * size - 4 * sf + 28 + 16 * crc) / (4 * (sf - 2 * low))))
  return symbolUs * (Math.max(6, Number(prea ?? 8)) + 4.25 + 8 + words * (Number(String(codr).slice(2)) || 5))
}

function timesOf(fate: 'through' | 'lost' | 'twice' = 'through'): number {
  return fate === 'lost' ? 0 : fate === 'twice' ? 2 : 1
}

export function rxpkOf(frame: HeardFrame, tmst: number): Record<string, unknown> {
  const { phy, freq = 868.1, datr = 'SF7BW125', codr = '4/5', rssi = -57, lsnr = 9, chan = 0, stat = 1, more = {} } = frame
  return { tmst, chan, rfch: 0, freq, stat, modu: typeof datr === 'number' ? 'FSK' : 'LORA', datr, ...(typeof datr === 'number' ? {} : { codr }), rssi, lsnr, size: phy.length, data: Buffer.from(phy).toString('base64'), ...more }
}
