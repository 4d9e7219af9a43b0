/** `meshbox tool proof`: needs no service. */
import type { Hash } from '../../spectrum/index.ts'
import { textOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readInput, toolAnswer } from './tool-answer.ts'

export const toolProof: CommandSpec = {
  words: ['tool', 'proof'],
  summary: 'a Merkle proof from standard input, held against a root',
  details: `Reads what eth_getProof answers, or JSON with kind (transaction or receipt), index
and proof, a list of nodes in hex. Prints one line of JSON with what is proved. Works
without the service. Exit code 1 when the proof does not hold, or proves something
else than its JSON says.`,
  options: [{ name: 'root', value: 'HASH', help: "the root it must lead to (default: as the input says)" }],
  run: (context) =>
    toolAnswer(async (inspect) => {
      const root = textOption(context, 'root')
      if (root !== undefined && !/^0x[0-9a-fA-F]{64}$/.test(root)) throw usageError(`--root: '${root}' is not a hash, 0x and 64 hex digits`)
      return inspect.inspectProof(inspect.toolCurve(), await readInput(context), root === undefined ? null : (root.toLowerCase() as Hash))
    }),
}
