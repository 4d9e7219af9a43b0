/**
 * What a guest's key has in the purse, what he orders with it, and the end of his channel: asked by the wallet page's
 * script, answered in JSON, refusals with the guest's own words. A signature decides everything; the page's token only
 * keeps others' pages away.
 */
import { MeshBoxError, inputError } from '../../../base/index.ts'
import type { GuestOrder, StreamDoor } from '../../stream/index.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import { type AskedByGuest, type Counter, type GuestGet, type GuestPost, pageContext } from '../asked.ts'
import { pursePart } from '../page/purse.ts'
import { statusOf } from '../problem.ts'
import { refusalText } from '../refusal.ts'

const MAX_ORDER_LENGTH = 1024
const PAYER = /^0x[0-9a-f]{40}$/
const AMOUNT = /^\d{1,39}$/
const NUMBER = /^\d{1,78}$/
const SIGNATURE = /^0x[0-9a-f]{130}$/
const MAX_BLOCK = 2 ** 48
const KINDS: readonly GuestOrder['what'][] = ['open', 'put-in', 'pay']

export const purseOf: GuestGet = (asked, counter, payer) =>
  said(asked, async () => {
    const { balance, arriving, number, epoch, ...rest } = await doorOf(counter).purse(asked.client.mac, payer)
    return { ...rest, balance: balance.toString(), arriving: arriving.toString(), number: number.toString(), epoch: epoch.toString() }
  })

/** The words and fields around it, in the page's language. */
export const pursePage: GuestGet = async (asked, counter) => {
  const board = counter.stream?.board() ?? null
  const purse = board?.purse ?? null
  if (board === null || purse === null) throw noSuchPage()
  return jsonAnswer(200, pursePart(pageContext(asked, counter), board, purse))
}

export const orderByKey: GuestPost = (asked, counter, form) =>
  said(asked, async () => {
    const { hash, state } = await doorOf(counter).order(asked.client.mac, payerOf(form), readOrder(form.get('order') ?? ''))
    return { hash, state }
  })

/** Without a signature it only says what would be signed. */
export const takeOut: GuestPost = (asked, counter, form) =>
  said(asked, async () => {
    const text = form.get('order')
    const { guest, box, epoch, ...rest } = await doorOf(counter).takeOut(asked.client.mac, payerOf(form), text === null ? null : readEnd(text))
    return { ...rest, guest: guest.toString(), box: box.toString(), epoch: epoch.toString() }
  })

async function said(asked: AskedByGuest, answer: () => Promise<object>): Promise<Answer> {
  try {
    return jsonAnswer(200, await answer())
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.kind === 'internal') throw error
    return jsonAnswer(statusOf(error), { ...error.toPublic(), text: refusalText(asked.language, error) }, error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) })
  }
}

/** Errors: not-found where this box takes no orders. */
function doorOf({ stream }: Pick<Counter<unknown>, 'stream'>): Pick<StreamDoor, 'purse' | 'order' | 'takeOut'> {
  if (stream === null || (stream.board()?.purse ?? null) === null) throw noSuchPage()
  return stream
}

function payerOf(form: URLSearchParams): string {
  const payer = form.get('address') ?? ''
  if (!PAYER.test(payer)) throw inputError('address', payer, '0x and 40 lower-case hex digits')
  return payer
}

function readOrder(text: string): GuestOrder {
  const { what, amount, fee, number, validUntil, signature, epoch, settleTimeout, consent, to, inside } = fieldsOf(text)
  const kind = KINDS.find((one) => one === what)
  if (kind === undefined || !isText(amount, AMOUNT) || !isText(fee, AMOUNT) || !isText(number, NUMBER) || !isBlock(validUntil) || !isText(signature, SIGNATURE)) throw badOrder()
  const common = { amount: BigInt(amount), fee: BigInt(fee), number: BigInt(number), validUntil, signature }
  if (kind === 'pay') {
    if (!isText(to, PAYER) || typeof inside !== 'boolean') throw badOrder()
    return { what: kind, ...common, to, inside, epoch: 0n, settleTimeout: 0, consent: null }
  }
  if (!isText(epoch, NUMBER) || !isBlock(settleTimeout)) throw badOrder()
  const channel = { ...common, epoch: BigInt(epoch), settleTimeout, to: null, inside: false }
  if (kind === 'put-in') return { what: kind, ...channel, consent: null }
  if (!isText(consent, SIGNATURE)) throw badOrder()
  return { what: kind, ...channel, consent }
}

function readEnd(text: string): { readonly validUntil: number; readonly signature: string } {
  const { validUntil, signature } = fieldsOf(text)
  if (!isBlock(validUntil) || !isText(signature, SIGNATURE)) throw badOrder()
  return { validUntil, signature }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_ORDER_LENGTH) throw badOrder()
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw badOrder()
  }
  if (typeof read !== 'object' || read === null) throw badOrder()
  return read as Readonly<Record<string, unknown>>
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function isBlock(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < MAX_BLOCK
}

function noSuchPage(): MeshBoxError {
  return new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' })
}

function badOrder(): MeshBoxError {
  return new MeshBoxError('input', 'order: not as the page makes it', { code: 'bad-order', field: 'order' })
}
