/**
 * A Basics Station that is not there: discovery, `version`, frames taken apart as the real one does, orders played at their time with RX2 when RX1
 * cannot be, `dntxed` only when something was sent. Its WebSocket is made by hand, so that it can say what no Station would.
 */
import { randomBytes } from 'node:crypto'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface StationOptions {
  readonly gateway: string
  readonly port: number
  readonly authorization?: string
  /** TLS, with this as the only authority. */
  readonly ca?: Buffer
  /** What it shows of itself. */
  readonly own?: { readonly cert: string; readonly key: string }
}

export interface DnMsg {
  readonly msgtype: string
  readonly diid: number
  readonly dC: number
  readonly pdu: string
  readonly DevEui: string
  readonly RxDelay?: number
  readonly RX1DR?: number
  readonly RX1Freq?: number
  readonly RX2DR?: number
  readonly RX2Freq?: number
}

/** xtime as the real one has it: a number of the run in the upper bits, microseconds in the lower 48. */
const RUN = 0x2an << 48n

export class BasicStation {
  readonly #options: StationOptions
  #socket: Socket | null = null
  #buffer = Buffer.alloc(0)
  readonly #startMs = performance.now()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly texts: string[] = []
  readonly orders: DnMsg[] = []
  readonly sent: { readonly diid: number; readonly window: 1 | 2; readonly pdu: string }[] = []
  /** Windows in which its radio is not free. */
  busy: (order: DnMsg, window: 1 | 2) => boolean = () => false
  closeCode: number | null = null
  isClosed = false
  /** Of the HTTP answer. */
  status = 0

  constructor(options: StationOptions) {
    this.#options = options
  }

  /** Asks where to go; answers the server's words. */
  async discover(router: unknown = this.#options.gateway.match(/../g)?.join('-')): Promise<Record<string, unknown>> {
    await this.open('/router-info')
    this.say({ router })
    await this.#until(() => this.texts.length > 0 || this.isClosed)
    const answer = this.texts.shift()
    this.stop()
    return JSON.parse(answer ?? '{}') as Record<string, unknown>
  }

  /** As a Station does after discovery: its version, then the configuration. */
  async connect(path = `/gateway/${this.#options.gateway}`): Promise<Record<string, unknown>> {
    await this.open(path)
    if (this.status !== 101) return {}
    this.say({ msgtype: 'version', station: '2.0.6(linux/std)', firmware: null, package: null, model: 'linux', protocol: 2, features: 'rmtsh' })
    await this.#until(() => this.texts.length > 0 || this.isClosed)
    return JSON.parse(this.texts.shift() ?? '{}') as Record<string, unknown>
  }

  async open(path: string): Promise<void> {
    const { port, ca, own } = this.#options
    this.isClosed = false
    this.closeCode = null
    this.status = 0
    this.#buffer = Buffer.alloc(0)
    const socket = ca === undefined ? connectTcp(port, '127.0.0.1') : connectTls({ port, host: '127.0.0.1', ca, servername: 'localhost', ...own })
    this.#socket = socket
    socket.on('error', () => undefined)
    // The connection before, from discovery, ends in its own time.
    socket.on('close', () => { if (this.#socket === socket) this.isClosed = true })
    socket.on('data', (chunk: Buffer) => { if (this.#socket === socket) this.#take(chunk) })
    const authorization = this.#options.authorization === undefined ? '' : `Authorization: ${this.#options.authorization}\r\n`
    const ready = ca === undefined ? 'connect' : 'secureConnect'
    socket.once(ready, () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${authorization}\r\n`))
    await this.#until(() => this.status !== 0 || this.isClosed)
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#socket?.destroy()
  }

  say(message: object | string): void {
    this.frame(1, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)))
  }

  /** Masked, as clients must. */
  frame(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4)
    const length = payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255])
    this.#socket?.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))]))
  }

  raw(bytes: Uint8Array): void {
    this.#socket?.write(bytes)
  }

  get xtime(): bigint {
    return RUN + BigInt(Math.floor((performance.now() - this.#startMs) * 1_000))
  }

  /** A frame off the air, taken apart. */
  hear(phy: Uint8Array, { DR = 5, Freq = 868_100_000, rssi = -60, snr = 8.5, more = '' } = {}): bigint {
    const xtime = this.xtime
    this.say(`{${apart(phy)},"RefTime":0.0,"DR":${DR},"Freq":${Freq},"upinfo":{"rctx":0,"xtime":${xtime},"gpstime":0,"fts":-1,"rssi":${rssi},"snr":${snr},"rxtime":1700000000.25}${more}}`)
    return xtime
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    if (this.status === 0) {
      const end = this.#buffer.indexOf('\r\n\r\n')
      if (end < 0) return
      this.status = Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#buffer.toString('latin1'))?.[1] ?? 0)
      this.#buffer = this.#buffer.subarray(end + 4)
    }
    while (this.status === 101 && this.#buffer.length >= 2) {
      const short = (this.#buffer[1] ?? 0) & 127
      const at = short === 126 ? 4 : 2
      if (this.#buffer.length < at) return
      const length = short === 126 ? this.#buffer.readUInt16BE(2) : short
      if (this.#buffer.length < at + length) return
      const [opcode, payload] = [(this.#buffer[0] ?? 0) & 15, this.#buffer.subarray(at, at + length)]
      this.#buffer = this.#buffer.subarray(at + length)
      if (opcode === 8) this.closeCode = payload.readUInt16BE(0)
      if (opcode === 9) this.frame(10, Buffer.from(payload))
      if (opcode === 1) this.#text(payload.toString())
    }
  }

  #text(text: string): void {
    if (!text.includes('"msgtype":"dnmsg"')) {
      this.texts.push(text)
      return
    }
    const order = JSON.parse(text) as DnMsg
    this.orders.push(order)
    const base = BigInt(/"xtime":(\d+)/.exec(text)?.[1] ?? this.xtime) + BigInt(1_000_000 * Math.max(1, order.RxDelay ?? 1))
    if (order.dC === 2) return this.#play(order, 2, this.xtime + 20_000n)
    if (order.RX1Freq !== undefined && !this.busy(order, 1)) return this.#play(order, 1, base)
    if (order.RX2Freq !== undefined && !this.busy(order, 2)) this.#play(order, 2, base + 1_000_000n)
  }

  #play(order: DnMsg, window: 1 | 2, xtime: bigint): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.sent.push({ diid: order.diid, window, pdu: order.pdu })
      const [DR, Freq] = window === 1 ? [order.RX1DR, order.RX1Freq] : [order.RX2DR, order.RX2Freq]
      this.say(`{"msgtype":"dntxed","seqno":${order.diid},"diid":${order.diid},"DR":${DR},"Freq":${Freq},"DevEui":"${order.DevEui}","rctx":0,"xtime":${xtime},"txtime":1.5,"gpstime":0}`)
    }, Math.max(0, Number(xtime - this.xtime) / 1_000))
    this.#timers.add(timer)
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((later) => setTimeout(later, 2))
  }
}

/** As s2e writes it, without the braces. */
export function apart(phy: Uint8Array): string {
  const bytes = Buffer.from(phy)
  const eui = (at: number): string => (Buffer.from(bytes.subarray(at, at + 8)).reverse().toString('hex').toUpperCase().match(/../g) ?? []).join('-')
  const kind = bytes.readUInt8(0) >> 5
  if (kind === 0 || kind === 6) return `"msgtype":"${kind === 0 ? 'jreq' : 'rejoin'}","MHdr":${bytes.readUInt8(0)},"JoinEui":"${eui(1)}","DevEui":"${eui(9)}","DevNonce":${bytes.readUInt16LE(17)},"MIC":${bytes.readInt32LE(19)}`
  if (kind === 7) return `"msgtype":"propdf","FRMPayload":"${bytes.toString('hex')}"`
  const fOptsEnd = 8 + (bytes.readUInt8(5) & 15)
  const bodyEnd = bytes.length - 4
  const hasPort = fOptsEnd < bodyEnd
  return `"msgtype":"updf","MHdr":${bytes.readUInt8(0)},"DevAddr":${bytes.readInt32LE(1)},"FCtrl":${bytes.readUInt8(5)},"FCnt":${bytes.readUInt16LE(6)},"FOpts":"${bytes.subarray(8, fOptsEnd).toString('hex')}","FPort":${hasPort ? bytes.readUInt8(fOptsEnd) : -1},"FRMPayload":"${bytes.subarray(Math.min(fOptsEnd + 1, bodyEnd), bodyEnd).toString('hex')}","MIC":${bytes.readInt32LE(bodyEnd)}`
}
