/** `meshbox sessions resume ID` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { sessionText } from './session-text.ts'

export const sessionsResume: CommandSpec = {
  words: ['sessions', 'resume'],
  summary: 'let a paused session go on',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const session = await context.service.call('resume', { params: { id: argument(context, 0) } })
    return { json: session, text: sessionText(session) }
  },
}
