/** `meshbox sessions list` */
import type { SessionJson } from '../../owner/api/index.ts'
import { hasFlag, numberOption, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { bytes, duration, table } from '../text.ts'

export const sessionsList: CommandSpec = {
  words: ['sessions', 'list'],
  isDefault: true,
  summary: 'sessions of guests, newest first',
  options: [
    { name: 'all', help: 'also those that are over' },
    { name: 'find', value: 'TEXT', help: 'only those whose id, label, MAC or IPv4 contains it' },
    { name: 'limit', value: 'N', help: '1 to 500, default 100' },
    { name: 'before', value: 'ID', help: 'go on after this one: next page' },
  ],
  run: async (context) => {
    const limit = numberOption(context, 'limit', 1, 500)
    const find = textOption(context, 'find')
    const beforeId = textOption(context, 'before')
    const page = await context.service.call('sessions', {
      query: {
        state: hasFlag(context, 'all') ? 'all' : 'open',
        ...(limit === undefined ? {} : { limit }),
        ...(find === undefined ? {} : { find }),
        ...(beforeId === undefined ? {} : { beforeId }),
      },
    })
    return { json: page, text: textOf(page.sessions, page.nextBeforeId) }
  },
}

function textOf(sessions: readonly SessionJson[], next: string | null): string {
  if (sessions.length === 0) return 'No sessions.'
  const rows = sessions.map((one) => [one.id, one.state, leftOf(one), bytes(one.upBytes + one.downBytes), deviceOf(one), one.label])
  const list = table(
    [{ title: 'ID' }, { title: 'STATE' }, { title: 'LEFT', align: 'right' }, { title: 'TRAFFIC', align: 'right' }, { title: 'DEVICE' }, { title: 'LABEL', stretch: true }],
    rows,
  )
  return next === null ? list : `${list}\nMore: --before ${next}`
}

export function leftOf(session: SessionJson): string {
  const parts = [
    ...(session.secondsLeft === null ? [] : [duration(session.secondsLeft)]),
    ...(session.bytesLeft === null ? [] : [bytes(session.bytesLeft)]),
  ]
  return parts.join(' ') || 'no limit'
}

function deviceOf(session: SessionJson): string {
  const [first, ...others] = session.devices
  if (!first) return '-'
  return others.length === 0 ? first.mac : `${first.mac} +${others.length}`
}
