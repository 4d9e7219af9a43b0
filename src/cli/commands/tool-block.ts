/** `meshbox tool block`: needs no service. */
import type { CommandSpec } from '../command.ts'
import { NETWORK_OPTION, PARENT_OPTION, networkOption, readInput, toolAnswer } from './tool-answer.ts'
import { parentOption } from './tool-header.ts'

export const toolBlock: CommandSpec = {
  words: ['tool', 'block'],
  summary: 'a block from standard input, decoded and judged, as JSON',
  details: `Reads RLP in hex (header, transactions, uncles), the JSON that eth_getBlockByNumber
answers with whole transactions, or JSON with rlp and body in hex. Prints one line
of JSON: what tool header prints, the transactions, and whether they belong to the
header. Works without the service. Exit code 1 when a rule is broken.`,
  options: [PARENT_OPTION, NETWORK_OPTION],
  run: (context) =>
    toolAnswer(async (inspect) => {
      const network = await networkOption(context, inspect)
      const parent = parentOption(context, inspect)
      return { ...inspect.inspectBlock(inspect.toolCurve(), network, inspect.readBlock(await readInput(context)), parent) }
    }),
}
