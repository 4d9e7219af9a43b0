/** The payer with its state inside and bytes at its edge: what a page, or a box that pays another, drives. Runs in the browser too. */
import { decodeFrames, encodeFrame } from '../frames.ts'
import type { PayerPorts } from './pay.ts'
import { newPayer, viewOf } from './state.ts'
import type { PayerOptions, PayerState, PayerView } from './state.ts'
import { step } from './step.ts'
import type { PayerInput } from './step.ts'

export interface MachineStep {
  /** Frames back to back, in their order; at most MAX_FRAMES_BYTES each. */
  readonly send: readonly Uint8Array[]
  /** Same clock as `nowMs`; null: nothing has changed about it. */
  readonly wakeAtMs: number | null
}

/** What one message to the box carries at most: well under what it takes. */
const MESSAGE_BYTES = 8192

export class StreamPayer {
  readonly #ports: PayerPorts
  readonly #keepCounter: (counter: bigint) => void
  #state: PayerState

  /** `keepCounter` returns when the number of the next chain is kept; a page without storage keeps nothing (PayerOptions.counter). */
  constructor(options: PayerOptions, ports: PayerPorts, keepCounter: (counter: bigint) => void = () => undefined) {
    this.#ports = ports
    this.#keepCounter = keepCounter
    this.#state = newPayer(options)
  }

  get view(): PayerView {
    return viewOf(this.#state)
  }

  start(nowMs: number): MachineStep {
    return this.#take([{ type: 'start', nowMs }])
  }
  connected(nowMs: number): MachineStep {
    return this.#take([{ type: 'connected', nowMs }])
  }
  wake(nowMs: number): MachineStep {
    return this.#take([{ type: 'wake', nowMs }])
  }
  lead(seconds: number, nowMs: number): MachineStep {
    return this.#take([{ type: 'lead', seconds, nowMs }])
  }
  stop(nowMs: number): MachineStep {
    return this.#take([{ type: 'stop', nowMs }])
  }
  /** What the box sent. Bytes that are no frames say nothing. */
  receive(bytes: Uint8Array, nowMs: number): MachineStep {
    return this.#take((decodeFrames(bytes) ?? []).map((frame) => ({ type: 'frame', frame, nowMs })))
  }

  #take(inputs: readonly PayerInput[]): MachineStep {
    const messages: Uint8Array[][] = [[]]
    let bytes = 0
    let wakeAtMs: number | null = null
    for (const input of inputs) {
      const { state, effects } = step(this.#state, input, this.#ports)
      this.#state = state
      for (const effect of effects)
        if (effect.type === 'wake') wakeAtMs = effect.atMs
        else if (effect.type === 'counter') this.#keepCounter(effect.counter)
        else
          for (const frame of effect.frames.map(encodeFrame)) {
            if (bytes + frame.length > MESSAGE_BYTES) {
              messages.push([])
              bytes = 0
            }
            messages.at(-1)?.push(frame)
            bytes += frame.length
          }
    }
    return { send: messages.filter((frames) => frames.length > 0).map(joined), wakeAtMs }
  }
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(frames.reduce((length, frame) => length + frame.length, 0))
  let at = 0
  for (const frame of frames) {
    out.set(frame, at)
    at += frame.length
  }
  return out
}
