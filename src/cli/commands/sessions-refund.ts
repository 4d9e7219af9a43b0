/** `meshbox sessions refund ID` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { sessionText } from './session-text.ts'

export const sessionsRefund: CommandSpec = {
  words: ['sessions', 'refund'],
  summary: 'end a session, book back what was not used',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const answer = await context.service.call('refund', { params: { id: argument(context, 0) } })
    return { json: answer, text: `${sessionText(answer.session)}\n\nPay back to the guest: ${answer.refunded.text}` }
  },
}
