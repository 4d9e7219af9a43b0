/**
 * What the page's stream needs from outside. The paying itself is the payer of photon/stream, which the entry of the
 * page hands in: browser code of this room knows no server's room (scripts/lint.ts).
 */
export interface PayStep {
  readonly send: readonly Uint8Array[]
  readonly wakeAtMs: number | null
}

/** The payer (photon/stream/payer, `StreamPayer`); all times in milliseconds of one clock that does not jump. */
export interface PayMachine<View> {
  readonly view: View
  start(nowMs: number): PayStep
  connected(nowMs: number): PayStep
  wake(nowMs: number): PayStep
  lead(seconds: number, nowMs: number): PayStep
  stop(nowMs: number): PayStep
  receive(bytes: Uint8Array, nowMs: number): PayStep
}

/** The way to the box: a WebSocket, or questions one after the other. */
export interface BoxLink {
  open(handlers: LinkHandlers): void
  /** What cannot be sent now is dropped: the payer says it again when the link is back. */
  send(frames: Uint8Array): void
  close(): void
}
export interface LinkHandlers {
  connected(): void
  received(bytes: Uint8Array): void
}

/** Of the browser, or of a test. */
export interface PageTime {
  now(): number
  after(delayMs: number, run: () => void): () => void
}
