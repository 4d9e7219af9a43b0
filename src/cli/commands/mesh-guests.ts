/** `meshbox mesh guests` */
import type { MeshGuestsJson } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { bytes, duration, table, tokens, wrap } from '../text.ts'
import { shortBox } from './mesh-text.ts'

const LEFT = { align: 'left' } as const
const RIGHT = { align: 'right' } as const

export const meshGuests: CommandSpec = {
  words: ['mesh', 'guests'],
  summary: 'guests who walk: away, visiting, and what boxes owe for them',
  details: 'Away: time sold here that is used at another box. Visiting: time sold there that is used here.',
  run: async ({ service }) => {
    const guests = await service.call('meshGuests', {})
    return { json: guests, text: meshGuestsText(guests) }
  },
}

function meshGuestsText({ walks, away, visitors, debts }: MeshGuestsJson): string {
  if (!walks) return wrap('Sessions do not walk here: guests pass the gate of the box with the way out, or this box has none (mesh.roam_enforcement).')
  const parts: string[] = []
  if (away.length > 0) {
    const rows = away.map(({ mac, holder, forSeconds, leftSeconds, usedSeconds, isContested }) => [mac, shortBox(holder), forSeconds === null ? 'on its way' : duration(forSeconds), duration(usedSeconds), duration(leftSeconds), isContested ? 'used in two places' : ''])
    parts.push('Away', table([{ title: 'DEVICE', ...LEFT }, { title: 'AT', ...LEFT }, { title: 'FOR', ...RIGHT }, { title: 'USED', ...RIGHT }, { title: 'LEFT', ...RIGHT }, { title: 'WHY', stretch: true }], rows), '')
  }
  if (visitors.length > 0) {
    const rows = visitors.map(({ mac, seller, isIn, leftSeconds, usedSeconds, usedBytes }) => [mac, shortBox(seller), isIn ? 'in' : 'out', duration(usedSeconds), bytes(usedBytes), duration(leftSeconds)])
    parts.push('Visiting', table([{ title: 'DEVICE', ...LEFT }, { title: 'OF', ...LEFT }, { title: 'NOW', ...LEFT }, { title: 'USED', ...RIGHT }, { title: 'DATA', ...RIGHT }, { title: 'LEFT', ...RIGHT }], rows), ...visitors.flatMap(({ mac, reason }) => (reason === null ? [] : [wrap(`${mac}: ${reason}`, '  ')])), '')
  }
  if (away.length + visitors.length === 0) parts.push('Nobody is away, and nobody is visiting.', '')
  if (debts.length > 0) {
    const rows = debts.map(({ box, isOurs, token, open, paid, forSeconds }) => [isOurs === 'holder' ? `${shortBox(box)} pays` : `to ${shortBox(box)}`, tokens(open, token), tokens(paid, token), forSeconds === null ? '-' : duration(forSeconds)])
    parts.push('Owed for guests', table([{ title: 'WHO', ...LEFT }, { title: 'OPEN', ...RIGHT }, { title: 'PAID', ...RIGHT }, { title: 'FOR', ...RIGHT }], rows), '')
  }
  return parts.slice(0, -1).join('\n')
}
