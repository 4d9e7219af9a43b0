/** Shares of the earnings, paid over this box's channels: from the configuration in force. One function; the room is loaded by nobody else. */
import type { Address, Log } from '../base/index.ts'
import { systemTimers, type SystemClock } from '../base/io/system.ts'
import type { Config } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import type { Ledger } from '../ledger/index.ts'
import { Payouts, type PayoutChannels, type PayoutDesk, type PayoutSettings } from '../payout/index.ts'
import type { Photon } from '../photon/index.ts'
import type { Store } from '../store/index.ts'

export interface PayoutRoomParts {
  /** What is in force. */
  readonly config: () => Config
  readonly store: Store
  readonly ledger: Ledger
  readonly identity: Identity
  /** Null: there are none. They may wait for their contract. */
  readonly channels: Pick<Photon, 'direct' | 'routed'> | null
  readonly clock: SystemClock
  readonly log: Log
}

export interface RunningPayouts {
  readonly desk: PayoutDesk
  stop(): Promise<void>
}

export function startPayoutRoom({ config, store, ledger, identity, channels, clock, log }: PayoutRoomParts): RunningPayouts {
  const payouts = new Payouts({
    store,
    ledger,
    identity,
    settings: () => settingsOf(config(), channels !== null),
    channels: () => channelsOf(channels),
    clock,
    timers: systemTimers,
    log: log.room('payout'),
  })
  payouts.start()
  return { desk: payouts, stop: () => payouts.stop() }
}

/** Both ways, or none. */
function channelsOf(channels: PayoutRoomParts['channels']): PayoutChannels | null {
  const [direct, locked] = [channels?.direct() ?? null, channels?.routed() ?? null]
  if (direct === null || locked === null) return null
  return {
    newest: () => direct.newest(),
    after: (id, most) => direct.after(id, most),
    pay: (order) => direct.pay(order),
    arrival: (id) => direct.arrival(id),
    spendable: (to, token) => direct.spendable(to, token),
    locked,
  }
}

function settingsOf({ token, payout, payees, milestones, shares, photon }: Config, hasChannels: boolean): PayoutSettings {
  return {
    ...payout,
    token,
    shares: shares.map(({ role, beneficiary, partsPerMillion, sources }) => ({ account: `${role}:${beneficiary}`, partsPerMillion, sources })),
    payees: payees.map(({ account, address }) => ({ account, address: address.toLowerCase() as Address })),
    milestones,
    channelTokens: hasChannels ? photon.tokens.map(({ address, symbol, decimals }) => ({ address: address as Address, symbol, decimals })) : [],
  }
}
