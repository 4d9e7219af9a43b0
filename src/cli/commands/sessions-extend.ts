/** `meshbox sessions extend ID` */
import { argument, numberOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { sessionText } from './session-text.ts'

const MIB = 1_048_576
const MAX_SECONDS = 366 * 86_400

export const sessionsExtend: CommandSpec = {
  words: ['sessions', 'extend'],
  summary: 'give a session time or data for free',
  arguments: [{ name: 'ID' }],
  options: [
    { name: 'minutes', value: 'N', help: 'minutes to add' },
    { name: 'seconds', value: 'N', help: 'seconds to add' },
    { name: 'mib', value: 'N', help: 'MiB to add (1048576 bytes each)' },
  ],
  run: async (context) => {
    const minutes = numberOption(context, 'minutes', 1, MAX_SECONDS / 60)
    const seconds = numberOption(context, 'seconds', 1, MAX_SECONDS)
    const mib = numberOption(context, 'mib', 1, MIB)
    if (minutes === undefined && seconds === undefined && mib === undefined) throw usageError('what to add? --minutes, --seconds or --mib')
    const all = (minutes ?? 0) * 60 + (seconds ?? 0)
    const body = { ...(all === 0 ? {} : { seconds: all }), ...(mib === undefined ? {} : { bytes: mib * MIB }) }
    const session = await context.service.call('extend', { params: { id: argument(context, 0) }, body })
    return { json: session, text: sessionText(session) }
  },
}
