/**
 * The payee's rules (photon.md 9.4): (channel, input) → {channel, effects}. Pure; hash, signatures and time come in.
 * Nothing a guest sends throws: what is wrong is refused, what is old changes nothing.
 */
import type { Address } from '../../../base/index.ts'
import type { StreamAccount, Voucher } from '../../ports.ts'
import { hashBack, sameWord } from '../chain.ts'
import type { Sha256 } from '../chain.ts'
import { bytes, openDigest, statementDigest, voucherDigest } from '../digests.ts'
import { FRAME_TYPE, REFUSAL, STOP } from '../frames.ts'
import type { HeldBody, StreamFrame, StreamFrameKind, VoucherBody } from '../frames.ts'
import { MAX_AHEAD_SECONDS, MAX_STEPS } from '../terms.ts'
import { allowedTicks, newChannel, paidTicks, paidValue, servedValue } from './channel.ts'
import type { HeldVoucher, PayeeChannel, PayeeOffer, PayeeSession } from './channel.ts'
import { claimPoint } from './claim.ts'

/** TICKACK and PROGRESS go out no more often. */
const ACK_EVERY_MS = 5000
/** After so many wrong words in a row the guest is told to stop: each costs up to 120 hashes. */
const MAX_WRONG_TICKS = 16
/** What may be served between a hello and the open that follows it. */
const SHOWN_AHEAD_TICKS = 30

export interface PayeePorts {
  readonly sha256: Sha256
  /** Who signed; null: nobody, a malformed or malleable signature too. */
  recover(digest: Uint8Array, signature: Uint8Array): Address | null
  /** By the payee's account: r ‖ s ‖ v. */
  sign(digest: Uint8Array): Uint8Array
}

export type PayeeInput =
  | { readonly type: 'open'; readonly offer: PayeeOffer; readonly signature: Uint8Array }
  | { readonly type: 'voucher'; readonly session: number; readonly body: VoucherBody; readonly nowMs: number }
  | { readonly type: 'tick'; readonly session: number; readonly index: number; readonly preimage: Uint8Array; readonly nowMs: number }
  /** What the session has used by now. Only ever goes up. */
  | { readonly type: 'served'; readonly ticks: number }
  /** The service has stopped after `ticks` in all. */
  | { readonly type: 'ended'; readonly ticks: number; readonly reason: number }
  /** The channel's ceiling or epoch as the chain has it now. */
  | { readonly type: 'account'; readonly account: StreamAccount }

export type PayeeEffect =
  | { readonly type: 'send'; readonly frame: StreamFrame }
  /** Served up to here from now on, no longer. */
  | { readonly type: 'allow'; readonly ticks: number }
  /** The service must stop; answer with `ended`. */
  | { readonly type: 'end'; readonly reason: number }
  /** `value` of the channel's counter is earned, by this voucher. */
  | { readonly type: 'earned'; readonly value: bigint; readonly voucher: Voucher }
  /** Must be on flash before the effects that follow it; without it the flush policy decides. */
  | { readonly type: 'store' }

export interface PayeeStep {
  readonly channel: PayeeChannel
  readonly effects: readonly PayeeEffect[]
}

export function step(channel: PayeeChannel, input: PayeeInput, ports: PayeePorts): PayeeStep {
  switch (input.type) {
    case 'open':
      return open(channel, input, ports)
    case 'voucher':
      return voucher(channel, input, ports)
    case 'tick':
      return tick(channel, input, ports)
    case 'served':
      return served(channel, input.ticks)
    case 'ended':
      return ended(channel, input.ticks, input.reason, ports)
    case 'account':
      return account(channel, input.account)
  }
}

/**
 * What a guest is told who asks: the terms, and a voucher of his own that proves what the counter will be when he opens,
 * so that a page without memory can go on. Whoever asks has proven nothing: words far beyond what is served stay here.
 */
export function helloFrames(sha256: Sha256, channel: PayeeChannel, { id, challenge, terms }: PayeeOffer, signature: Uint8Array): readonly StreamFrame[] {
  const { account, owed } = channel
  const session = channel.session?.phase === 'open' ? channel.session : null
  const unpaid = session === null ? 0 : Math.max(0, session.debtTicks + session.servedTicks - paidTicks(session))
  const shown = session === null ? channel.final : servedValue(session) + session.terms.unit * BigInt(SHOWN_AHEAD_TICKS)
  const held = claimPoint(sha256, [...(channel.claim === null ? [] : [channel.claim]), ...(session?.vouchers ?? [])], shown)
  return [
    { kind: 'offer', session: id, challenge, terms, signature },
    { kind: 'state', session: id, epoch: account.epoch, ceiling: account.ceiling, owedTicks: unpaid > 0 ? unpaid : ticksOf(owed, terms.unit), held: held === null ? null : heldBody(held) },
  ]
}

/** Whoever proves to be the payer takes the channel over; what another device of his had is ended first. */
function open(channel: PayeeChannel, { offer, signature }: Extract<PayeeInput, { type: 'open' }>, ports: PayeePorts): PayeeStep {
  const { account, owed, session } = channel
  const { id, challenge, terms } = offer
  // Asked again because the answer was lost: the same answer.
  if (session?.id === id) return session.phase === 'open' ? { channel, effects: [{ type: 'store' }, statement(channel, session, session.base, false, ports)] } : refuse(channel, id, 'open', REFUSAL.expired)
  const base = channel.final > account.proved ? channel.final : account.proved
  if (account.ceiling - base < (terms.minDeposit > terms.unit ? terms.minDeposit : terms.unit)) return refuse(channel, id, 'open', REFUSAL.deposit)
  if (ports.recover(openDigest(account.domain, account, challenge), signature) !== account.payer) return refuse(channel, id, 'open', REFUSAL.signature)
  if (session?.phase === 'open') return { channel, effects: [{ type: 'end', reason: STOP.superseded }] }
  const opened: PayeeSession = { ...offer, phase: 'open', base, debtTicks: ticksOf(owed, terms.unit), servedTicks: 0, vouchers: [], lastAckMs: null, wrongTicks: 0 }
  return { channel: { ...channel, final: base, session: opened }, effects: [{ type: 'store' }, statement(channel, opened, base, false, ports)] }
}

function voucher(channel: PayeeChannel, input: Extract<PayeeInput, { type: 'voucher' }>, ports: PayeePorts): PayeeStep {
  const { body } = input
  const session = own(channel, input.session)
  if (session === null) return refuse(channel, input.session, 'voucher', REFUSAL.notOpen)
  if (session.phase === 'over') return lastVoucher(channel, session, body, ports)
  if (session.vouchers.some((held) => isSame(held.voucher, body))) return progress(channel, session, input.nowMs)
  const code = faultOf(channel.account, session, body)
  if (code !== null) return refuse(channel, session.id, 'voucher', code)
  const taken: Voucher = { ...body, channel: channel.account.channel, epoch: channel.account.epoch }
  if (ports.recover(voucherDigest(channel.account.domain, taken), body.signature) !== channel.account.payer) return refuse(channel, session.id, 'voucher', REFUSAL.signature)
  const held: HeldVoucher = { voucher: taken, index: 0, preimage: bytes(taken.tip) }
  const after: PayeeSession = { ...session, vouchers: [...needed(session), held] }
  const told = progress({ ...channel, session: after }, after, input.nowMs)
  return { channel: told.channel, effects: [...told.effects, ...allowance(session, after), { type: 'earned', value: servedValue(after), voucher: taken }] }
}

/** The final voucher, worth what the statement said, without steps: it makes the claim cheap. */
function lastVoucher(channel: PayeeChannel, session: PayeeSession, body: VoucherBody, ports: PayeePorts): PayeeStep {
  if (body.steps !== 0 || body.cumulative !== channel.final || body.unit !== session.terms.unit) return refuse(channel, session.id, 'voucher', REFUSAL.cumulative)
  const taken: Voucher = { ...body, channel: channel.account.channel, epoch: channel.account.epoch }
  if (channel.claim?.index === 0 && channel.claim.voucher.cumulative === body.cumulative) return only(channel)
  if (ports.recover(voucherDigest(channel.account.domain, taken), body.signature) !== channel.account.payer) return refuse(channel, session.id, 'voucher', REFUSAL.signature)
  return { channel: { ...channel, claim: { voucher: taken, index: 0, preimage: bytes(taken.tip) } }, effects: [{ type: 'store' }, { type: 'earned', value: channel.final, voucher: taken }] }
}

function faultOf({ ceiling }: StreamAccount, session: PayeeSession, { cumulative, steps, unit }: VoucherBody): number | null {
  const { terms, base } = session
  if (unit !== terms.unit || steps > Math.min(terms.steps, MAX_STEPS)) return REFUSAL.terms
  // Where the words before it end: what is served in between could never be claimed, and whoever left a gap would have it for nothing.
  if (cumulative !== paidValue(session)) return REFUSAL.cumulative
  if (cumulative + unit * BigInt(steps) > ceiling) return REFUSAL.ceiling
  // Nobody pays for more than an hour ahead: it would be hard to give back what is not written down yet.
  const ahead = (cumulative - base) / unit + BigInt(steps) - BigInt(session.debtTicks + session.servedTicks)
  return ahead * BigInt(terms.tickSeconds) > BigInt(MAX_AHEAD_SECONDS + terms.steps * terms.tickSeconds) ? REFUSAL.terms : null
}

/** w_i, checked against the deepest word known: a lost tick is covered by the next, an old one says nothing new. */
function tick(channel: PayeeChannel, input: Extract<PayeeInput, { type: 'tick' }>, { sha256 }: PayeePorts): PayeeStep {
  const session = own(channel, input.session)
  if (session === null || session.phase !== 'open') return refuse(channel, input.session, 'tick', REFUSAL.notOpen)
  const newest = session.vouchers.at(-1)
  if (newest === undefined || input.index > newest.voucher.steps) return refuse(channel, session.id, 'tick', REFUSAL.tick)
  if (session.wrongTicks >= MAX_WRONG_TICKS) return refuse(channel, session.id, 'tick', REFUSAL.busy)
  if (input.index <= newest.index || isOldWord(session, input.index, input.preimage)) return progress(channel, session, input.nowMs)
  if (!sameWord(hashBack(sha256, input.preimage, input.index - newest.index), newest.preimage)) return wrongTick(channel, session)
  const after: PayeeSession = {
    ...session,
    vouchers: [...session.vouchers.slice(0, -1), { ...newest, index: input.index, preimage: input.preimage }],
    wrongTicks: 0,
  }
  const told = progress({ ...channel, session: after }, after, input.nowMs)
  return { channel: told.channel, effects: [...told.effects, ...allowance(session, after)] }
}

/** The last word of the voucher before: an honest guest who heard no answer sends it again with it, as often as he must. */
function isOldWord({ vouchers }: PayeeSession, index: number, preimage: Uint8Array): boolean {
  const previous = vouchers.at(-2)
  return previous?.index === index && sameWord(previous.preimage, preimage)
}

/** An earlier one of the voucher before, late, is no word of this chain either: only many in a row are a liar's. */
function wrongTick(channel: PayeeChannel, session: PayeeSession): PayeeStep {
  const wrongTicks = session.wrongTicks + 1
  const after = { ...channel, session: { ...session, wrongTicks } }
  return wrongTicks === MAX_WRONG_TICKS ? { channel: after, effects: [{ type: 'end', reason: STOP.refused }] } : only(after)
}

function served(channel: PayeeChannel, ticks: number): PayeeStep {
  const { session } = channel
  if (session === null || session.phase !== 'open') return only(channel)
  const servedTicks = Math.max(session.servedTicks, Math.min(ticks, allowedTicks(session)))
  return only({ ...channel, session: { ...session, servedTicks } })
}

/** What was served stays, what was paid beyond goes back, what was given beyond is owed. Deeper words are forgotten. */
function ended(before: PayeeChannel, ticks: number, reason: number, ports: PayeePorts): PayeeStep {
  const channel = served(before, ticks).channel
  const { session } = channel
  if (session === null) return only(channel)
  // Asked again because the answer was lost: the same answer.
  if (session.phase === 'over') return { channel, effects: [{ type: 'store' }, ...farewell(channel, session, reason, ports)] }
  const final = servedValue(session)
  const unpaid = session.debtTicks + session.servedTicks - paidTicks(session)
  const held = [...(channel.claim === null ? [] : [channel.claim]), ...session.vouchers]
  const claim = claimPoint(ports.sha256, held, final)
  const after: PayeeChannel = {
    ...channel,
    final,
    owed: unpaid > 0 ? BigInt(unpaid) * session.terms.unit : 0n,
    claim,
    session: { ...session, phase: 'over', vouchers: [] },
  }
  return {
    channel: after,
    effects: [
      { type: 'store' },
      ...(claim === null ? [] : [{ type: 'earned', value: final, voucher: claim.voucher } as const]),
      ...farewell(after, session, reason, ports),
    ],
  }
}

function farewell(channel: PayeeChannel, session: PayeeSession, reason: number, ports: PayeePorts): readonly PayeeEffect[] {
  return [statement(channel, session, channel.final, true, ports), send({ kind: 'stop', session: session.id, reason })]
}

/** A new life of the channel begins at nothing; what the old one was worth must have been claimed before. */
function account(channel: PayeeChannel, account: StreamAccount): PayeeStep {
  if (account.channel === channel.account.channel && account.epoch === channel.account.epoch) return only({ ...channel, account })
  return only({ ...newChannel(account), owed: channel.owed })
}

/** Vouchers that a claim may still need: from the one in which the served value lies. */
function needed(session: PayeeSession): readonly HeldVoucher[] {
  const value = servedValue(session)
  const from = session.vouchers.findLastIndex(({ voucher }) => voucher.cumulative <= value)
  return from <= 0 ? session.vouchers : session.vouchers.slice(from)
}

function allowance(before: PayeeSession, after: PayeeSession): readonly PayeeEffect[] {
  const ticks = allowedTicks(after)
  return ticks === allowedTicks(before) ? [] : [{ type: 'allow', ticks }]
}

function progress(channel: PayeeChannel, session: PayeeSession, nowMs: number): PayeeStep {
  if (session.lastAckMs !== null && nowMs - session.lastAckMs < ACK_EVERY_MS) return only(channel)
  return {
    channel: { ...channel, session: { ...session, lastAckMs: nowMs } },
    effects: [
      send({ kind: 'tick-ack', session: session.id, index: session.vouchers.at(-1)?.index ?? 0 }),
      send({ kind: 'progress', session: session.id, paidTicks: Math.max(0, paidTicks(session) - session.debtTicks), servedTicks: session.servedTicks }),
    ],
  }
}

function statement({ account }: PayeeChannel, session: PayeeSession, value: bigint, isFinal: boolean, { sign }: PayeePorts): PayeeEffect {
  const signature = sign(statementDigest(account.domain, account, session.challenge, value, isFinal))
  return send({ kind: 'statement', session: session.id, value, isFinal, signature })
}

/** A price that went down since does not let a debt grow past what two bytes tell. */
function ticksOf(amount: bigint, unit: bigint): number {
  const ticks = (amount + unit - 1n) / unit
  return ticks > 0xffffn ? 0xffff : Number(ticks)
}

function own({ session }: PayeeChannel, id: number): PayeeSession | null {
  return session?.id === id ? session : null
}

function isSame(held: Voucher, body: VoucherBody): boolean {
  return held.tip === body.tip && held.cumulative === body.cumulative && held.steps === body.steps && held.unit === body.unit
}

function heldBody({ voucher, index, preimage }: HeldVoucher): HeldBody {
  return { cumulative: voucher.cumulative, tip: voucher.tip, steps: voucher.steps, unit: voucher.unit, signature: voucher.signature, index, preimage }
}

function refuse(channel: PayeeChannel, session: number, kind: StreamFrameKind, code: number): PayeeStep {
  return { channel, effects: [send({ kind: 'refused', session, type: FRAME_TYPE[kind], code })] }
}

function send(frame: StreamFrame): PayeeEffect {
  return { type: 'send', frame }
}

function only(channel: PayeeChannel): PayeeStep {
  return { channel, effects: [] }
}
