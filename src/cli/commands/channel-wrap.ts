/** `meshbox channel wrap AMOUNT` and `unwrap AMOUNT`: coins of the channels' account into the token that channels hold, and back. */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { amountText, coinsText } from './channel-text.ts'

export const channelWrap = wrapSpec('wrap', 'turn coins of the account into tokens for channels', 'Some coins stay for gas: without it nothing can be closed.')
export const channelUnwrap = wrapSpec('unwrap', 'turn tokens of the account back into coins', 'Only what lies in no channel: take it out of one with meshbox channel withdraw.')

function wrapSpec(verb: 'wrap' | 'unwrap', summary: string, rule: string): CommandSpec {
  return {
    words: ['channel', verb],
    summary,
    details: `AMOUNT is in whole coins, one token each. ${rule}
A transaction: it needs gas, and the balance shown follows some blocks later.`,
    arguments: [{ name: 'AMOUNT' }],
    run: async (context) => {
      const body = { amount: amountText(argument(context, 0), 'AMOUNT') }
      const status = verb === 'wrap' ? await context.service.call('wrapCoins', { body }) : await context.service.call('unwrapCoins', { body })
      return { json: { account: status.account, gas: status.gas, gasToken: status.gasToken, wrapped: status.wrapped }, text: coinsText(status) }
    },
  }
}
