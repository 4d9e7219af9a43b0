/** A carriage for people. */
import { toHex } from '../../base/index.ts'
import { isResting } from './account-book.ts'
import { residueOf } from './account.ts'
import type { Account } from './account.ts'
import { owedUnits } from './carriage.ts'
import type { RelayView } from './ports.ts'

/** `problem`: why what was ordered is not paid yet. */
export function relayView(account: Account, problem: string | null, nowMs: number): RelayView {
  const { state, meter, order, writtenOff } = account
  return {
    carrier: state.carrier,
    client: state.client,
    isOurs: state.role,
    state: state.state,
    reason: state.reason ?? (problem === null ? null : `what is owed is not paid yet: ${problem}`),
    bytes: state.agreed?.pair[state.role].bytes ?? { up: 0n, down: 0n },
    owed: owedUnits(state),
    paid: state.paid - (order?.amount ?? 0n),
    open: residueOf(account) + (order?.amount ?? 0n),
    writtenOff,
    isResting: isResting(account, nowMs),
    token: state.token,
    lastReadingMs: state.agreed === null && state.answered === null ? null : state.heardMs,
    epoch: toHex(state.epoch),
    unitsPerMiB: state.prices.at(-1)?.unitsPerMiB ?? 0n,
    lastBytes: meter.bytes,
    unpaidOrder: order === null ? null : { amount: order.amount, problem },
  }
}
