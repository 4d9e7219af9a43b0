/**
 * A neighbour with two hundred boxes behind it, for the emulated router's network card: it says batman-adv's originator messages (BATMAN IV,
 * <linux/batadv_packet.h>, batadv_ogm_packet: type, version, ttl, flags, sequence 4, originator 6, sender before 6, reserved, tq, length of what follows 2),
 * and says the router's own again, which shows it that frames go both ways.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

const EVERY_MS = 200
const ETHER_TYPE = 0x4305
const OGM = 0x00
const VERSION = 15
const OGM_BYTES = 24
/** As many as go into one frame. */
const TOGETHER = 20
const DIRECT_LINK = 1 << 2
const NEIGHBOUR = Buffer.from('026d00ff0000', 'hex')
const ETHERNET_BYTES = 14

export class Crowd {
  readonly #socket: Socket
  readonly #size: number
  readonly #cardPort: number
  #timer: NodeJS.Timeout | null = null
  #sequence = 0

  private constructor(socket: Socket, cardPort: number, size: number) {
    this.#socket = socket
    this.#cardPort = cardPort
    this.#size = size
    socket.on('message', (frame) => this.#heard(frame))
    socket.on('error', () => undefined) // the machine is not there yet, or no more
  }

  /** `size`: originators, the neighbour among them. */
  static async open(size: number): Promise<Crowd> {
    const [socket, card] = [createSocket('udp4'), createSocket('udp4')]
    for (const each of [socket, card]) await once(each.bind(0, '127.0.0.1'), 'listening')
    const { port } = card.address() as AddressInfo
    await new Promise<void>((resolve) => card.close(() => resolve()))
    return new Crowd(socket, port, size)
  }

  /** For Machine's `network`. */
  card(): readonly string[] {
    const { port } = this.#socket.address() as AddressInfo
    const at = (end: string, number: number): string => `${end}.type=inet,${end}.host=127.0.0.1,${end}.port=${number}`
    return ['-netdev', `dgram,id=crowd,${at('local', this.#cardPort)},${at('remote', port)}`, '-device', 'virtio-net-device,netdev=crowd']
  }

  speak(): void {
    this.#timer = setInterval(() => this.#say(), EVERY_MS)
  }

  hush(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  close(): void {
    this.hush()
    this.#socket.close()
  }

  #say(): void {
    this.#sequence += 1
    const all = Array.from({ length: this.#size }, (_, number) => this.#message(number))
    for (let from = 0; from < all.length; from += TOGETHER) this.#send(Buffer.concat(all.slice(from, from + TOGETHER)))
  }

  #message(number: number): Buffer {
    const bytes = Buffer.alloc(OGM_BYTES)
    const originator = Buffer.from(NEIGHBOUR)
    originator.writeUInt16BE(number, 4)
    bytes.set([OGM, VERSION, number === 0 ? 50 : 49, 0])
    bytes.writeUInt32BE(this.#sequence, 4)
    bytes.set(originator, 8)
    bytes.set(NEIGHBOUR, 14)
    bytes[21] = number === 0 ? 255 : 230
    return bytes
  }

  #heard(frame: Buffer): void {
    if (frame.length < ETHERNET_BYTES + OGM_BYTES || frame.readUInt16BE(12) !== ETHER_TYPE || frame[ETHERNET_BYTES] !== OGM) return
    const said = Buffer.from(frame.subarray(ETHERNET_BYTES))
    const length = OGM_BYTES + said.readUInt16BE(22)
    if (length > said.length || !said.subarray(8, 14).equals(frame.subarray(6, 12))) return
    said[2] = (said[2] ?? 1) - 1
    said[3] = (said[3] ?? 0) | DIRECT_LINK
    this.#send(said.subarray(0, length))
  }

  #send(payload: Uint8Array): void {
    const type = Buffer.alloc(2)
    type.writeUInt16BE(ETHER_TYPE)
    this.#socket.send(Buffer.concat([Buffer.alloc(6, 0xff), NEIGHBOUR, type, payload]), this.#cardPort, '127.0.0.1')
  }
}
