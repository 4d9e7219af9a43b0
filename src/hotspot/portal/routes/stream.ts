/**
 * Minutes by the second, beside the frames themselves: what a key has to spend, and codes worth tokens. Both are asked
 * by the wallet page's script and answered in JSON, refusals with the guest's own words.
 */
import { MeshBoxError, inputError } from '../../../base/index.ts'
import type { GuestConsent } from '../../stream/index.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import type { GuestGet, GuestPost } from '../asked.ts'
import { statusOf } from '../problem.ts'
import { refusalText } from '../refusal.ts'

const MAX_CODE_LENGTH = 512
const MAX_CONSENT_LENGTH = 640
const AMOUNT = /^[1-9]\d{0,38}$/
const EPOCH = /^\d{1,20}$/
const HASH = /^0x[0-9a-f]{64}$/
const SIGNATURE = /^0x[0-9a-f]{130}$/
const MAX_BLOCK = 2 ** 48

export const streamBalance: GuestGet = async (_asked, counter, payer) => {
  const { stream } = counter
  const board = stream?.board() ?? null
  if (stream === null || board === null) throw new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' })
  const { hasChannel, spendable, pending } = await stream.balance(payer)
  return jsonAnswer(200, { hasChannel, spendable: spendable.toString(), pending: pending.toString(), isChainReachable: board.isChainReachable })
}

export const topUp: GuestPost = async (asked, counter, form): Promise<Answer> => {
  try {
    const code = (form.get('code') ?? '').trim()
    if (code === '') throw new MeshBoxError('input', 'code: nothing was typed', { code: 'code-missing', field: 'code' })
    if (code.length > MAX_CODE_LENGTH) throw new MeshBoxError('input', `code: at most ${MAX_CODE_LENGTH} characters are allowed`, { code: 'bad-code', field: 'code' })
    const { state, amount, consent } = await counter.desk.topUp(asked.client, code, form.get('address') ?? '', readConsent(form.get('consent')))
    const terms = consent === null ? null : { ...consent, amount: consent.amount.toString(), epoch: consent.epoch.toString() }
    return jsonAnswer(200, { state, amount: amount.toString(), consent: terms })
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.kind === 'internal') throw error
    return jsonAnswer(statusOf(error), { ...error.toPublic(), text: refusalText(asked.language, error) }, error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) })
  }
}

/** null where none was sent. Errors: input. */
function readConsent(text: string | null): GuestConsent | null {
  if (text === null || text === '') return null
  const bad = (): MeshBoxError => inputError('consent', 'not as it was asked for', 'the terms of the answer before, with a signature')
  if (text.length > MAX_CONSENT_LENGTH) throw bad()
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw bad()
  }
  if (typeof read !== 'object' || read === null) throw bad()
  const { channel, amount, settleTimeout, epoch, validUntil, signature } = read as Record<string, unknown>
  const isText = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value)
  const isBlock = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0 && value < MAX_BLOCK
  if (!isText(channel, HASH) || !isText(amount, AMOUNT) || !isText(epoch, EPOCH) || !isText(signature, SIGNATURE) || !isBlock(settleTimeout) || !isBlock(validUntil)) throw bad()
  return { channel, amount, settleTimeout, epoch, validUntil, signature }
}
