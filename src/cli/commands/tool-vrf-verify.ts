/** `meshbox tool vrf verify`: needs no service. */
import { usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { hexOption, toolAnswer } from './tool-answer.ts'

export const toolVrfVerify: CommandSpec = {
  words: ['tool', 'vrf', 'verify'],
  summary: 'is a VRF proof of this key and message valid',
  details: `Prints one line of JSON. A block's message is its parent's number, shortest
big-endian, and the first 32 bytes of the parent's extra. Works without the service.
Exit code 1 when the proof is not valid.`,
  options: [
    { name: 'key', value: 'HEX', help: 'public key, 33 or 65 bytes (or the private one, 32)' },
    { name: 'message', value: 'HEX', help: 'what was proved' },
    { name: 'proof', value: 'HEX', help: 'index, s, t, point: 161 bytes' },
  ],
  run: (context) =>
    toolAnswer((inspect) => {
      const [key, message, proof] = ['key', 'message', 'proof'].map((name) => hexOption(context, inspect, name))
      if (!key || !message || !proof) throw usageError('--key, --message and --proof are needed')
      return { ...inspect.inspectVrf(inspect.toolCurve(), key, message, proof) }
    }),
}
