/** A guest's WebSocket by hand, so that a test can send what no browser would. */
import { connect, type Socket } from 'node:net'

const MASK = [0x37, 0xfa, 0x21, 0x3d]

/** Masked, as clients must. */
export function clientFrame(opcode: number, payload: Uint8Array, isLast = true): Uint8Array {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255]
  const head = [(isLast ? 0x80 : 0) | opcode, 0x80 | (length[0] ?? 0), ...length.slice(1), ...MASK]
  return Uint8Array.from([...head, ...payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0))])
}

export class SocketClient {
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  isClosed = false
  /** Status line and headers of the answer. */
  head = ''
  readonly messages: Uint8Array[] = []
  /** Of the server's close frame. */
  closeCode: number | null = null
  pings = 0
  pongs = 0

  constructor(port: number, headers: Readonly<Record<string, string>>, path = '/stream') {
    const lines = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', ...headers }
    this.#socket = connect({ host: '127.0.0.1', port }, () => {
      this.#socket.write(`GET ${path} HTTP/1.1\r\n${Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
    })
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.isClosed = true
    })
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.head)?.[1] ?? 0)
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  pause(): void {
    this.#socket.pause()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    if (this.head === '') {
      const end = this.#bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      this.head = this.#bytes.subarray(0, end).toString('latin1')
      this.#bytes = this.#bytes.subarray(end + 4)
    }
    while (this.status === 101 && this.#bytes.length >= 2) {
      const short = this.#bytes.readUInt8(1)
      const at = short === 126 ? 4 : 2
      if (this.#bytes.length < at) return
      const length = short === 126 ? this.#bytes.readUInt16BE(2) : short
      if (this.#bytes.length < at + length) return
      const [opcode, payload] = [this.#bytes.readUInt8(0) & 15, this.#bytes.subarray(at, at + length)]
      this.#bytes = this.#bytes.subarray(at + length)
      if (opcode === 2) this.messages.push(new Uint8Array(payload))
      if (opcode === 8) this.closeCode = payload.readUInt16BE(0)
      if (opcode === 9) this.pings++
      if (opcode === 10) this.pongs++
    }
  }
}
