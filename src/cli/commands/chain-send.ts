/** `meshbox chain send ADDRESS AMOUNT` */
import { argument, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { pairs, tokens } from '../text.ts'

export const chainSend: CommandSpec = {
  words: ['chain', 'send'],
  summary: "coins from the box's own address to another wallet",
  details: `AMOUNT is in whole coins, such as 2.5; the fee comes on top. Where the box's own
address is the coinbase, this is how what it earned gets to you. It is sealed in one
of the next blocks: given twice, it is sent twice.`,
  arguments: [{ name: 'ADDRESS' }, { name: 'AMOUNT' }],
  run: async (context) => {
    const [to, amount] = [argument(context, 0), argument(context, 1)]
    if (!/^0x[0-9a-fA-F]{40}$/.test(to)) throw usageError(`ADDRESS: '${to}' is not an address, 0x and 40 hex digits`)
    const sent = await context.service.call('sendCoins', { body: { to, amount } })
    return { json: sent, text: pairs([['Sent', tokens(sent.amount, sent.token)], ['To', to], ['Fee', `at most ${tokens(sent.mostFee, sent.token)}`], ['Hash', sent.hash]]) }
  },
}
