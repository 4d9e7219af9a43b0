/** A guest's page that pays by the tick: the pure payer, a link to the box that may be down, and the phone's own clock. */
import type { Address } from '../../src/base/index.ts'
import type { StreamDoor, StreamPeer } from '../../src/hotspot/index.ts'
import { step } from '../../src/photon/stream/payer/step.ts'
import { newPayer, revealedValue, viewOf } from '../../src/photon/stream/payer/state.ts'
import { decodeFrames, encodeFrame } from '../../src/photon/stream/frames.ts'
import type { PayerInput, PayerOptions, PayerState } from '../../src/photon/stream/payer/index.ts'
import { PAPER_BOX, PAPER_DOMAIN, PAPER_TOKEN, nodeHash, paperRecover, paperSign } from './model-channels.ts'

/** Whom this page pays, in what, and how it signs. */
export interface PageParty {
  readonly payee: Address
  readonly contract: PayerOptions['contract']
  readonly token: Address
  sign(digest: Uint8Array): Uint8Array
  recover(digest: Uint8Array, signature: Uint8Array): Address | null
}

type Act = PayerInput extends infer Input ? (Input extends { readonly nowMs: number } ? Omit<Input, 'nowMs'> : never) : never

export class PayingPage {
  readonly payer: Address
  readonly device: string
  /** The most that was ever signed and shown by any page of this guest: all that could be claimed of him. */
  shown: bigint
  state: PayerState
  readonly #nowMs: () => number
  readonly #door: () => StreamDoor | null
  readonly #party: PageParty
  #wakeAtMs = Number.POSITIVE_INFINITY
  #isClosed = false

  /** `life`: which page of this guest it is; no two begin with the same number. */
  constructor(payer: Address, device: string, life: number, unit: bigint, nowMs: () => number, door: () => StreamDoor | null, shown = 0n, party: PageParty = paperParty(payer)) {
    this.payer = payer
    this.#party = party
    this.device = device
    this.shown = shown
    this.#nowMs = nowMs
    this.#door = door
    this.state = newPayer({
      payer,
      payee: party.payee,
      contract: party.contract,
      token: party.token,
      master: new Uint8Array(32).fill(5),
      counter: BigInt(life + 1) << 64n,
      known: 0n,
      limits: { unit, total: 1n << 60n },
    })
  }

  get phase(): ReturnType<typeof viewOf>['phase'] {
    return viewOf(this.state).phase
  }

  act(act: Act): void {
    this.#take({ ...act, nowMs: this.#nowMs() } as PayerInput)
  }

  /** The guest closes it: what comes for it later is not heard. */
  close(): void {
    this.#isClosed = true
  }

  /** Runs its timer if that is due. */
  due(): void {
    if (this.#nowMs() >= this.#wakeAtMs) this.act({ type: 'wake' })
  }

  #peer(): StreamPeer {
    return {
      device: this.device,
      send: (bytes) => {
        for (const frame of decodeFrames(bytes) ?? []) this.#take({ type: 'frame', frame, nowMs: this.#nowMs() })
      },
    }
  }

  #take(input: PayerInput): void {
    if (this.#isClosed) return
    const { state, effects } = step(this.state, input, { sha256: nodeHash, sign: (digest) => this.#party.sign(digest), recover: (digest, signature) => this.#party.recover(digest, signature) })
    this.state = state
    if (state.voucher !== null && revealedValue(state) > this.shown) this.shown = revealedValue(state)
    for (const effect of effects)
      if (effect.type === 'wake') this.#wakeAtMs = effect.atMs
      else if (effect.type === 'send') this.#door()?.receive(this.#peer(), Buffer.concat(effect.frames.map(encodeFrame)))
  }
}

function paperParty(payer: Address): PageParty {
  return { payee: PAPER_BOX, contract: PAPER_DOMAIN, token: PAPER_TOKEN, sign: (digest) => paperSign(payer, digest), recover: paperRecover }
}
