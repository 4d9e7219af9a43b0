/** `meshbox tool vrf prove`: needs no service. */
import { systemRandomness } from '../../base/io/system.ts'
import { textOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { hexOption, readInput, toolAnswer } from './tool-answer.ts'

export const toolVrfProve: CommandSpec = {
  words: ['tool', 'vrf', 'prove'],
  summary: 'make a VRF proof with a private key',
  details: `Prints one line of JSON. The index is the same each time, the rest of the proof is
not. Others on this machine can see the options of a command: for a key that is worth
something, leave --key out and give it on standard input. Works without the service.`,
  options: [
    { name: 'key', value: 'HEX', help: 'private key, 32 bytes (default: standard input)' },
    { name: 'message', value: 'HEX', help: 'what is to be proved' },
  ],
  run: (context) =>
    toolAnswer(async (inspect) => {
      const message = hexOption(context, inspect, 'message')
      if (message === null) throw usageError('--message is needed')
      const key = textOption(context, 'key') === undefined ? inspect.readHex(await readInput(context), 'key') : hexOption(context, inspect, 'key')
      return { ...inspect.makeVrf(inspect.toolCurve(), key ?? new Uint8Array(0), message, systemRandomness) }
    }),
}
