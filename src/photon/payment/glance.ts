/** The payment machines' view of a channel's record, and of what the channel says. */
import type { Hash } from '../../base/index.ts'
import { capacity, spendable } from '../channel/index.ts'
import type { ChannelFact, ChannelState } from '../channel/index.ts'
import type { PaymentInput } from './turn.ts'
import type { ChannelGlance } from './view.ts'

/** Of one state, which never changes: it is asked for several times in each step. */
const glances = new WeakMap<ChannelState, ChannelGlance>()

/** Cheap: makes no copies of the locks. */
export function glanceOf(state: ChannelState): ChannelGlance {
  const known = glances.get(state)
  if (known !== undefined) return known
  const glance = newGlance(state)
  glances.set(state, glance)
  return glance
}

function newGlance(state: ChannelState): ChannelGlance {
  const { key, domain, token, role, settleTimeout, phase, sync } = state
  const isOpen = phase === 'opened' || phase === 'prepare-cooperative-settle'
  const isReady = isOpen && sync.kind === 'in-sync'
  return {
    key,
    domain,
    token,
    partner: state.partner.address,
    role,
    settleTimeout,
    isUsable: phase === 'opened' && isReady,
    isOpen,
    isReady,
    spendable: spendable(state),
    capacity: capacity(state),
    ownLocks: state.own.locks,
    partnerLocks: state.partner.locks,
  }
}

/** What a channel's fact is to the payments; null: not their business. `partner`: the channel's other end. */
export function inputOf(state: ChannelState, fact: ChannelFact): PaymentInput | null {
  const channel: Hash = state.key.channel
  switch (fact.kind) {
    case 'direct-received':
      return { kind: 'direct-received', channel, nonce: fact.nonce, amount: fact.amount, paymentId: fact.paymentId, data: fact.data }
    case 'lock-received':
    case 'lock-unwelcome': {
      const { lock, amount, fee, initiator, target, path, paymentId } = fact
      const unwelcome = fact.kind === 'lock-unwelcome' ? { code: fact.code, reason: fact.reason } : null
      return { kind: 'lock-received', channel, terms: { lock, amount, fee, initiator, target, path, paymentId }, unwelcome }
    }
    case 'lock-unlocked':
      return { kind: 'lock-unlocked', channel, secretHash: fact.lock.secretHash, secret: fact.secret }
    case 'lock-unlocked-on-chain':
      return fact.payer === state.partner.address && fact.lock !== null ? { kind: 'lock-unlocked', channel, secretHash: fact.lock.secretHash, secret: null } : null
    case 'lock-expired':
      return { kind: 'lock-removed', channel, secretHash: fact.lock.secretHash }
    case 'lock-disposed':
      return { kind: 'lock-disposed', channel, secretHash: fact.lock.secretHash, code: fact.code, reason: fact.reason, hopIndex: fact.hopIndex }
    case 'lock-released':
      return { kind: 'lock-released', channel, secretHash: fact.lock.secretHash }
    case 'in-sync':
      return { kind: 'channel-ready', channel }
    case 'must-resend':
      return { kind: 'channel-ready', channel } // in step again once the resends are taken; sending may go on at once
    case 'settled':
      return { kind: 'channel-settled', key: state.key }
    default:
      return null
  }
}
