/** `meshbox sessions kick ID` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { sessionText } from './session-text.ts'

export const sessionsKick: CommandSpec = {
  words: ['sessions', 'kick'],
  summary: 'end a session; nothing is kept or paid back',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const session = await context.service.call('kick', { params: { id: argument(context, 0) } })
    return { json: session, text: sessionText(session) }
  },
}
