/** `meshbox channel deposit` and `withdraw`: money into a channel and out of it. */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { amountText, channelArgument, channelText } from './channel-text.ts'

export const channelDeposit = amountSpec(
  'deposit',
  'put more money into a channel',
  `AMOUNT goes from the box's account into the contract and comes back when the channel
ends, or by meshbox channel withdraw. A transaction: it needs gas.`,
)
export const channelWithdraw = amountSpec(
  'withdraw',
  'take money out of a channel that stays open',
  `AMOUNT goes to the box's account. The partner has to agree, so it must be connected,
and nothing may be locked. A transaction: it needs gas.`,
)

function amountSpec(verb: 'deposit' | 'withdraw', summary: string, details: string): CommandSpec {
  return {
    words: ['channel', verb],
    summary,
    details,
    arguments: [{ name: 'CHANNEL' }, { name: 'AMOUNT' }],
    run: async (context) => {
      const amount = amountText(argument(context, 1), 'AMOUNT')
      const order = { params: { id: await channelArgument(context, 0) }, body: { amount } }
      const channel = verb === 'deposit' ? await context.service.call('depositToChannel', order) : await context.service.call('withdrawFromChannel', order)
      return { json: channel, text: channelText(channel) }
    },
  }
}
