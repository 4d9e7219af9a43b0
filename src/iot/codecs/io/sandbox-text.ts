/** The texts that the codec's process runs around a codec, and what it is told and says. Nothing is imported here: the process may read no other file. */
/** Of what a codec returns, as JSON. */
export const MAX_RESULT_LENGTH = 32 * 1024

/** How often a call may be made, and of what wall time each is, in limits: a codec that was hardly given the processor has used nothing of its own. */
export const PATIENCE: readonly number[] = [1, 4, 16]

export type CodecCall = 'decodeUplink' | 'encodeDownlink'

/** One call, as the child gets it: a line of JSON. `check` only compiles and runs the top level. */
export interface CodecJob {
  readonly job: number
  readonly source: string
  readonly call: CodecCall | 'check'
  /** JSON text. */
  readonly input: string
  /** CPU time. */
  readonly limitMs: number
}

/**
 * A line of JSON back. `made`: JSON text of what the codec returned. `isLast`: its time or its memory is used up; the process is not asked again, so
 * that nobody pays for what another left behind.
 */
export type CodecAnswer = ({ readonly job: number; readonly made: string } | { readonly job: number; readonly failed: string }) & { readonly isLast?: boolean }

/**
 * Runs first in each new context, before the codec. What it uses is fetched before the codec can change it; it fails in text, because an
 * error made inside could run code when it is looked at outside.
 */
export const PRELUDE = `'use strict';
(() => {
  const { parse, stringify } = JSON
  const { defineProperty } = Object
  const TheDate = Date
  const text = String
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry']) delete globalThis[name]
  const quiet = () => undefined
  globalThis.console = { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet }
  const wordsOf = (thrown) => {
    const words = typeof thrown === 'object' && thrown !== null ? thrown.name + ': ' + thrown.message : thrown
    return text(words).slice(0, 200)
  }
  defineProperty(globalThis, '__callTheCodec', { value: (run, input) => {
    try {
      if (run === null) return stringify({ failed: 'the codec has no such function' })
      const given = parse(input)
      if (typeof given.recvTime === 'number') given.recvTime = new TheDate(given.recvTime)
      const made = run(given)
      return stringify({ made: made === undefined ? null : made })
    } catch (thrown) {
      return stringify({ failed: wordsOf(thrown) })
    }
  } })
})()
`

/** The last script of a call. A function in a `const` is not on the global object: it is asked for by name. */
export function callOf(call: CodecCall, input: string): string {
  return `__callTheCodec(typeof ${call} === 'function' ? ${call} : null, ${JSON.stringify(input)})`
}
