/** `meshbox sessions pause ID` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { sessionText } from './session-text.ts'

export const sessionsPause: CommandSpec = {
  words: ['sessions', 'pause'],
  summary: 'stop a session\'s clock; the guest is offline',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const session = await context.service.call('pause', { params: { id: argument(context, 0) } })
    return { json: session, text: sessionText(session) }
  },
}
