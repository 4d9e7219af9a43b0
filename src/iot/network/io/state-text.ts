/**
 * A session as a short text. It is written with every frame and should stay within its page: with names, 20 frames of history are 1.1 KiB of
 * JSON and 72 channels 12 KiB; here 0.2 and 1.
 *
 *   [ 0, confFCnt, … ]             a JSON array, in the order of `Written`; the 0 is a place that is a column by now
 *   { "confFCnt": …, … }           as it was written before; still read
 */
import { fromHex, toHex } from '../../../base/index.ts'
import type { Moment } from '../../../base/index.ts'
import type { NetworkSession } from '../session.ts'

/** The others are columns. */
type State = Omit<NetworkSession, 'devEui' | 'number' | 'devAddr' | 'fCntUp' | 'fCntDown' | 'aFCntDown' | 'is11'>
type Channels = State['channels']
type Bit = 0 | 1
type WrittenMoment = readonly [bootId: string, boottimeMs: number, wallMs: number, wallTrusted: Bit]

type Written = readonly [
  unused: 0, confFCnt: number, rxDelaySeconds: number, rx1DrOffset: number, rx2DataRate: number, rx2FrequencyHz: number,
  dataRate: number, txPowerIndex: number, nbTrans: number, hasUplinkDwell: Bit, hasDownlinkDwell: Bit, maxEirpDbm: number,
  hasAdr: Bit, maxDataRate: number, maxTxPowerIndex: number, lastGateway: string | null, statusAskedAt: number | null, intervalSeconds: number | null, repeatsAnswered: number,
  battery: number | null, marginDb: number | null, awaitingAck: State['awaitingAck'], lastUplink: State['lastUplink'],
  startedAt: WrittenMoment, lastSeen: WrittenMoment | null,
  history: readonly number[], channels: string, pendingMac: readonly (readonly [cid: number, payload: string, tries: number])[],
]

export function stateText(state: State): string {
  const written: Written = [
    0, state.confFCnt, state.rxDelaySeconds, state.rx1DrOffset, state.rx2DataRate, state.rx2FrequencyHz,
    state.dataRate, state.txPowerIndex, state.nbTrans, bit(state.hasUplinkDwell), bit(state.hasDownlinkDwell), state.maxEirpDbm,
    bit(state.hasAdr), state.maxDataRate, state.maxTxPowerIndex, state.lastGateway, state.statusAskedAt, state.intervalSeconds, state.repeatsAnswered,
    state.battery, state.marginDb, state.awaitingAck, state.lastUplink,
    writtenMoment(state.startedAt), state.lastSeen === null ? null : writtenMoment(state.lastSeen),
    numbersOf(state.history), sharedText(state.channels), state.pendingMac.length === 0 ? NONE : state.pendingMac.map(({ cid, payload, tries }) => [cid, toHex(payload), tries] as const),
  ]
  return JSON.stringify(written)
}

/** `text` was made by stateText, of this version or of the one before. */
export function stateOf(text: string): State {
  if (text.startsWith('{')) return namedState(text)
  // By place: to take an array apart by its iterator makes an object for each place until the compiler has seen to it.
  const written = JSON.parse(text) as Written
  return {
    confFCnt: written[1], rxDelaySeconds: written[2], rx1DrOffset: written[3], rx2DataRate: written[4], rx2FrequencyHz: written[5],
    dataRate: written[6], txPowerIndex: written[7], nbTrans: written[8], hasUplinkDwell: written[9] === 1, hasDownlinkDwell: written[10] === 1, maxEirpDbm: written[11],
    hasAdr: written[12] === 1, maxDataRate: written[13], maxTxPowerIndex: written[14], lastGateway: written[15], statusAskedAt: written[16], intervalSeconds: written[17], repeatsAnswered: written[18],
    battery: written[19], marginDb: written[20], awaitingAck: written[21], lastUplink: written[22], startedAt: momentRead(written[23]), lastSeen: written[24] === null ? null : momentRead(written[24]),
    history: historyOf(written[25]), channels: sharedChannels(written[26]), pendingMac: written[27].map((entry) => ({ cid: entry[0], payload: fromHex(entry[1]), tries: entry[2] })),
  }
}

type NamedState = Omit<State, 'channels' | 'pendingMac'> & { readonly aFCntDown: number; readonly channels: string; readonly pendingMac: readonly { readonly cid: number; readonly payload: string; readonly tries: number }[] }

function namedState(text: string): State {
  const { channels, pendingMac, aFCntDown: _unused, ...rest } = JSON.parse(text) as NamedState
  return { ...rest, channels: channelsOf(channels), pendingMac: pendingMac.map((entry) => ({ ...entry, payload: fromHex(entry.payload) })) }
}

/** Four of each frame, the counter by how far it lies after the one before. */
function numbersOf(history: State['history']): readonly number[] {
  const numbers = new Array<number>(4 * history.length)
  let before = 0
  let at = 0
  for (const { fCnt, snrDb, txPowerIndex, gateways } of history) {
    numbers[at++] = fCnt - before
    numbers[at++] = snrDb
    numbers[at++] = txPowerIndex
    numbers[at++] = gateways
    before = fCnt
  }
  return numbers
}

function historyOf(numbers: readonly number[]): State['history'] {
  const history: State['history'][number][] = []
  let fCnt = 0
  for (let at = 0; at < numbers.length; at += 4) {
    fCnt += numbers[at] ?? 0
    history.push({ fCnt, snrDb: numbers[at + 1] ?? 0, txPowerIndex: numbers[at + 2] ?? 0, gateways: numbers[at + 3] ?? 0 })
  }
  return history
}

const bit = (is: boolean): Bit => (is ? 1 : 0)
const writtenMoment = ({ bootId, boottimeMs, wallMs, wallTrusted }: Moment): WrittenMoment => [bootId, boottimeMs, wallMs, bit(wallTrusted)]
const momentRead = (written: WrittenMoment): Moment => ({ bootId: written[0], boottimeMs: written[1], wallMs: written[2], wallTrusted: written[3] === 1 })

/** The devices of a network have the same few lists, and each frame has its device's read and written: once is enough. */
const MOST_LISTS = 64
const LISTS = new Map<string, Channels>()
const TEXTS = new WeakMap<Channels, string>()
const NONE: Written[27] = []

function sharedChannels(text: string): Channels {
  const known = LISTS.get(text)
  if (known !== undefined) return known
  const channels = channelsOf(text)
  if (LISTS.size >= MOST_LISTS) LISTS.clear()
  LISTS.set(text, channels)
  TEXTS.set(channels, text)
  return channels
}

function sharedText(channels: Channels): string {
  const known = TEXTS.get(channels)
  if (known !== undefined) return known
  const text = channelsText(channels)
  TEXTS.set(channels, text)
  return text
}

/** Each `frequency/100,least,most,on` in numbers to the base 36, or `-`; parted by `;`. */
export function channelsText(channels: Channels): string {
  return channels.map((channel) => (channel === null ? '-' : [channel.frequencyHz / 100, channel.minDataRate, channel.maxDataRate, channel.isEnabled ? 1 : 0].map((number) => number.toString(36)).join(','))).join(';')
}

export function channelsOf(text: string): Channels {
  if (text === '') return []
  return text.split(';').map((part) => {
    if (part === '-') return null
    const [units = 0, minDataRate = 0, maxDataRate = 0, on = 0] = part.split(',').map((number) => parseInt(number, 36))
    return { frequencyHz: units * 100, minDataRate, maxDataRate, isEnabled: on === 1 }
  })
}
