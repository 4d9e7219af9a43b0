/** `meshbox chain wallet` */
import type { CommandSpec } from '../command.ts'
import { pairs, tokens } from '../text.ts'

export const chainWallet: CommandSpec = {
  words: ['chain', 'wallet'],
  summary: "what the box's own address has on the chain",
  run: async ({ service }) => {
    const wallet = await service.call('chainWallet', {})
    return { json: wallet, text: pairs([['Address', wallet.address], ['Has', tokens(wallet.balance, wallet.token)]]) }
  },
}
