/** `meshbox channel open PARTNER AMOUNT` */
import { argument, hasFlag, numberOption, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { pairs, wrap } from '../text.ts'
import { TOKEN_OPTION, accountArgument, amountText } from './channel-text.ts'

export const channelOpen: CommandSpec = {
  words: ['channel', 'open'],
  summary: 'open a channel and put money into it',
  details: `AMOUNT of the token goes from the box's account into the contract, and stays there
until the channel ends: at once when the partner agrees to close it, else after the
settle timeout. Opening is a transaction: it needs gas and a few minutes.`,
  arguments: [{ name: 'PARTNER' }, { name: 'AMOUNT' }],
  options: [
    TOKEN_OPTION,
    { name: 'settle-blocks', value: 'N', help: 'settle timeout, 6 to 2700000 blocks' },
    { name: 'core', help: 'with another box: carries payments of others for a fee' },
  ],
  run: async (context) => {
    const token = textOption(context, 'token')
    const settleTimeoutBlocks = numberOption(context, 'settle-blocks', 6, 2_700_000)
    const opened = await context.service.call('openChannel', {
      body: {
        partner: accountArgument(context, 0, 'PARTNER'),
        amount: amountText(argument(context, 1), 'AMOUNT'),
        role: hasFlag(context, 'core') ? 'core' : 'leaf',
        ...(token === undefined ? {} : { token }),
        ...(settleTimeoutBlocks === undefined ? {} : { settleTimeoutBlocks }),
      },
    })
    return { json: opened, text: `${pairs([['Ordered', opened.channel]])}\n${wrap('It is open once its transaction is in the chain: meshbox channel duties')}` }
  },
}
