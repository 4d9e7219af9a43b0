/** `meshbox chain poc bind WALLET`: the calls by which a wallet outside of the box takes on its miner. */
import { argument, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { wrap } from '../text.ts'

export const chainPocBind: CommandSpec = {
  words: ['chain', 'poc', 'bind'],
  summary: "the miner's signed word for a wallet of yours: calls to send from it",
  details: `For a wallet whose key is not in the box. The calls hold the miner's signature over
that wallet's address, so nobody else can use them. Send deposit with at least the
least deposit as its value; bind names the wallet for all to see. Where the coinbase
is the box's own address, it does both by itself after a deposit.`,
  arguments: [{ name: 'WALLET' }],
  run: async (context) => {
    const wallet = argument(context, 0)
    if (!/^0x[0-9a-fA-F]{40}$/.test(wallet)) throw usageError(`WALLET: '${wallet}' is not an address, 0x and 40 hex digits`)
    const given = await context.service.call('chainPocCalls', { body: { wallet } })
    const lines = given.calls.flatMap(({ kind, to, data }) => [`${kind}:`, `  to   ${to}`, `  data ${data}`])
    return { json: given, text: [wrap(`Calls of ${given.wallet} for the miner ${given.miner}.`), '', ...lines].join('\n') }
  },
}
