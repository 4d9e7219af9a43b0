/** The chain as the owner sees it: the room's page, with sealing in words and earnings from the ledger. */
import { MeshBoxError, formatAmount, momentOf, parseAmount, toHex, type Clock } from '../base/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { ChainBlockJson, ChainCheckpointJson, ChainDesk, ChainPageView, ChainPocJson, ChainSealerJson, Money } from '../owner/index.ts'
import { pageOfChain, rewardNotFinalWei, secondsToOwnSlot, type ChainPage } from '../spectrum/rpc/index.ts'
import type { IdleReason, PocDesk, PocView } from '../spectrum/seal/index.ts'
import { CHAIN_TOKEN, type Address, type ChainBlock, type Hash, type Spectrum } from '../spectrum/index.ts'
import type { Store } from '../store/index.ts'

/** Blocks looked back for signers that sealed a height twice, and how many of them are shown. */
const EQUIVOCATION_BLOCKS = 2000
const SHOWN_EQUIVOCATIONS = 5
const REASONS: Readonly<Record<IdleReason, string>> = {
  alarm: 'The alarm has to be looked at first.',
  'not-in-sync': 'Other boxes have blocks that this one has not.',
  'before-sip100': 'This chain is older than the rules that are sealed by.',
  'not-authorised': 'It has no place in this round.',
  'key-elsewhere': "Another box seals with this box's key, now.",
  'sealed-already': 'It has sealed a block of this height already, on another branch.',
  'no-clock': 'Its clock is not trusted yet.',
  'not-executed': 'It has not run the newest block yet.',
  'no-volunteer': 'Nobody can prove now who is to be picked for the next round.',
  failed: 'The last try went wrong; another follows.',
}

export interface ChainDeskParts {
  readonly chain: Spectrum
  readonly ledger: Pick<Ledger, 'totals'>
  readonly store: Pick<Store, 'read'>
  readonly clock: Clock
}

export function chainDesk({ chain, ledger, store, clock }: ChainDeskParts): ChainDesk {
  const money = (units: bigint): Money => ({ units: units.toString(), text: formatAmount(units, CHAIN_TOKEN.decimals) })

  function sealerOf(page: ChainPage): ChainSealerJson | null {
    const { sealer, miner, coinbase } = chain.status()
    if (sealer === null || miner === null || coinbase === null) return null
    const earned = store.read((tx) => ledger.totals(tx, momentOf(clock))).find(({ token }) => token === CHAIN_TOKEN.symbol)
    const isWaiting = sealer.reason === 'not-authorised'
    return {
      address: miner,
      coinbase,
      state: sealer.reason === null ? 'ready' : isWaiting ? 'waiting' : 'held',
      reason: sealer.reason === null || isWaiting ? null : REASONS[sealer.reason],
      nextSlotInSeconds: secondsToOwnSlot(page),
      sealed: sealer.sealed,
      missed: sealer.missed,
      token: CHAIN_TOKEN,
      earnedToday: money(earned?.today.total ?? 0n),
      earnedTotal: money(earned?.allTime.total ?? 0n),
      notFinal: money(rewardNotFinalWei(chain.chain, miner)),
    }
  }

  function page(): ChainPageView {
    const status = chain.status()
    const seen = pageOfChain(chain.chain, status.sync, status.miner)
    const { alarm, pool } = status
    return {
      ...seen,
      sealer: sealerOf(seen),
      pool: { transactions: pool.transactions, bytes: pool.bytes },
      alarm: alarm === null ? null : { code: alarm.code, reason: alarm.reason, atWallMs: alarm.atSeconds * 1000 },
      equivocations: chain.chain
        .equivocations(Math.max(0, seen.head.number - EQUIVOCATION_BLOCKS))
        .slice(-SHOWN_EQUIVOCATIONS)
        .reverse()
        .map(({ number, signer }) => ({ number, signer })),
    }
  }

  function deposits(): PocDesk {
    if (chain.poc === null) throw new MeshBoxError('conflict', "this box seals no blocks, so it has no miner's deposit: that takes the role 'sealer' and a coinbase", { code: 'not-a-sealer' })
    return chain.poc
  }

  function pocJson({ miner, wallet, coinbase, status }: PocView): ChainPocJson {
    const amount = (wei: bigint | null | undefined): Money | null => (wei === null || wei === undefined ? null : money(wei))
    return {
      miner,
      wallet,
      coinbase,
      goal: status?.goal ?? 'none',
      state: status?.state ?? null,
      token: CHAIN_TOKEN,
      deposit: amount(status?.depositWei),
      leastDeposit: amount(status?.minDepositWei),
      walletBalance: amount(status?.walletWei),
      boundTo: status?.boundTo ?? null,
      action: status?.action ?? null,
      obstacle: status?.obstacle ?? null,
      number: status?.number ?? null,
    }
  }

  return {
    page,
    async clearAlarm() {
      await chain.chain.clearAlarm()
      return page()
    },
    checkpoint: (): ChainCheckpointJson => chain.checkpoint(),
    branches() {
      const head = chain.chain.head()
      return {
        head: blockJson(head),
        totalDifficulty: head.totalDifficulty.toString(),
        branches: chain.chain.branches().map(({ tip, fork, blocks, takesBack, signers, ourSigners }) => ({ tip: blockJson(tip), totalDifficulty: tip.totalDifficulty.toString(), fork: blockJson(fork), blocks, takesBack, signers, ourSigners })),
      }
    },
    async adopt(hash) {
      await chain.chain.adopt(hash.toLowerCase() as Hash)
      return page()
    },
    async wallet() {
      const { address } = chain.wallet
      return { address, token: CHAIN_TOKEN, balance: money(await chain.wallet.balanceWei()) }
    },
    async send(to, amount) {
      const wei = parseAmount(amount, CHAIN_TOKEN.decimals)
      const { hash, mostFeeWei } = await chain.wallet.send(to.toLowerCase() as Address, wei)
      return { hash, token: CHAIN_TOKEN, amount: money(wei), mostFee: money(mostFeeWei) }
    },
    poc: () => pocJson(deposits().view()),
    pocOrder: async (order) => pocJson(await deposits().order(order)),
    pocCalls(wallet) {
      const address = wallet.toLowerCase() as Address
      const desk = deposits()
      return { miner: desk.view().miner, wallet: address, calls: desk.callsFor(address).map(({ kind, to, data }) => ({ kind, to, data: `0x${toHex(data)}` })) }
    },
  }
}

function blockJson({ header, hash, signer }: ChainBlock): ChainBlockJson {
  return { number: header.number, hash, timeWallMs: header.timeSeconds * 1000, signer }
}

/** In place of a chain that did not start: whoever asks is told why. */
export function chainOutOfOrder(reason: string): ChainDesk {
  const refuse = (): never => {
    throw new MeshBoxError('unavailable', `the chain could not be started: ${reason}; mend that and restart the service`, { code: 'chain-not-started' })
  }
  return { page: refuse, clearAlarm: async () => refuse(), checkpoint: refuse, branches: refuse, adopt: async () => refuse(), wallet: async () => refuse(), send: async () => refuse(), poc: refuse, pocOrder: async () => refuse(), pocCalls: refuse }
}
