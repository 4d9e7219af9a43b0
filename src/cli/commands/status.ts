/** `meshbox status` */
import type { HealthLine, StatusJson } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { bytes, duration, moment, pairs, plain, wrap } from '../text.ts'

const SHOWN_ALARMS = 5

export const status: CommandSpec = {
  words: ['status'],
  summary: 'health, sessions, memory, alarms of the box',
  details: `Exit code 1 when a part of the box is bad. While the box has no owner, the
set-up code for the dashboard's first page is shown here.`,
  run: async ({ service }) => {
    const state = await service.call('consoleStatus', {})
    return { json: state, text: textOf(state), exitCode: state.health.some((line) => line.level === 'bad') ? 1 : 0 }
  },
}

function textOf(state: StatusJson): string {
  const { facts, sessions } = state
  const parts = [
    wrap(`${state.name} · MeshBox ${state.version} · up ${duration(state.uptimeSeconds)} (machine ${duration(state.bootUptimeSeconds)})`),
    '',
    ...state.health.map(healthText),
    '',
    pairs([
      ['Sessions', `${sessions.active} running, ${sessions.paused} paused, ${sessions.total} in all`],
      ['Vouchers', `${state.vouchersUnused} unused`],
      ['Devices', `${state.gate.devices} let through by the gate`],
      ['Memory', `${bytes(facts.memory.rssBytes)}${facts.memory.rssAnonBytes === null ? '' : ` (${bytes(facts.memory.rssAnonBytes)} of it not shared)`}`],
      ['Books', `${bytes(state.store.fileBytes + state.store.walBytes)}, ${state.store.commits} commits`],
      ['Load', `${facts.load.map((one) => one.toFixed(2)).join(' ')}, event loop at most ${facts.eventLoopLag.maxMs} ms late`],
      ['Clock', `${moment(state.clock.wallMs)} UTC, ${state.clock.trusted ? `confirmed by ${state.clock.sources.join(', ')}` : 'not confirmed'}`],
      ['Roles', state.roles.join(', ') || 'none'],
      ['Address', state.address],
      ['Signing', state.signatures === 'native' ? 'native code' : 'JavaScript, 20 times slower; the log says why'],
    ]),
  ]
  if (state.alarms.length > 0)
    parts.push('', 'Last alarms:', ...state.alarms.slice(0, SHOWN_ALARMS).map((alarm) => wrap(`${moment(alarm.wallMs)} ${alarm.kind}: ${alarm.detail}`, '  ')))
  if (state.setupCode !== undefined)
    parts.push('', `Set-up code: ${state.setupCode}`, wrap('Open the dashboard and enter it to become the owner of this box.'))
  return parts.join('\n')
}

function healthText(line: HealthLine): string {
  const text = `${line.level.padEnd(4)}  ${plain(line.text)}`
  return line.level === 'ok' || line.advice === undefined ? text : `${text}\n${wrap(line.advice, '      ')}`
}
