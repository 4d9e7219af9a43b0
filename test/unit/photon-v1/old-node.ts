/**
 * A node of the original as seen from the LAN, made of the codec and a bare socket: signs what it is told to, acknowledges
 * nothing by itself, and keeps every datagram that comes. Nothing of our door or node is in it.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { ZERO_HASH, hexOf } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { Decoded, Domain, Message } from '../../../src/photon/index.ts'
import type { Place } from '../../../src/photon/v1/index.ts'
import { createDigests, createWire, echoHash } from '../../../src/photon/wire/index.ts'
import { native } from '../spectrum/curves.ts'

export const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)

export function accountOf(key: Uint8Array): Address {
  return hexOf(keccak(native.publicKeyOf(key).subarray(1)).subarray(12))
}

export class OldNode {
  readonly key: Uint8Array
  readonly account: Address
  readonly heard: { readonly bytes: Uint8Array; readonly decoded: Decoded }[] = []
  readonly wire
  readonly digests
  readonly #socket: Socket
  #waiting: (() => void)[] = []

  private constructor(key: Uint8Array, domain: Domain, socket: Socket) {
    this.key = key
    this.account = accountOf(key)
    this.wire = createWire(domain, keccak)
    this.digests = createDigests(domain, keccak)
    this.#socket = socket
    socket.on('message', (bytes) => {
      const packet = Uint8Array.from(bytes)
      const decoded = this.wire.decode(packet)
      if ('refused' in decoded) throw new Error(decoded.refused)
      this.heard.push({ bytes: packet, decoded })
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  static async at(host: string, key: Uint8Array, domain: Domain): Promise<OldNode> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, host, resolve))
    return new OldNode(key, domain, socket)
  }

  get place(): Place {
    const { address, port } = this.#socket.address()
    return { host: address, port }
  }

  packet(message: Message): Uint8Array {
    const prepared = this.wire.prepare(message)
    return prepared.seal(native.sign(prepared.digest, this.key))
  }

  ack(packet: Uint8Array): Uint8Array {
    return this.wire.prepare({ kind: 'ack', sender: this.account, echo: echoHash(keccak, packet, this.account) }).seal(new Uint8Array(0))
  }

  direct(channel: Hash, epoch: bigint, nonce: bigint, transferred: bigint): Uint8Array {
    return this.packet({ kind: 'direct', envelope: { channel, epoch, nonce, transferred, locksroot: ZERO_HASH }, paymentId: null, data: new Uint8Array(0) })
  }

  /** Resolves when it has left. */
  send(bytes: Uint8Array, to: Place): Promise<void> {
    return new Promise((resolve, reject) => this.#socket.send(bytes, to.port, to.host, (error) => (error === null ? resolve() : reject(error))))
  }

  /** The first datagram, of those not looked at yet, that it is. */
  async next(isIt: (message: Message) => boolean): Promise<{ readonly bytes: Uint8Array; readonly message: Message }> {
    for (;;) {
      const at = this.heard.findIndex(({ decoded }) => isIt(decoded.message))
      const [found] = at < 0 ? [] : this.heard.splice(at, 1)
      if (found !== undefined) return { bytes: found.bytes, message: found.decoded.message }
      await new Promise<void>((wake) => this.#waiting.push(wake))
    }
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}
