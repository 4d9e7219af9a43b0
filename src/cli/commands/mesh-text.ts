/** The mesh on a terminal. */
import type { MeshCarriageJson, MeshInvitationsJson, MeshPathJson, MeshPeerJson, MeshPeersJson, MeshPricesJson, MeshStatusJson, Money } from '../../owner/api/index.ts'
import { usageError } from '../command.ts'
import { bytes, duration, pairs, plain, table, tokens, wrap } from '../text.ts'

const STANDINGS = { admitted: 'member', provisional: 'member for now', stranger: 'no member', expelled: 'EXPELLED' } as const
const REACHES = { internet: 'yes', intermittent: 'on and off', none: 'NO' } as const
const LEFT = { align: 'left' } as const
const RIGHT = { align: 'right' } as const

export function meshStatusText(status: MeshStatusJson): string {
  const { condition, token, price } = status
  const money = (amount: Money): string => (token === null ? amount.text : tokens(amount, token))
  return [
    ...status.alarms.flatMap(({ code, text, forSeconds }) => [wrap(`ALARM ${code}${forSeconds === null ? '' : ` for ${duration(forSeconds)}`}: ${plain(text)}`), '']),
    pairs([
      ['Box', status.self],
      ['Community', status.isOurs ? `${status.community}, signed for here` : status.community],
      ['This box', STANDINGS[status.standing]],
      ['batman-adv', condition.kind === 'up' ? `${status.algorithm ?? 'up'}, ${status.originator ?? ''}` : (condition.reason ?? condition.kind)],
      ['Mesh', `${status.nodes} nodes, ${status.connected} boxes connected, ${status.guests} devices`],
      ['Internet', `${REACHES[status.reach]}${status.uplink === null ? '' : `, by ${status.uplink}`}`],
      ...status.purchases.map(({ uplink, paidForSeconds, spent, cap, isSpent, reason }): [string, string] => [
        `Buys ${plain(uplink)}`,
        `${isSpent ? 'spent' : paidForSeconds === null ? 'nothing is paid' : `paid for ${duration(paidForSeconds)}`}; ${money(spent)} of ${money(cap)} today; ${plain(reason)}`,
      ]),
      ['Carries for', token === null ? 'nothing: no token is configured' : price === null ? 'nobody now' : `${tokens(price, token)} for a MiB`],
    ]),
  ].join('\n')
}

export function meshPeersText({ peers, members }: MeshPeersJson): string {
  const away = members.filter(({ box }) => !peers.some((peer) => peer.box === box))
  if (peers.length + away.length === 0) return 'No other boxes yet.'
  return [
    ...peers.map((peer) => boxText(peer.box, peer.name, [presenceOf(peer), STANDINGS[peer.standing], peer.side, ...(peer.originator === null ? [] : [peer.originator])])),
    ...away.map(({ box, standing }) => boxText(box, '', ['not here', STANDINGS[standing]])),
  ].join('\n')
}

/** The box uncut: it is copied from here. */
function boxText(box: string, name: string, facts: readonly string[]): string {
  return `${box}${name === '' ? '' : `  ${plain(name).slice(0, 36)}`}\n${wrap(facts.join(', '), '  ')}`
}

function presenceOf({ isConnected, roundTripMs, ban }: MeshPeerJson): string {
  if (isConnected) return roundTripMs === null ? 'connected' : `connected, ${Math.round(roundTripMs)} ms`
  if (ban === null) return 'not here'
  return `banned ${ban.forSeconds === null ? 'for good' : `for ${duration(ban.forSeconds)}`}${ban.reason === '' ? '' : ` (${plain(ban.reason)})`}`
}

export function meshPathText({ to, box, nextHop, tq, throughputKbit, wayOut }: MeshPathJson): string {
  const quality = tq !== null ? `TQ ${tq} of 255` : throughputKbit !== null ? `${Math.round(throughputKbit / 100) / 10} Mbit/s` : 'not known'
  return pairs([
    ['To', to],
    ['Box', box ?? 'none that this one talks with'],
    ['By', nextHop ?? 'itself: a neighbour'],
    ['Quality', quality],
    ...(wayOut.length === 0 ? [['Way out', 'its own, or none'] as const] : wayOut.map((each, index) => [index === 0 ? 'Way out' : '', each] as const)),
  ])
}

export function meshPricesText({ token, own, adverts, carriages, spending }: MeshPricesJson): string {
  if (token === null) return 'Nothing is asked and nothing is paid for carrying: no token is configured.'
  const parts = [own === null ? 'This box has said no price yet.' : `This box: ${own.price === null ? 'carries for nobody now: it has no way out' : `${tokens(own.price, token)} for a MiB, of it its own ${own.share.text}; ${own.hops === 0 ? 'its own way out' : `${own.hops} hops to the way out`}`}`]
  if (spending !== null) parts.push(spending.cap.units === '0' ? 'It buys nothing of others: mesh.spend_per_day is 0.' : `Spent on being carried: ${tokens(spending.spent, token)} of ${spending.cap.text} in this day, which lasts ${duration(spending.leftSeconds)} more`)
  if (adverts.length > 0) {
    const rows = adverts.map(({ box, price, share, hops, leftSeconds, refusal }) => [shortBox(box), price?.text ?? '-', share.text, String(hops), duration(leftSeconds), refusal ?? 'yes'])
    parts.push('', table([{ title: 'BOX', ...LEFT }, { title: 'A MIB', ...RIGHT }, { title: 'ITS OWN', ...RIGHT }, { title: 'HOPS', ...RIGHT }, { title: 'HOLDS', ...RIGHT }, { title: 'TAKEN', stretch: true }], rows))
  }
  if (carriages.length > 0) parts.push('', table([{ title: 'WHO', ...LEFT }, { title: 'STATE', ...LEFT }, { title: 'CARRIED', ...RIGHT }, { title: 'OPEN', ...RIGHT }, { title: 'PAID', ...RIGHT }], carriages.map(carriageRow)), ...carriages.flatMap(carriageReason))
  return parts.join('\n')
}

function carriageRow(carriage: MeshCarriageJson): readonly string[] {
  const { state, isResting, upBytes, downBytes, open, paid, token } = carriage
  return [whoPays(carriage), isResting ? `${state}, rests` : state, bytes(upBytes + downBytes), tokens(open, token), tokens(paid, token)]
}

/** In full: it says what to do. */
function carriageReason(carriage: MeshCarriageJson): readonly string[] {
  return carriage.reason === null ? [] : [wrap(`${whoPays(carriage)}: ${carriage.reason}`, '  ')]
}

function whoPays({ carrier, client, isOurs }: MeshCarriageJson): string {
  return isOurs === 'carrier' ? `${shortBox(client)} pays` : `to ${shortBox(carrier)}`
}

export function meshInvitationsText({ invitations }: MeshInvitationsJson): string {
  if (invitations.length === 0) return 'No invitations are about. Make one: meshbox mesh invite'
  const rows = invitations.map(({ number, uses, usedBy, leftSeconds }) => [String(number), `${usedBy.length} of ${uses}`, leftSeconds === null ? 'until used up' : duration(leftSeconds)])
  return table([{ title: 'NUMBER', ...RIGHT }, { title: 'USED', ...RIGHT }, { title: 'HOLDS', ...LEFT }], rows)
}

/** Errors: usage. */
export function boxArgument(text: string): string {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw usageError(`BOX: '${text}' is not a box, 0x and 40 hex digits; meshbox mesh peers shows them`)
  return text.toLowerCase()
}

export function shortBox(box: string): string {
  return `${box.slice(0, 6)}…${box.slice(-4)}`
}
