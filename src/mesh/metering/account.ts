/**
 * One carriage as the shell keeps it: the machine's state, the meter, the signed frames of the readings that the state names, and
 * what was ordered or came in payments; and the same as a row. docs/mesh.md "Storage".
 */
import { hexOf, inputError, integerOf } from '../../base/index.ts'
import type { Address, Hex } from '../../base/index.ts'
import { EPOCH_BYTES, encodeReading, macBytes, readDocument, writeDocument } from '../documents/index.ts'
import type { Field, FieldReader } from '../documents/index.ts'
import type { BoxId, Mac, Reading } from '../ports.ts'
import { owedUnits } from './carriage.ts'
import type { Carriage, CarriageStage, KnownPrice } from './carriage.ts'
import { totalOf } from './exchange.ts'
import type { Exchange, ReadingPair } from './exchange.ts'
import { openReading } from './frames.ts'
import type { ShownStanding, SignedReading } from './frames.ts'
import { MAX_LINKS } from './meter.ts'
import type { LinkMark, Meter } from './meter.ts'
import { standingOf } from './standing.ts'
import type { Tally } from './tolerance.ts'

/** Numbers a carrier leaves out after a crash: more than it can have used since its row was written. */
export const NUMBERS_LEFT_OUT = 1000
const STAGES: readonly CarriageStage[] = ['offered', 'running', 'in-debt', 'silent', 'ended']
const MAX_PRICES = 8

export interface PaymentOrder {
  readonly number: number
  readonly amount: bigint
}

export interface Account {
  readonly state: Carriage
  readonly meter: Meter
  /** By who signed and the hex of the reading: both ends' may be the same words. Of all readings that `state` names. */
  readonly frames: ReadonlyMap<string, Uint8Array>
  /** Client's: payments ordered; carrier's: payments that came. */
  readonly payments: number
  /** Client's: on disk, and not known to be paid. */
  readonly order: PaymentOrder | null
  /** Photon account of the carrier. */
  readonly payee: Address
  /** Written off by the owner: no longer asked for. Units. */
  readonly writtenOff: bigint
  /** The owner said that the partner may begin anew at once. */
  readonly isReadmitted: boolean
}

export type Side = 'carrier' | 'client'

export interface KeptReading extends SignedReading {
  readonly by: Side
}

export interface AccountRow {
  readonly carrier: BoxId
  readonly client: BoxId
  readonly epoch: Hex
  readonly role: 'carrier' | 'client'
  readonly token: Address
  readonly stage: string
  readonly reason: string | null
  readonly owedParts: bigint
  readonly paid: bigint
  readonly bootId: string
  readonly snapshot: Uint8Array
}

export function accountKey(account: Account): string {
  return `${account.state.carrier} ${account.state.client} ${hexOf(account.state.epoch)}`
}

export function partnerOf(account: Account): BoxId {
  return account.state.role === 'carrier' ? account.state.client : account.state.carrier
}

export function withFrames(account: Account, more: readonly KeptReading[]): Account {
  const frames = new Map<string, Uint8Array>()
  const known = new Map([...account.frames, ...more.map((each) => [keyOf(each.by, each.reading), each.frame] as const)])
  for (const [by, reading] of readingsOf(account.state)) {
    const frame = known.get(keyOf(by, reading))
    if (frame !== undefined) frames.set(keyOf(by, reading), frame)
  }
  return { ...account, frames }
}

/** Errors: input, for one that the state does not name. */
export function signedOf(account: Account, by: Side, reading: Reading): KeptReading {
  const frame = account.frames.get(keyOf(by, reading))
  if (frame === undefined) throw inputError('reading', reading.sequence, 'a reading that is kept with its signature')
  return { by, reading, frame }
}

/** As its parts were signed, to be kept. */
export function keptOf({ from, pair }: ShownStanding): readonly KeptReading[] {
  return [pair, ...(from === null ? [] : [from])].flatMap(({ carrier, client }): KeptReading[] => [
    { ...carrier, by: 'carrier' },
    { ...client, by: 'client' },
  ])
}

/** Units agreed on and not paid, what is ordered taken for paid; never less than 0. */
export function residueOf({ state, writtenOff }: Account): bigint {
  const open = owedUnits(state) - state.paid - writtenOff
  return open > 0n ? open : 0n
}

/** What the partner is shown after a break. */
export function shownStanding(account: Account): ShownStanding | null {
  const standing = standingOf(account.state)
  if (standing === null) return null
  const signed = (pair: ReadingPair): ShownStanding['pair'] => ({ carrier: signedOf(account, 'carrier', pair.carrier), client: signedOf(account, 'client', pair.client) })
  return { from: standing.from === null ? null : signed(standing.from), pair: signed(standing.pair) }
}

export function rowOf(account: Account, bootId: string): AccountRow {
  const { state } = account
  return {
    carrier: state.carrier,
    client: state.client,
    epoch: hexOf(state.epoch),
    role: state.role,
    token: state.token,
    stage: state.state,
    reason: state.reason,
    owedParts: state.agreed?.owedParts ?? 0n,
    paid: state.paid,
    bootId,
    snapshot: snapshotOf(account),
  }
}

/** After a restart: the carrier's numbers go on behind any that it may have used; times begin now. Errors: input. */
export function accountOf(row: AccountRow, nowMs: number): Account {
  const { role, carrier, client, token } = row
  return readDocument('snapshot', row.snapshot, (reader): Account => {
    const epoch = reader.string('epoch', EPOCH_BYTES).slice()
    const isBroken = reader.number('isBroken', 0, 1) === 1
    const lastNumber = reader.number('lastNumber', 0, 2 ** 48)
    const prices = reader.list('prices', MAX_PRICES, (each): KnownPrice => priceFrom(each.string('price', 1, 80)))
    const frames = new Map<string, Uint8Array>()
    const agreed = readExchange(reader, 'agreed', frames)
    const answered = readExchange(reader, 'answered', frames)
    const bytes = { up: reader.amount('up'), down: reader.amount('down') }
    const marks = new Map(reader.list('marks', MAX_LINKS, readMark))
    const payments = reader.number('payments', 0, 2 ** 48)
    const order = reader.list('order', 1, (each): PaymentOrder => orderFrom(each.string('order', 1, 80)))[0] ?? null
    const payee = reader.address('payee')
    const writtenOff = reader.amount('writtenOff')
    const isReadmitted = reader.number('isReadmitted', 0, 1) === 1
    const stage = STAGES.find((each) => each === row.stage)
    if (stage === undefined) throw inputError('stage', row.stage, STAGES.join(', '))
    const isOpen = owedUnits({ agreed }) > row.paid
    return {
      state: {
        role,
        carrier,
        client,
        token,
        epoch,
        // Nobody has answered since: the gate opens with the first answer.
        state: stage === 'ended' || stage === 'offered' ? stage : 'silent',
        reason: stage === 'ended' || stage === 'offered' ? row.reason : 'this box started anew; the partner has not talked yet',
        isBroken,
        sinceMs: nowMs,
        prices,
        agreed,
        answered,
        waiting: null,
        lastNumber: lastNumber + NUMBERS_LEFT_OUT,
        heardMs: nowMs,
        paid: row.paid,
        openSinceMs: isOpen ? nowMs : null,
      },
      meter: { role, bytes, marks },
      frames,
      payments,
      order,
      payee,
      writtenOff,
      isReadmitted,
    }
  })
}

function snapshotOf(account: Account): Uint8Array {
  const { state, meter } = account
  const marks = [...meter.marks].map(([mac, mark]): Field => [macBytes(mac), mark.received, mark.sent, mark.ended, mark.allReceived, mark.allSent])
  return writeDocument('snapshot', [
    state.epoch,
    state.isBroken ? 1 : 0,
    state.lastNumber,
    state.prices.map(({ sequence, unitsPerMiB }) => ({ text: `${sequence} ${unitsPerMiB}` })),
    state.agreed === null ? [] : exchangeFields(account, state.agreed),
    state.answered === null ? [] : exchangeFields(account, state.answered),
    meter.bytes.up,
    meter.bytes.down,
    marks,
    account.payments,
    account.order === null ? [] : [{ text: `${account.order.number} ${account.order.amount}` }],
    account.payee,
    account.writtenOff,
    account.isReadmitted ? 1 : 0,
  ])
}

function exchangeFields(account: Account, { from, pair, owedParts, stretch, tally, isOver }: Exchange): readonly Field[] {
  const frames = [...(from === null ? [] : [from]), pair].flatMap(({ carrier, client }) => [signedOf(account, 'carrier', carrier).frame, signedOf(account, 'client', client).frame])
  return [owedParts, stretch.carrier, stretch.client, tallyText(tally, isOver), ...frames]
}

function readExchange(reader: FieldReader, field: string, frames: Map<string, Uint8Array>): Exchange | null {
  const [owedParts, carried, received, tally, ...signed] = reader.list(field, 8, (each) => each.string(field, 0, 400))
  if (owedParts === undefined || carried === undefined || received === undefined || tally === undefined) return null
  const readings = signed.map((frame, index) => {
    const opened = openReading(frame.slice())
    frames.set(keyOf(index % 2 === 0 ? 'carrier' : 'client', opened.reading), opened.frame)
    return opened.reading
  })
  const [client, carrier, fromClient, fromCarrier] = readings.toReversed()
  if (carrier === undefined || client === undefined) throw inputError(field, `${readings.length} readings`, '2 or 4 readings')
  return {
    from: fromCarrier === undefined || fromClient === undefined ? null : { carrier: fromCarrier, client: fromClient },
    pair: { carrier, client },
    owedParts: integerOf(owedParts, field),
    stretch: { carrier: integerOf(carried, field), client: integerOf(received, field) },
    ...tallyFrom(tally, { carrier, client }),
  }
}

function tallyText({ short, judgedBytes, judgedShort, drifts, allDrifts }: Tally, isOver: boolean): Field {
  return { text: `${drifts} ${allDrifts} ${short} ${judgedBytes} ${judgedShort} ${isOver ? 1 : 0}` }
}

/** A row of before this was kept has the first number only, as the bytes of an integer: how far the client was behind then is in its readings. */
function tallyFrom(bytes: Uint8Array, { carrier, client }: ReadingPair): Pick<Exchange, 'tally' | 'isOver'> {
  const text = Buffer.from(bytes).toString('latin1')
  if (!text.includes(' ')) {
    const [drifts, total, short] = [Number(integerOf(bytes, 'drifts', 4)), totalOf(carrier.bytes), totalOf(carrier.bytes) - totalOf(client.bytes)]
    const known = short > 0n ? short : 0n
    return { tally: { short: known, judgedBytes: total, judgedShort: known, drifts, allDrifts: drifts }, isOver: false }
  }
  const [, drifts, allDrifts, short, judgedBytes, judgedShort, isOver] = /^(\d{1,9}) (\d{1,9}) (\d{1,40}) (\d{1,40}) (\d{1,40}) ([01])$/.exec(text) ?? []
  if (drifts === undefined || allDrifts === undefined || short === undefined || judgedBytes === undefined || judgedShort === undefined) throw inputError('tally', text, 'six numbers')
  return { tally: { short: BigInt(short), judgedBytes: BigInt(judgedBytes), judgedShort: BigInt(judgedShort), drifts: Number(drifts), allDrifts: Number(allDrifts) }, isOver: isOver === '1' }
}

function readMark(reader: FieldReader): readonly [Mac, LinkMark] {
  return [reader.mac('link'), { received: reader.amount('received'), sent: reader.amount('sent'), ended: reader.amount('ended'), allReceived: reader.amount('allReceived'), allSent: reader.amount('allSent') }]
}

function twoNumbers(bytes: Uint8Array): readonly [number, bigint] {
  const [, first, second] = /^(\d{1,15}) (\d{1,50})$/.exec(Buffer.from(bytes).toString('latin1')) ?? []
  if (first === undefined || second === undefined) throw inputError('snapshot', hexOf(bytes), 'two numbers')
  return [Number(first), BigInt(second)]
}

function priceFrom(bytes: Uint8Array): KnownPrice {
  const [sequence, unitsPerMiB] = twoNumbers(bytes)
  return { sequence, unitsPerMiB }
}

function orderFrom(bytes: Uint8Array): PaymentOrder {
  const [number, amount] = twoNumbers(bytes)
  return { number, amount }
}

function keyOf(by: Side, reading: Reading): string {
  return `${by} ${hexOf(encodeReading(reading))}`
}

function readingsOf(state: Carriage): readonly (readonly [Side, Reading])[] {
  const pairs: readonly (ReadingPair | null)[] = [state.agreed?.from ?? null, state.agreed?.pair ?? null, state.answered?.from ?? null, state.answered?.pair ?? null]
  const readings = pairs.flatMap((pair): (readonly [Side, Reading])[] => (pair === null ? [] : [['carrier', pair.carrier], ['client', pair.client]]))
  return state.waiting === null ? readings : [...readings, ['carrier', state.waiting.reading]]
}
