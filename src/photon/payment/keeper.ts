/**
 * A lock nobody here remembers (the node was restored from an older copy): only what is safe is done with it. Ours is
 * taken back after its end or paid when its secret is public; the partner's is claimed when somebody shows the secret.
 */
import type { Address, Hash } from '../../base/index.ts'
import { isPending, phaseAfterRefusal, watchIn, watchOut } from './deadlines.ts'
import type { Moved } from './initiator.ts'
import { keeperId } from './state.ts'
import type { HeldLock, InPhase, KeeperState, OutPhase } from './state.ts'
import type { ChannelCommand } from './turn.ts'
import type { PaymentView } from './view.ts'

export function keep(direction: KeeperState['direction'], held: HeldLock, token: Address): KeeperState {
  return {
    role: 'keeper',
    id: keeperId(direction, held),
    token,
    secretHash: held.lock.secretHash,
    secret: null,
    registeredBlock: null,
    isEnded: false,
    held,
    direction,
    phase: direction === 'out' ? 'locked' : 'held',
  }
}

export function keeperSecret(state: KeeperState, from: Address | null, secret: Hash, view: PaymentView): Moved<KeeperState> {
  if (state.isEnded) return still(state)
  if (state.direction === 'in' && state.secret === null) {
    const known: KeeperState = { ...state, secret }
    const moved = keeperMoment(known, view)
    const { channel, partner } = state.held
    return { state: moved.state, commands: [{ kind: 'learn-secret', payment: state.id, channel, secret }, { kind: 'send-reveal', to: partner, secret, data: new Uint8Array(0) }, ...moved.commands] }
  }
  const isShown = state.direction === 'out' && from === state.held.partner && state.phase === 'locked'
  return keeperMoment({ ...state, secret, phase: isShown ? 'owed' : state.phase }, view)
}

export function keeperPublic(state: KeeperState, secret: Hash, block: number, view: PaymentView): Moved<KeeperState> {
  return keeperSecret({ ...state, registeredBlock: block }, null, secret, view)
}

export function keeperDisposed(state: KeeperState, view: PaymentView): Moved<KeeperState> {
  return state.direction === 'out' && state.phase === 'locked' ? keeperMoment({ ...state, phase: 'refunding' }, view) : still(state)
}

/** The partner has paid the lock or taken it back; or the channel is settled. */
export function keeperOver(state: KeeperState, phase: 'paid' | 'gone' | 'chain'): Moved<KeeperState> {
  return still({ ...state, phase, isEnded: true })
}

export function keeperMoment(state: KeeperState, view: PaymentView): Moved<KeeperState> {
  if (state.isEnded) return still(state)
  if (isOut(state.phase)) {
    const watched = watchOut(state.id, state.held, state.phase, state.secret, state.registeredBlock, view)
    if (watched.phase === state.phase) return still(state)
    return { state: { ...state, phase: watched.phase, isEnded: !isPending(watched.phase) }, commands: watched.commands }
  }
  const phase = watchIn(state.held, state.phase, state.registeredBlock, view)
  return still(phase === state.phase ? state : { ...state, phase, isEnded: true })
}

export function keeperRefused(state: KeeperState, command: ChannelCommand): Moved<KeeperState> {
  return state.direction === 'out' ? still({ ...state, phase: phaseAfterRefusal(command), isEnded: false }) : still(state)
}

function isOut(phase: OutPhase | InPhase): phase is OutPhase {
  return phase !== 'held' && phase !== 'paid' && phase !== 'disposed' && phase !== 'gone'
}

function still(state: KeeperState): Moved<KeeperState> {
  return { state, commands: [] }
}
