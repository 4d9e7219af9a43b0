/** `meshbox tool header`: needs no service. */
import type { Header } from '../../spectrum/index.ts'
import { textOption } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { NETWORK_OPTION, PARENT_OPTION, networkOption, readInput, toolAnswer } from './tool-answer.ts'
import type { Inspect } from './tool-answer.ts'

export const toolHeader: CommandSpec = {
  words: ['tool', 'header'],
  summary: 'a block header from standard input, decoded and judged, as JSON',
  details: `Reads RLP in hex, or the JSON that eth_getBlockByNumber answers. Prints one line of
JSON: fields, block hash, seal hash, signer, VRF verdict, and the name of the rule
that is broken. Works without the service. Exit code 1 when a rule is broken.
Whether the signer was allowed to seal is not judged: that needs the round.`,
  options: [PARENT_OPTION, NETWORK_OPTION],
  run: (context) =>
    toolAnswer(async (inspect) => {
      const network = await networkOption(context, inspect)
      const parent = parentOption(context, inspect)
      const { inspection } = inspect.inspectHeader(inspect.toolCurve(), network, inspect.readHeader(await readInput(context)), parent)
      return { ...inspection }
    }),
}

/** Errors: input `parent`. */
export function parentOption(context: Context, inspect: Inspect): Header | null {
  const text = textOption(context, 'parent')
  return text === undefined ? null : inspect.readHeader(text)
}
