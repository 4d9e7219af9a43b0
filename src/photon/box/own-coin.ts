/** The account's coin and its token: what there is of both, by proof, turning one into the other, and giving coin away. */
import { MeshBoxError, asError, formatAmount, inputError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { wrappedBalance } from '../chain/index.ts'
import type { BoxDuty, CoinDuty, DutyDesk } from '../chain/index.ts'
import type { PhotonParts } from '../parts.ts'

export interface OwnCoinOptions {
  readonly parts: Pick<PhotonParts, 'chain' | 'store' | 'signer' | 'curve' | 'log' | 'gasPriceWei' | 'wrappedCoin'>
  readonly duties: DutyDesk
  readonly changed: () => void
}

const LOOK_BLOCKS = 20
const COIN_DECIMALS = 18
const MAX_WEI = (1n << 128n) - 1n
/** What stays for gas: enough to close a channel, answer for it and settle it, and for the order itself. */
const KEPT_GAS = 1_000_000n

export class OwnCoin {
  readonly #options: OwnCoinOptions
  #wei: bigint | null = null
  #wrapped: bigint | null = null
  #lookedAt = -LOOK_BLOCKS

  constructor(options: OwnCoinOptions) {
    this.#options = options
  }

  /** At the safe head, some blocks ago; null: not known yet. */
  get wei(): bigint | null {
    return this.#wei
  }

  get wrapped(): bigint | null {
    return this.#wrapped
  }

  /** Never rejects. */
  async look(block: number): Promise<void> {
    if (block < this.#lookedAt + LOOK_BLOCKS && block >= this.#lookedAt) return
    this.#lookedAt = block
    const { chain, signer, log, wrappedCoin = null } = this.#options.parts
    const safe = chain.safe()
    if (safe === null) return
    try {
      this.#wei = (await chain.account(safe, signer.account))?.balanceWei ?? this.#wei
      if (wrappedCoin !== null) this.#wrapped = (await this.#tokens(wrappedCoin, safe)) ?? this.#wrapped
    } catch (thrown) {
      log.debug('what is there for gas could not be read', { error: asError(thrown).message })
    }
  }

  /** Resolves when it is on disk. Errors: as `PhotonDesk.wrap`. */
  async order(kind: CoinDuty['kind'], amount: bigint): Promise<void> {
    const { parts, duties, changed } = this.#options
    const { wrappedCoin: token = null, store, log } = parts
    if (amount < 1n || amount > MAX_WEI) throw inputError('amount', amount, '1 to 2^128 − 1 wei')
    if (token === null) throw new MeshBoxError('conflict', 'this chain has no token of its coin that the box knows', { code: 'photon-no-wrapped' })
    const free = await this.#free(kind, token)
    await store.turn((tx) => {
      // Ordered already and not done: it is spoken for.
      const { jobs } = duties.pending(tx)
      const ordered = kind === 'wrap' ? orderedCoin(jobs) : jobs.reduce((sum, { due: { duty } }) => (duty.kind === kind ? sum + duty.amount : sum), 0n)
      const left = free > ordered ? free - ordered : 0n
      if (amount > left) throw new MeshBoxError('conflict', `${formatAmount(left, COIN_DECIMALS)} are free for it${kind === 'wrap' ? '; some stays for gas' : ''}`, { code: 'photon-funds', field: 'amount', value: amount.toString() })
      duties.put(tx, [{ duty: { kind, token, amount }, key: null, fromBlock: 0, deadlineBlock: null }])
    })
    this.#lookedAt = -LOOK_BLOCKS
    log.info('coin is turned into its token, or back', { kind, amount: amount.toString() })
    void duties.look()
    changed()
  }

  /** The account's coin to somebody else. Resolves when it is on disk; it is a duty. Errors: input; conflict `photon-1002`; unavailable `photon-no-proof`. */
  async send(to: Address, amount: bigint): Promise<void> {
    const { parts, duties, changed } = this.#options
    const { store, log, signer } = parts
    if (amount < 1n || amount > MAX_WEI) throw inputError('amount', amount, '1 to 2^128 − 1 wei')
    if (to === signer.account) throw inputError('address', to, "somebody else's account")
    const free = await this.#coinFree()
    await store.turn((tx) => {
      const left = free - orderedCoin(duties.pending(tx).jobs)
      if (amount > left) throw new MeshBoxError('conflict', `${formatAmount(left > 0n ? left : 0n, COIN_DECIMALS)} are free for it; some stays for gas`, { code: 'photon-1002', field: 'amount', value: amount.toString() })
      duties.put(tx, [{ duty: { kind: 'send-coin', to, amount }, key: null, fromBlock: 0, deadlineBlock: null }])
    })
    this.#lookedAt = -LOOK_BLOCKS
    log.info('coin is sent to another account', { to, amount: amount.toString() })
    void duties.look()
    changed()
  }

  /** At the newest block: what was ordered since is counted by the scheduler's own list. */
  async #free(kind: CoinDuty['kind'], token: Address): Promise<bigint> {
    if (kind === 'wrap') return this.#coinFree()
    const head = this.#options.parts.chain.head()
    const there = head === null ? null : await this.#tokens(token, head)
    if (there === null) throw unknownNow()
    return there
  }

  async #coinFree(): Promise<bigint> {
    const { chain, signer, gasPriceWei } = this.#options.parts
    const head = chain.head()
    const there = head === null ? null : ((await chain.account(head, signer.account))?.balanceWei ?? null)
    if (there === null) throw unknownNow()
    const kept = KEPT_GAS * gasPriceWei()
    return there > kept ? there - kept : 0n
  }

  #tokens(token: Address, point: Parameters<typeof wrappedBalance>[2]): Promise<bigint | null> {
    const { chain, curve, signer } = this.#options.parts
    return wrappedBalance(chain, (bytes) => curve.keccak256(bytes), point, token, signer.account)
  }
}

/** Ordered already and not done: it is spoken for. */
function orderedCoin(jobs: readonly { readonly due: { readonly duty: BoxDuty } }[]): bigint {
  return jobs.reduce((sum, { due: { duty } }) => (duty.kind === 'wrap' || duty.kind === 'send-coin' ? sum + duty.amount : sum), 0n)
}

function unknownNow(): Error {
  return new MeshBoxError('unavailable', 'the chain cannot say now how much there is', { code: 'photon-no-proof', retryAfterSeconds: 10 })
}
