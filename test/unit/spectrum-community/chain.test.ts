/**
 * A community's chain from its genesis on, with the real parts: sealed headers with VRF proofs, bodies, the executor;
 * each block judged as a stranger would judge it, each round proved from the executor's state.
 */
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/base/index.ts'
import { COMMUNITY_ADDRESSES } from '../../../src/spectrum/community/index.ts'
import { createInlineExecutor, memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import { readMiners, readRound } from '../../../src/spectrum/rules/read-round.ts'
import { chiefTransaction, verifyBody } from '../../../src/spectrum/rules/verify-body.ts'
import { verifyHeader } from '../../../src/spectrum/rules/verify-header.ts'
import { excludedFrom, pickVolunteer, volunteerOf } from '../../../src/spectrum/rules/volunteer.ts'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { proveVrf, vrfMessage } from '../../../src/spectrum/vrf.ts'
import { EMPTY_UNCLE_HASH, genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { receiptsRootOf, transactionsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { readAccount } from '../../../src/spectrum/proof/account.ts'
import { signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { SEAL_BYTES, hashHeader, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, ZERO_HASH } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Body, Hash, Header, KnownHeader, Read, Round, Transaction } from '../../../src/spectrum/index.ts'
import type { Draft, Executor } from '../../../src/spectrum/ports.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import type { Person } from '../spectrum/village.ts'
import { addressesOf, data, decode } from './evm.ts'
import { HOLDER, OWNER, PEOPLE, at, consent, village } from './village.ts'

const { network } = village({ signerLimit: 3, epochBlocks: 9 })
const random = randomStream('community chain')
const GAS_PRICE = 10n ** 9n
const valueOf = <T>(read: Read<T>): T => {
  if (read.kind !== 'read') throw new Error(`not read: ${JSON.stringify(read)}`)
  return read.value
}

class Chain {
  readonly executor: Executor = createInlineExecutor({ curve: native, store: memoryStateStore(), fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 8 << 20 })
  head: KnownHeader
  round: Round
  readonly #nodeOf = (hash: Hash): Uint8Array | undefined => this.executor.node(hash)

  private constructor(genesis: Header) {
    this.head = { header: genesis, hash: hashHeader(native, genesis) }
    this.round = { signers: [], next: [], leaders: [], volunteerLimit: 0, epochBlocks: 1 }
  }

  static async begin(): Promise<Chain> {
    const chain = new Chain(genesisHeader(native, network.genesis))
    await chain.executor.begin(network)
    chain.round = chain.proved()
    return chain
  }

  proved(): Round {
    return valueOf(readRound(native, network, this.head.header.number + 1, this.head.header.stateRoot, this.#nodeOf))
  }

  nonce(address: Address): bigint {
    return valueOf(readAccount(native, this.head.header.stateRoot, address, this.#nodeOf)).nonce
  }

  balance(address: Address): bigint {
    return valueOf(readAccount(native, this.head.header.stateRoot, address, this.#nodeOf)).balanceWei
  }

  send(from: Person, to: Address, call: Uint8Array, valueWei = 0n): Transaction {
    return signTransaction(native, { nonce: this.nonce(from.address), gasPriceWei: GAS_PRICE, gas: 400_000n, to, valueWei, data: call }, network.chainId, from.key)
  }

  async read(to: Address, call: Uint8Array): Promise<`0x${string}`> {
    const result = await this.executor.call(this.head.header, { from: ZERO_ADDRESS, to, data: call, valueWei: 0n, gas: 1_000_000n, gasPriceWei: 0n })
    if (result.status !== 'returned') throw new Error(`the call ${result.status}`)
    return `0x${Buffer.from(result.output).toString('hex')}`
  }

  /** Everything that a block goes through. Throws where any judge refuses it. */
  async seal(sealer: Person, candidates: readonly Transaction[] = []): Promise<readonly boolean[]> {
    const parent = this.head
    const number = parent.header.number + 1
    const rank = rankOf(this.round, number, network.periodSeconds, sealer.address)
    const proof = proveVrf(native, sealer.key, vrfMessage(parent.header), random)
    const extra = concatBytes(proof, new Uint8Array(SEAL_BYTES))
    const miners = valueOf(readMiners(native, network, parent.header.stateRoot, this.#nodeOf))
    const volunteer = pickVolunteer({ extra }, miners, excludedFrom(this.round))
    const unsigned = chiefTransaction(network, number, this.nonce(sealer.address), volunteer)
    if (unsigned === null) throw new Error('no chief')
    const draft: Draft = {
      parent: parent.header,
      number,
      timeSeconds: parent.header.timeSeconds + rank.delaySeconds,
      coinbase: sealer.address,
      signer: sealer.address,
      gasLimit: parent.header.gasLimit,
      difficulty: rank.difficulty,
      chief: signTransaction(native, unsigned, network.chainId, sealer.key),
      candidates,
      maxGas: 5_000_000n,
    }
    const built = await this.executor.build(draft)
    expect(built.refused).toEqual([])
    const header = sealHeader(
      native,
      {
        parentHash: parent.hash,
        uncleHash: EMPTY_UNCLE_HASH,
        coinbase: draft.coinbase,
        stateRoot: built.stateRoot,
        transactionsRoot: transactionsRootOf(native, built.transactions),
        receiptsRoot: receiptsRootOf(native, built.receipts),
        bloom: built.bloom,
        difficulty: draft.difficulty,
        number,
        gasLimit: draft.gasLimit,
        gasUsed: built.gasUsed,
        timeSeconds: draft.timeSeconds,
        extra,
        mixDigest: ZERO_HASH,
        nonce: '0x0000000000000000',
      },
      sealer.key,
    )
    const body: Body = { transactions: built.transactions, uncles: [] }
    const verified = verifyHeader({ curve: native, network, nowSeconds: null }, parent, header, this.round)
    if (!verified.ok) throw new Error(`${number}: ${verified.code}: ${verified.reason}`)
    const judged = verifyBody(native, network, verified, body, volunteer)
    if (!judged.ok) throw new Error(`${number}: ${judged.code}: ${judged.reason}`)
    const executed = await this.executor.execute(parent.header, { header, body })
    if (!executed.ok) throw new Error(`${number}: ${executed.code}: ${executed.reason}`)
    expect(volunteerOf(draft.chief.data)).toBe(volunteer)
    const step = applyBlock(this.round, number, sealer.address, volunteer)
    this.head = { header, hash: verified.hash }
    this.round = { ...step.round, leaders: this.proved().leaders }
    expect(this.proved(), `round after ${number}`).toEqual(this.round)
    return executed.receipts.map((receipt) => receipt.succeeded)
  }
}

const whose = (address: Address | undefined): Person => PEOPLE.find((one) => one.address === address) ?? at(0)

describe("a community's chain", () => {
  it('runs from block 1 on: slots, a miss, money, a deposit, a leader more', async () => {
    const chain = await Chain.begin()
    const due = (): Person => whose(chain.round.signers[(chain.head.header.number + 1) % 3])
    const leader = (): Person => whose(chain.round.signers[0])
    // Block 1 and 2 are the leader's: nobody else has a place yet.
    const { Poc, ChiefBase, CommunityToken, WrappedSmt } = COMMUNITY_ADDRESSES
    const [newcomer, wallet] = [at(9), HOLDER]
    const { r, s, v } = consent(newcomer, wallet.address)
    expect(await chain.seal(leader(), [chain.send(wallet, Poc, data('Poc', 'deposit', r, s, v), 100n), chain.send(OWNER, ChiefBase, data('ChiefBase', 'appendLeader', at(3).address))])).toEqual([true, true, true])
    expect(chain.round.leaders).toEqual([0, 1, 2, 3].map((number) => at(number).address))
    expect(await chain.seal(leader(), [chain.send(wallet, CommunityToken, data('CommunityToken', 'transfer', at(12).address, 77n))])).toEqual([true, true])
    expect(decode('CommunityToken', 'balanceOf', await chain.read(CommunityToken, data('CommunityToken', 'balanceOf', at(12).address)))[0]).toBe(77n)
    expect(await chain.seal(due(), [chain.send(wallet, WrappedSmt, new Uint8Array(0), 5n)])).toEqual([true, true])
    expect(chain.balance(WrappedSmt)).toBe(5n)
    // Everybody keeps its slot for a while: blocks come P - 1 seconds apart.
    for (let number = 4; number <= 12; number++) {
      const before = chain.head.header.timeSeconds
      const hasSigner = chain.round.signers[number % 3] !== ZERO_ADDRESS
      await chain.seal(hasSigner ? due() : leader())
      if (hasSigner) expect(chain.head.header.timeSeconds - before).toBe(network.periodSeconds - 1)
    }
    // A miner lets its slot pass: the leader takes it, the miner is stopped, and kept out.
    while (chain.round.signers[(chain.head.header.number + 1) % 3] === ZERO_ADDRESS || (chain.head.header.number + 1) % 3 === 0) await chain.seal((chain.head.header.number + 1) % 3 === 0 ? due() : leader())
    const late = due().address
    await chain.seal(leader())
    const lists = async (method: string): Promise<readonly Address[]> => addressesOf(decode('Poc', method, await chain.read(Poc, data('Poc', method)))[0])
    expect(await lists('getStopList')).toEqual([late])
    while (chain.head.header.number % 9 !== 0) {
      expect(await lists('getBlackList')).toEqual([late])
      await chain.seal(chain.round.signers[(chain.head.header.number + 1) % 3] === ZERO_ADDRESS ? leader() : due())
    }
    expect([await lists('getBlackList'), await lists('getStopList')]).toEqual([[], [late]])
    // The reward is the sealer's; nobody paid for the chief's transaction.
    expect(chain.balance(at(0).address)).toBeGreaterThan(35n * 10n ** 18n)
  })
})
