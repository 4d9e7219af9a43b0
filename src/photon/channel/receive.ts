/**
 * What the partner says (specs/photon.md 2.2). No message can make this throw: what is not exactly as our own
 * computation says is refused with its code and changes nothing. A refused envelope is not acknowledged; some refusals
 * (chain behind, exposure) pass with time, and the partner's resend is taken then.
 */
import type { EnvelopeMessage, Message, MessageKind } from '../ports.ts'
import { receivable } from './amounts.ts'
import { receiveSettleRequest, receiveSettleResponse } from './agree-settle.ts'
import { receiveWithdrawRequest, receiveWithdrawResponse } from './agree-withdraw.ts'
import { CODE } from './codes.ts'
import { withExposure } from './exposure.ts'
import type { Incoming } from './incoming.ts'
import { receiveDisposed, receiveDisposedResponse, receiveExpired, receiveLocked, receiveUnlock } from './receive-locks.ts'
import { adoptOwn, receiveReestablish } from './reestablish.ts'
import { MAX_NONCE, PROFILE_RULES } from './rules.ts'
import type { ChannelMoment } from './rules.ts'
import type { ChannelSide, ChannelState } from './state.ts'
import { givenBy } from './stream.ts'
import type { ChannelReceived, ChannelTools, Refusal, Taken } from './verdict.ts'
import { frozen, refuse, twice } from './verdict.ts'

type Handlers = {
  readonly [K in MessageKind]?: (tools: ChannelTools, state: ChannelState, received: ChannelReceived, message: Extract<Message, { kind: K }>, moment: ChannelMoment) => Taken | Refusal
}

const HANDLERS: Handlers = {
  direct: (tools, state, received, message, moment) => enveloped(tools, state, received, message, moment, receiveDirect),
  locked: (tools, state, received, message, moment) => enveloped(tools, state, received, message, moment, receiveLocked),
  unlock: (tools, state, received, message, moment) => enveloped(tools, state, received, message, moment, receiveUnlock),
  expired: (tools, state, received, message, moment) => enveloped(tools, state, received, message, moment, receiveExpired),
  'disposed-response': (tools, state, received, message, moment) => enveloped(tools, state, received, message, moment, receiveDisposedResponse),
  disposed: receiveDisposed,
  'withdraw-request': receiveWithdrawRequest,
  'withdraw-response': receiveWithdrawResponse,
  'settle-request': receiveSettleRequest,
  'settle-response': receiveSettleResponse,
  reestablish: receiveReestablish,
}

/** Takes a message of the channel in. Others (acks, pings, secrets) are refused: they belong to no channel. */
export function receive(tools: ChannelTools, state: ChannelState, received: ChannelReceived, moment: ChannelMoment): Taken | Refusal {
  const { message } = received
  const key = 'envelope' in message ? message.envelope : 'key' in message ? message.key : null
  if (key === null) return refuse(CODE.unwantedTransfer, `${message.kind} is no message of a channel`)
  if (key.channel !== state.key.channel) return refuse(CODE.channelMismatch, 'another channel')
  if (key.epoch !== state.key.epoch && message.kind !== 'reestablish') return refuse(CODE.channelMismatch, 'another life of the channel')
  if (received.sender === state.own.address && 'envelope' in message) return adoptOwn(tools, state, received, message)
  if (received.sender !== state.partner.address) return refuse(CODE.sender, 'not from the partner')
  // The table's entry for a kind takes exactly that kind; TypeScript cannot see the tie.
  const handler = HANDLERS[message.kind] as ((tools: ChannelTools, state: ChannelState, received: ChannelReceived, message: Message, moment: ChannelMoment) => Taken | Refusal) | undefined
  return handler === undefined ? refuse(CODE.unwantedTransfer, `${message.kind} is no message of a channel`) : handler(tools, state, received, message, moment)
}

type EnvelopeHandler<K extends EnvelopeMessage['kind']> = (tools: ChannelTools, state: ChannelState, incoming: Incoming<K>, moment: ChannelMoment) => Taken | Refusal

function enveloped<K extends EnvelopeMessage['kind']>(
  tools: ChannelTools,
  state: ChannelState,
  received: ChannelReceived,
  message: Extract<EnvelopeMessage, { kind: K }>,
  moment: ChannelMoment,
  handle: EnvelopeHandler<K>,
): Taken | Refusal {
  const { envelope } = message
  const { partner } = state
  const { signature, extra } = received
  if (signature === null) return refuse(CODE.sender, 'not signed')
  if (envelope.nonce <= partner.nonce) return seenBefore(state, envelope.nonce, received)
  if (envelope.nonce !== partner.nonce + 1n || envelope.nonce > MAX_NONCE) return refuse(CODE.nonce, `nonce ${partner.nonce + 1n} is next`)
  const objection = phaseObjection(state, message.kind)
  if (objection !== null) return objection
  const proved = partner.proof?.transferred ?? 0n
  if (envelope.transferred < proved) return refuse(CODE.transferAmountDecrease, `transferred was ${proved} already`)
  if (envelope.transferred > PROFILE_RULES[state.domain.profile].maxTransferred) return refuse(CODE.invalidAmount, 'transferred is too large')
  const { given, side } = givenBy(partner, envelope.transferred)
  const next: ChannelSide = { ...side, nonce: envelope.nonce, proof: { ...envelope, extra, signature } }
  return handle(tools, state, { message, side: next, given, rise: side.transferred - partner.transferred }, moment)
}

function seenBefore(state: ChannelState, nonce: bigint, received: ChannelReceived): Taken | Refusal {
  const { partner } = state
  if (nonce < 1n) return refuse(CODE.nonce, 'nonces start at 1')
  if (nonce === partner.nonce && partner.proof !== null && partner.proof.extra !== received.extra) return twice(frozen(state, `the partner signed two packets with nonce ${nonce}`), nonce)
  return { ok: true, state, facts: [{ kind: 'duplicate', nonce }] }
}

/** 3.1: new transfers in 1 (and while only we are draining), ends of locks in 1 and 8. */
function phaseObjection(state: ChannelState, kind: EnvelopeMessage['kind']): Refusal | null {
  switch (state.phase) {
    case 'opened':
    case 'prepare-cooperative-settle':
      return null
    case 'closed':
    case 'settling':
    case 'settled':
      return kind === 'direct' || kind === 'locked' ? refuse(CODE.transferWhenClosed, `the channel is ${state.phase}`) : refuse(CODE.proofAfterClose, `the channel is ${state.phase}`)
    default:
      return refuse(CODE.channelState, `the channel is ${state.phase}`)
  }
}

/** transferred: + amount, locksroot: unchanged, final on receipt. */
function receiveDirect(tools: ChannelTools, state: ChannelState, incoming: Incoming<'direct'>, moment: ChannelMoment): Taken | Refusal {
  const { message, side, given, rise } = incoming
  if (message.envelope.locksroot !== state.partner.locksroot) return refuse(CODE.locksrootMismatch, 'a direct payment leaves the locks alone')
  if (message.envelope.transferred === (state.partner.proof?.transferred ?? 0n)) return refuse(CODE.invalidAmount, 'nothing is paid')
  if (rise > receivable(state)) return refuse(CODE.insufficientBalance, `the partner can give ${receivable(state)}`)
  const exposed = withExposure(tools, state, rise, moment)
  if (!exposed.ok) return exposed
  const { paymentId, data, envelope } = message
  return {
    ok: true,
    state: { ...exposed.state, partner: side },
    facts: [{ kind: 'direct-received', amount: given, total: side.transferred, nonce: envelope.nonce, paymentId, data }],
  }
}
