/** `meshbox pay paths TARGET AMOUNT` */
import { argument, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { TOKEN_OPTION, accountArgument, amountText } from './channel-text.ts'
import { pathsText } from './pay-text.ts'

export const payPaths: CommandSpec = {
  words: ['pay', 'paths'],
  summary: 'ways that a payment could go now, and what they cost',
  arguments: [{ name: 'TARGET' }, { name: 'AMOUNT' }],
  options: [TOKEN_OPTION],
  run: async (context) => {
    const token = textOption(context, 'token')
    const paths = await context.service.call('photonPaths', {
      query: { target: accountArgument(context, 0, 'TARGET'), amount: amountText(argument(context, 1), 'AMOUNT'), ...(token === undefined ? {} : { token }) },
    })
    return { json: paths, text: pathsText(paths) }
  },
}
