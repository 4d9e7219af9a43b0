/** The verbs of a channel with their tools built in. Each first lets go of agreements that have run out. */
import type { Hash } from '../../base/index.ts'
import type { ChannelEvent, DueDuty, SecretEvent, SettleTerms, WithdrawTerms } from '../ports.ts'
import type { Keccak } from '../wire/index.ts'
import { answerSettle, askSettle } from './agree-settle.ts'
import { answerWithdraw, askWithdraw } from './agree-withdraw.ts'
import type { AnswerOrder } from './agree-withdraw.ts'
import { onChain } from './chain-events.ts'
import { dutiesOf } from './duties.ts'
import { closeReason, withoutExpired } from './orders.ts'
import { receive } from './receive.ts'
import { DEFAULT_RULES } from './rules.ts'
import type { ChannelMoment, ChannelRules } from './rules.ts'
import { sendDirect, sendDisposed, sendDisposedResponse, sendExpired, sendLocked, sendUnlock } from './send.ts'
import type { DirectOrder, DisposalReason, LockOrder } from './send.ts'
import type { ChannelState } from './state.ts'
import { settleWithGuest } from './settle-with-guest.ts'
import type { GuestSettlement, SignedEnd } from './settle-with-guest.ts'
import { noteStream } from './stream.ts'
import type { StreamNote } from './stream.ts'
import type { Changed, ChannelFact, ChannelReceived, ChannelTools, Refusal, Sent, Taken } from './verdict.ts'

export interface ChannelMachine {
  readonly rules: ChannelRules
  // Sending: sign the message, note it with `sealed`, store, then send.
  sendDirect(state: ChannelState, order: DirectOrder, moment: ChannelMoment): Sent | Refusal
  sendLocked(state: ChannelState, order: LockOrder, moment: ChannelMoment): Sent | Refusal
  sendUnlock(state: ChannelState, secret: Hash, moment: ChannelMoment): Sent | Refusal
  sendExpired(state: ChannelState, secretHash: Hash, moment: ChannelMoment): Sent | Refusal
  sendDisposed(state: ChannelState, secretHash: Hash, why: DisposalReason, moment: ChannelMoment): Sent | Refusal
  sendDisposedResponse(state: ChannelState, secretHash: Hash, moment: ChannelMoment): Sent | Refusal
  // Agreements: fill in `message.contractSignature` before signing the message itself.
  askWithdraw(state: ChannelState, order: { readonly amount: bigint; readonly validUntil: number }, moment: ChannelMoment): Sent | Refusal
  answerWithdraw(state: ChannelState, order: AnswerOrder<WithdrawTerms>, moment: ChannelMoment): Sent | Refusal
  askSettle(state: ChannelState, validUntil: number | null, moment: ChannelMoment): Sent | Refusal
  answerSettle(state: ChannelState, order: AnswerOrder<SettleTerms>, moment: ChannelMoment): Sent | Refusal
  /** Never throws, whatever the message says. */
  receive(state: ChannelState, received: ChannelReceived, moment: ChannelMoment): Taken | Refusal
  onChain(state: ChannelState, event: ChannelEvent | SecretEvent, moment: ChannelMoment): { readonly state: ChannelState; readonly facts: readonly ChannelFact[] }
  dutiesOf(state: ChannelState, moment: ChannelMoment): readonly DueDuty[]
  /** Null, or why the owner's box should order a close now. */
  closeReason(state: ChannelState, moment: ChannelMoment): string | null
  noteStream(state: ChannelState, note: StreamNote, moment: ChannelMoment): Changed | Refusal
  /** Signed by both already: see settle-with-guest.ts. */
  settleWithGuest(state: ChannelState, settlement: GuestSettlement, signed: SignedEnd, moment: ChannelMoment): Changed | Refusal
}

export function channelMachine(keccak256: Keccak, rules: Partial<ChannelRules> = {}): ChannelMachine {
  const tools: ChannelTools = { keccak256, rules: { ...DEFAULT_RULES, ...rules } }
  const current = (state: ChannelState, moment: ChannelMoment): ChannelState => withoutExpired(tools, state, moment)
  return {
    rules: tools.rules,
    sendDirect: (state, order, moment) => sendDirect(current(state, moment), order),
    sendLocked: (state, order, moment) => sendLocked(tools, current(state, moment), order, moment),
    sendUnlock: (state, secret, moment) => sendUnlock(tools, current(state, moment), secret, moment),
    sendExpired: (state, secretHash, moment) => sendExpired(tools, current(state, moment), secretHash, moment),
    sendDisposed: (state, secretHash, why, moment) => sendDisposed(tools, current(state, moment), secretHash, why, moment),
    sendDisposedResponse: (state, secretHash, moment) => sendDisposedResponse(tools, current(state, moment), secretHash),
    askWithdraw: (state, order, moment) => askWithdraw(tools, current(state, moment), order, moment),
    answerWithdraw: (state, order, moment) => answerWithdraw(tools, current(state, moment), order, moment),
    askSettle: (state, validUntil, moment) => askSettle(tools, current(state, moment), validUntil, moment),
    answerSettle: (state, order, moment) => answerSettle(tools, current(state, moment), order, moment),
    receive: (state, received, moment) => receive(tools, current(state, moment), received, moment),
    onChain: (state, event, moment) => onChain(current(state, moment), event),
    dutiesOf: (state, moment) => dutiesOf(tools, current(state, moment), moment),
    closeReason: (state, moment) => closeReason(tools, state, moment),
    noteStream: (state, note, moment) => noteStream(tools, current(state, moment), note, moment),
    settleWithGuest: (state, settlement, signed, moment) => settleWithGuest(tools, current(state, moment), settlement, signed, moment),
  }
}
