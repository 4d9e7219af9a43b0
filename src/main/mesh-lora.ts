/**
 * Which box of several sells a LoRa frame that all of them heard: each tells its neighbours how well it did, over one lane of the mesh's
 * node. 34 bytes: SHA-256 of the frame, SNR in tenths of a dB (signed, big-endian). Whose offer it is the connection shows; who has no
 * paper of the community offers nothing. docs/mesh.md "LoRa copies", docs/iot.md
 */
import { fromHex, toHex, type Cancel } from '../base/index.ts'
import type { ContestOffer, ContestPeers } from '../iot/index.ts'
import type { BoxId, PeerHub, PeerProtocol } from '../mesh/index.ts'

const FRAME_BYTES = 34
const ID_BYTES = 32
const TENTHS = 10
const MOST_TENTHS = 2000
const MALFORMED_POINTS = 20

/** Air is local: who is far away heard nothing of it. As many frames as eight concentrators hear at most, doubled. */
export const LORA_LANE: PeerProtocol = { name: '/meshbox/lora/1', maxFrameBytes: FRAME_BYTES, maxQueuedBytes: 16_384, maxFramesPerSecond: 400, maxBytesPerSecond: 16_384, sides: ['mesh'] }

export interface MeshLoraParts {
  readonly self: BoxId
  readonly hub: Pick<PeerHub, 'open'>
  readonly isWelcome: (box: BoxId) => boolean
}

export class MeshLora implements ContestPeers {
  readonly self: BoxId
  readonly #lane: ReturnType<MeshLoraParts['hub']['open']>
  readonly #isWelcome: (box: BoxId) => boolean
  readonly #listeners = new Set<(offer: ContestOffer) => void>()

  /** Before the node starts. */
  constructor({ self, hub, isWelcome }: MeshLoraParts) {
    this.self = self
    this.#isWelcome = isWelcome
    this.#lane = hub.open(LORA_LANE)
    this.#lane.onFrame((from, frame) => this.#heard(from, frame))
  }

  get boxes(): number {
    return this.#others().length
  }

  tell({ frame, snrDb }: ContestOffer): void {
    const bytes = encodeOffer(frame, snrDb)
    // Lost ones cost nobody anything: the buyer knows what he has (radio/copy-contest.ts).
    for (const box of this.#others()) this.#lane.send(box, bytes)
  }

  onOffer(listener: (offer: ContestOffer) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #others(): readonly BoxId[] {
    return this.#lane.openPeers().filter((box) => this.#isWelcome(box))
  }

  #heard(from: BoxId, bytes: Uint8Array): void {
    if (!this.#isWelcome(from)) return
    const offer = decodeOffer(bytes)
    if (offer === null) return this.#lane.penalise(from, MALFORMED_POINTS, 'what it says of a LoRa frame is no offer')
    for (const listener of this.#listeners) listener({ ...offer, box: from })
  }
}

function encodeOffer(frame: string, snrDb: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES)
  bytes.set(fromHex(frame))
  new DataView(bytes.buffer).setInt16(ID_BYTES, Math.round(Math.max(-MOST_TENTHS, Math.min(MOST_TENTHS, snrDb * TENTHS))))
  return bytes
}

/** Null: no offer, or an SNR that no radio has. */
function decodeOffer(bytes: Uint8Array): Omit<ContestOffer, 'box'> | null {
  if (bytes.length !== FRAME_BYTES) return null
  const tenths = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getInt16(ID_BYTES)
  return Math.abs(tenths) > MOST_TENTHS ? null : { frame: toHex(bytes.subarray(0, ID_BYTES)), snrDb: tenths / TENTHS }
}
