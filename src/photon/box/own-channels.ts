/** The box's channels as routing and watching see them. */
import type { Address, Hash } from '../../base/index.ts'
import { capacity, ownLockable, receivable } from '../channel/index.ts'
import type { ChannelMoment, ChannelState } from '../channel/index.ts'
import type { PhotonNode } from '../node/index.ts'
import { CORE_MAX_LOCKS, coreMaxLock } from '../route/index.ts'
import type { OwnChannel } from '../route/index.ts'
import type { GuardedChannel, GuardedSecret } from '../watch/index.ts'

export function ownChannelOf(state: ChannelState, isReady: boolean, moment: ChannelMoment): OwnChannel {
  const whole = capacity(state)
  const spendable = ownLockable(state)
  const isOpen = state.phase === 'opened' && state.sync.kind === 'in-sync'
  return {
    channel: state.key.channel,
    epoch: state.key.epoch,
    token: state.token,
    partner: state.partner.address,
    role: state.role,
    spendable,
    receivable: receivable(state),
    capacity: whole,
    isUsable: isOpen && isReady && !moment.isFrozen && state.own.locks.length < CORE_MAX_LOCKS,
    maxLock: state.role === 'core' ? coreMaxLock(whole) : spendable,
  }
}

/** All that can be lost if nobody looks: what partners have signed in channels that are not settled. */
export function guardedChannels(node: Pick<PhotonNode, 'channels'>): readonly GuardedChannel[] {
  return node.channels().map(({ key, token, partner }) => ({ ...key, token, partner: partner.address, proof: partner.proof }))
}

/** Secrets of locks that the partner has not paid yet. */
export function guardedSecrets(node: Pick<PhotonNode, 'channel'>, channel: Hash): readonly GuardedSecret[] {
  const locks = node.channel(channel)?.partner.locks ?? []
  return locks.flatMap(({ secret, expiration, isDisposed }) => (secret === null || isDisposed ? [] : [{ secret, expiration }]))
}

/** The one with `partner` in `token`, whatever its phase. */
export function channelWith(node: Pick<PhotonNode, 'channels'>, partner: Address, token: Address): ChannelState | null {
  return node.channels().find((state) => state.partner.address === partner && state.token === token) ?? null
}
