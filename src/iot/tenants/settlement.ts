/**
 * What tenants pay. Photon has the money and says, per payer and token, how much came for this; here it becomes credit at once (it is read
 * in the turn that decides) and an entry of the ledger: from what the tenant owes to what came in by channels.
 */
import { MeshBoxError, momentOf } from '../../base/index.ts'
import type { Address, Cancel } from '../../base/index.ts'
import type { TenantId } from '../ports.ts'
import { allAccounts, readAccount, setSettled } from './io/account-tables.ts'
import type { StoredAccount } from './io/account-tables.ts'
import type { TenantHouseDeps } from './types.ts'

/** Asset: money that came by channels. */
const CHANNELS_ACCOUNT = 'cash:channels'

/** Asset: what a tenant owes; negative while he has paid in advance. */
export function dueAccount(tenant: TenantId): string {
  return `due:iot-${tenant}`
}

export class Settlement {
  readonly #deps: TenantHouseDeps
  readonly #onPaid: (tenant: TenantId) => void
  #cancel: Cancel | null = null
  readonly #running = new Set<Promise<void>>()

  constructor(deps: TenantHouseDeps, onPaid: (tenant: TenantId) => void) {
    this.#deps = deps
    this.#onPaid = onPaid
  }

  start(): void {
    this.#cancel = this.#deps.payments.onPaid((payer, token) => this.#settle((account) => account.payer === payer && account.token === token))
    this.#settle(() => true)
  }

  /** Also what was paid while nobody listened, or could not be stored. */
  tick(): void {
    this.#settle((account) => this.#deps.store.read((tx) => this.#paidOf(tx, account)) > account.settled)
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    this.#cancel = null
    while (this.#running.size > 0) await Promise.all([...this.#running])
  }

  #settle(concerns: (account: StoredAccount) => boolean): void {
    const { store, log } = this.#deps
    for (const account of store.read(allAccounts).filter(concerns)) {
      const work = this.#post(account)
        .catch((error: unknown) => log.error("a tenant's payment is not in the ledger yet; it is tried again", { tenant: account.tenant, error }))
        .finally(() => this.#running.delete(work))
      this.#running.add(work)
    }
  }

  async #post({ tenant, epoch }: StoredAccount): Promise<void> {
    const { store, ledger, tokenSymbol, clock } = this.#deps
    const wasPaid = await store.turn((tx) => {
      const account = readAccount(tx, tenant, epoch)
      if (account === null) throw new MeshBoxError('internal', `the tenant ${tenant} has no account ${epoch}`, { code: 'account-missing', value: tenant })
      const paid = this.#paidOf(tx, account)
      const came = paid - account.settled
      if (came <= 0n) return false
      ledger.post(tx, {
        source: 'iot:payment',
        token: tokenSymbol(account.token),
        evidence: { type: 'iot-payment', id: `${tenant}:${epoch}:${paid}`, facts: { payer: account.payer, paid: paid.toString() } },
        postings: [
          { account: CHANNELS_ACCOUNT, amount: came },
          { account: dueAccount(tenant), amount: -came },
        ],
        at: momentOf(clock),
      })
      setSettled(tx, tenant, epoch, paid)
      return true
    })
    if (wasPaid) this.#onPaid(tenant)
  }

  #paidOf(tx: Parameters<TenantHouseDeps['payments']['paid']>[0], account: { readonly payer: Address; readonly token: Address }): bigint {
    return this.#deps.payments.paid(tx, account.payer, account.token)
  }
}
