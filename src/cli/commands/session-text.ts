/** One session in words; shared by the commands that show what became of it. */
import type { SessionJson } from '../../owner/api/index.ts'
import { bytes, duration, moment, pairs } from '../text.ts'
import { leftOf } from './sessions-list.ts'

export function sessionText(session: SessionJson): string {
  const why = session.endReason ?? session.pauseReason
  return pairs([
    ['Session', session.id],
    ['State', why === null ? session.state : `${session.state} (${why})`],
    ['Bought', `${session.label} (${session.source})`],
    ['Left', leftOf(session)],
    ['Used', `${duration(session.secondsUsed)}, ${bytes(session.upBytes)} up, ${bytes(session.downBytes)} down`],
    ['Paid', session.refunded.units === '0' ? session.paid.text : `${session.paid.text}, ${session.refunded.text} of it refunded`],
    ...session.devices.map((device, index): [string, string] => [index === 0 ? 'Devices' : '', `${device.mac} ${device.ip4 ?? ''}`]),
    ['Started', `${moment(session.startedWallMs)} UTC${session.startedWallTrusted ? '' : ' (clock not confirmed)'}`],
  ])
}
