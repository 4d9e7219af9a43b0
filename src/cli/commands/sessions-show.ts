/** `meshbox sessions show ID` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { sessionText } from './session-text.ts'

export const sessionsShow: CommandSpec = {
  words: ['sessions', 'show'],
  summary: 'one session in full',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const session = await context.service.call('session', { params: { id: argument(context, 0) } })
    return { json: session, text: sessionText(session) }
  },
}
