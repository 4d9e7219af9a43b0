/** Channels and what belongs to them on a terminal, and how commands name a channel: by its id, or by as much of its beginning as only one has. */
import { MeshBoxError } from '../../base/index.ts'
import type { PhotonAlarmJson, PhotonChannelJson, PhotonChannelsJson, PhotonDutiesJson, PhotonPeersJson, PhotonSideJson, PhotonStatusJson } from '../../owner/api/index.ts'
import { argument, usageError } from '../command.ts'
import type { Context, OptionSpec } from '../command.ts'
import { moment, pairs, plain, table, tokens, wrap } from '../text.ts'

export const TOKEN_OPTION: OptionSpec = { name: 'token', value: 'TOKEN', help: 'its symbol or address (default: the first one named)' }

const STATES = {
  starting: 'starting',
  ready: 'ready',
  offline: 'off line: payments between neighbours go on up to a limit, locks do not',
  halted: 'HALTED: nothing moves until the alarm is looked at',
} as const
const PHASES: Readonly<Record<string, string>> = {
  opened: 'open',
  closing: 'closing',
  closed: 'closed',
  settling: 'paying out',
  settled: 'over',
  withdrawing: 'withdrawing',
  'cooperative-settling': 'closing',
  'partner-cooperative-settling': 'closing',
  'partner-withdrawing': 'withdrawing',
  'prepare-cooperative-settle': 'preparing',
  error: 'FROZEN',
}
const HASH_CHARS = 66
/** Looked through for an id that is not given whole. */
const MOST_CHANNELS = 1000
const LEFT = { align: 'left' } as const
const RIGHT = { align: 'right' } as const

export function shortHash(hash: string): string {
  return `${hash.slice(0, 10)}…`
}

export function shortAccount(account: string): string {
  return `${account.slice(0, 6)}…${account.slice(-4)}`
}

export function channelsText({ channels, total }: PhotonChannelsJson): string {
  if (channels.length === 0) return 'No channels. Open one: meshbox channel open PARTNER AMOUNT'
  const rows = channels.map((one) => [shortHash(one.id), phaseOf(one), one.own.spendable.text, one.partner.spendable.text, lockedOf(one), one.token.symbol, shortAccount(one.partner.address), one.isConnected ? 'yes' : 'no'])
  const columns = [{ title: 'CHANNEL', ...LEFT }, { title: 'STATE', ...LEFT }, { title: 'MINE', ...RIGHT }, { title: 'THEIRS', ...RIGHT }, { title: 'LOCKED', ...RIGHT }, { title: 'TOKEN', ...LEFT }, { title: 'WITH', stretch: true }, { title: 'HERE', ...LEFT }]
  const alarms = channels.filter((one) => one.alarm !== null).map((one) => wrap(`${shortHash(one.id)} ${one.alarm ?? ''}`))
  return [table(columns, rows), ...(total > channels.length ? [`And ${total - channels.length} more: --limit N`] : []), ...(alarms.length === 0 ? [] : ['', ...alarms])].join('\n')
}

function lockedOf({ own, partner }: PhotonChannelJson): string {
  return own.locked.units === '0' && partner.locked.units === '0' ? '-' : `${own.locked.text}/${partner.locked.text}`
}

function phaseOf(channel: PhotonChannelJson): string {
  return PHASES[channel.phase] ?? plain(channel.phase)
}

export function channelText(channel: PhotonChannelJson): string {
  const { own, partner, closedBlock, settleBlock, token, closeRefusal } = channel
  const side = (one: PhotonSideJson): string => `${tokens(one.spendable, token)} to pay with, ${one.locked.text} locked, ${one.deposit.text} put in`
  return [
    ...(channel.alarm === null ? [] : [wrap(`LOOK AT THIS: ${channel.alarm}`), '']),
    ...(closeRefusal === null ? [] : [wrap(`The partner refused to close it together: ${plain(closeRefusal.reason)} (${closeRefusal.code}). ${channel.actions.includes('close') ? 'Ask again later, or end' : 'End'} it without the partner: meshbox channel close --force.`), '']),
    pairs([
      ['Channel', channel.id],
      ['State', `${phaseOf(channel)}${channel.isConnected ? ', partner connected' : ', partner not connected'}`],
      ['Mine', side(own)],
      ['Theirs', side(partner)],
      ['Partner', partner.address],
      ['Token', `${token.symbol} ${token.address}`],
      ['Kind', channel.role === 'core' ? 'core: carries payments of others' : 'leaf: carries none of others'],
      ['Opened', `in block ${channel.openBlock}${channel.openedWallMs === null ? '' : `, ${moment(channel.openedWallMs)} UTC`}`],
      ...(closedBlock === null ? [] : [['Closed', `in block ${closedBlock}`] as const]),
      ...(settleBlock === null ? [] : [['Paid out', `after block ${settleBlock}`] as const]),
      ['Timeout', `${channel.settleTimeoutBlocks} blocks after a close without the partner`],
      ['May be', channel.actions.length === 0 ? 'left alone: it ends by itself' : channel.actions.join(', ')],
    ]),
  ].join('\n')
}

export function photonStatusText(status: PhotonStatusJson): string {
  return [
    ...status.alarms.flatMap((alarm) => [alarmText(alarm), '']),
    pairs([
      ['State', STATES[status.state]],
      ['Account', status.account],
      ...coinRows(status),
      ['Channels', `${status.channels}, ${status.peers} boxes connected`],
      ['Chain', `id ${status.chainId}, ${status.head === null ? 'no block seen yet' : `block ${status.head}`}`],
      ['Contract', status.contract ?? 'none'],
      ...status.earned.map(({ token, fees, streams }, index) => [index === 0 ? 'Earned' : '', `${tokens(fees, token)} for carrying, ${tokens(streams, token)} by the second`] as const),
      ...originalRows(status),
    ]),
    ...(status.listening.length === 0 ? [] : ['', 'Other boxes reach it at', ...status.listening.map(plain)]), // uncut: it is copied from here
  ].join('\n')
}

/** What the account has outside of channels. */
function coinRows({ gas, gasToken, wrapped }: PhotonStatusJson): (readonly [string, string])[] {
  return [
    ['For gas', gas === null ? 'not known' : tokens(gas, gasToken)],
    ...(wrapped === null ? [] : [['As tokens', wrapped.balance === null ? 'not known' : tokens(wrapped.balance, wrapped.token)] as const]),
  ]
}

/** Channels with nodes of the original Photon: an account of their own, which wants coins of its own. */
function originalRows({ original, gasToken }: PhotonStatusJson): (readonly [string, string])[] {
  if (original === null) return []
  return [
    ['', ''],
    ['Original nodes', original.listening === null ? STATES[original.state] : `${STATES[original.state]}, at ${plain(original.listening)}`],
    ['Account', original.account],
    ['For gas', original.gas === null ? 'not known' : tokens(original.gas, gasToken)],
    ['Contract', original.contract],
  ]
}

export function coinsText(status: PhotonStatusJson): string {
  return `${pairs([['Account', status.account], ...coinRows(status)])}\n\n${wrap('Ordered. Until it is in the chain: meshbox channel duties')}`
}

function alarmText({ code, text, atWallMs }: PhotonAlarmJson): string {
  return wrap(`ALARM ${code}${atWallMs === null ? '' : ` since ${moment(atWallMs)}`}: ${plain(text)}`)
}

export function alarmsText(alarms: readonly PhotonAlarmJson[]): string {
  if (alarms.length === 0) return 'No alarms.'
  return alarms.map((alarm) => `${alarmText(alarm)}\n${wrap(alarm.isClearable ? `When you have looked: meshbox channel alarm clear ${plain(alarm.id)}` : 'It goes by itself when its reason goes.')}`).join('\n\n')
}

export function dutiesText({ duties, head }: PhotonDutiesJson): string {
  if (duties.length === 0) return 'Nothing is on its way into the chain.'
  const rows = duties.map((one) => [String(one.id), one.kind, one.channel === null ? '-' : shortHash(one.channel), one.state, one.blocksLeft === null ? 'no hurry' : `${one.blocksLeft} blocks`, one.transaction === null ? '-' : shortHash(one.transaction)])
  const columns = [{ title: 'ID', ...RIGHT }, { title: 'WHAT', ...LEFT }, { title: 'CHANNEL', ...LEFT }, { title: 'STATE', stretch: true }, { title: 'LEFT', ...RIGHT }, { title: 'SENT AS', ...LEFT }]
  return `${table(columns, rows)}${head === null ? '' : `\nAt block ${head}.`}`
}

export function peersText({ peers }: PhotonPeersJson): string {
  if (peers.length === 0) return 'No boxes known. Name one: meshbox channel peers add ACCOUNT ADDRESS'
  return peers.map(({ account, address, isConnected }) => `${account}  ${isConnected ? 'connected' : 'not connected'}\n  ${plain(address ?? 'no address')}`).join('\n')
}

/** Errors: usage; not-found, or input where several begin so. */
export async function channelArgument(context: Context, index: number): Promise<string> {
  const text = argument(context, index).toLowerCase()
  const name = beginningOf(text, 'CHANNEL')
  if (name.length === HASH_CHARS) return name
  const { channels } = await context.service.call('photonChannels', { query: { limit: MOST_CHANNELS } })
  return onlyOne(name, channels.map((one) => one.id), 'channel')
}

/** Errors: usage. */
export function beginningOf(text: string, what: string): string {
  if (!/^0x[0-9a-f]{4,64}$/.test(text)) throw usageError(`${what}: '${text}' is not an id: 0x and 64 hex digits, or at least the first 4`)
  return text
}

/** Errors: not-found; input. */
export function onlyOne(beginning: string, ids: readonly string[], what: string): string {
  const found = ids.filter((id) => id.startsWith(beginning))
  const [only] = found
  if (only === undefined) throw new MeshBoxError('not-found', `there is no ${what} ${beginning}`, { code: `photon-${what}`, field: 'id', value: beginning })
  if (found.length > 1) throw new MeshBoxError('input', `${found.length} ${what}s begin with ${beginning}: give more of it`, { code: 'bad-input', field: 'id', value: beginning })
  return only
}

/** Errors: usage. */
export function accountArgument(context: Context, index: number, what: string): string {
  const text = argument(context, index)
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw usageError(`${what}: '${text}' is not an account, 0x and 40 hex digits`)
  return text
}

/** Errors: usage. */
export function amountText(text: string, what: string): string {
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) throw usageError(`${what}: '${text}' is not an amount in tokens, such as 2.5`)
  return text
}
