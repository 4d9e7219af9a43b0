/** `meshbox pay list` */
import { numberOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { paymentsText } from './pay-text.ts'

export const payList: CommandSpec = {
  words: ['pay', 'list'],
  summary: 'payments sent, received and carried, newest first',
  options: [
    { name: 'limit', value: 'N', help: '1 to 200, default 50' },
    { name: 'before', value: 'N', help: 'next page, as the end of a list says it' },
  ],
  run: async (context) => {
    const limit = numberOption(context, 'limit', 1, 200)
    const before = numberOption(context, 'before', 0, Number.MAX_SAFE_INTEGER)
    const page = await context.service.call('photonPayments', { query: { ...(limit === undefined ? {} : { limit }), ...(before === undefined ? {} : { before }) } })
    return { json: page, text: paymentsText(page) }
  },
}
