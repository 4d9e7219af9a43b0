/**
 * A community chain with its state: what `village.ts` seals, over the contracts' real storage in real tries, so
 * that leaders, rounds and volunteers can be proved. What the contracts would do to the lists is `applyBlock`.
 */
import type { Secp256k1 } from '../../../src/native/index.ts'
import { excludedFrom, pickVolunteer } from '../../../src/spectrum/rules/volunteer.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { proveVrf, vrfMessage } from '../../../src/spectrum/vrf.ts'
import { customNetwork } from '../../../src/spectrum/network/custom.ts'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { elementSlot } from '../../../src/spectrum/proof/account.ts'
import { hashHeader, sealHash } from '../../../src/spectrum/codec/header.ts'
import type { Address, Body, GenesisAccount, Hash, KnownHeader, Network, Round } from '../../../src/spectrum/index.ts'
import type { ChainBlock } from '../../../src/spectrum/ports.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { COINBASE, GENESIS_ROUND, MINER_ADDRESSES, VILLAGE, sealBlock } from '../spectrum/village.ts'
import type { Person, Spoil } from '../spectrum/village.ts'

/** A block of the valley and what its state says. */
export interface Spot extends KnownHeader {
  readonly body: Body
  readonly round: Round
  readonly miners: readonly Address[]
  /** Struck out, until the epoch ends. */
  readonly stopped: readonly Address[]
  readonly totalDifficulty: bigint
}

export interface ValleySpoil extends Spoil {
  /** The owner changes the leaders in this block, with effect from the next. */
  readonly leaders?: readonly Address[]
}

const MAX_REMEMBERED = 20_000

export class Valley {
  readonly network: Network
  readonly genesis: Spot
  /** Of all states that were ever made here. */
  readonly nodes = new Map<Hash, Uint8Array>()
  readonly spots = new Map<Hash, Spot>()
  readonly #random = randomStream('valley')

  constructor(round: Round = GENESIS_ROUND, miners: readonly Address[] = MINER_ADDRESSES) {
    const accounts = accountsOf(VILLAGE, round, miners)
    this.network = customNetwork(native, { ...VILLAGE, genesis: { ...VILLAGE.genesis, accounts }, chief: VILLAGE.chiefs[0]?.address ?? COINBASE, anmap: null })
    const header = genesisHeader(native, this.network.genesis, (hash, node) => this.nodes.set(hash, node))
    this.genesis = { header, hash: hashHeader(native, header), body: { transactions: [], uncles: [] }, round, miners, stopped: [], totalDifficulty: header.difficulty }
    this.spots.set(this.genesis.hash, this.genesis)
  }

  /** Sealed at the earliest time of its rank, over the true state unless spoilt. */
  seal(parent: Spot, sealer: Person, spoil: ValleySpoil = {}): Spot {
    const number = parent.header.number + 1
    const honest = proveVrf(native, sealer.key, vrfMessage(parent.header), this.#random)
    const proof = spoil.vrf?.(honest) ?? honest
    const volunteer = spoil.volunteer ?? pickVolunteer({ extra: proof }, parent.miners, excludedFrom(parent.round))
    const step = applyBlock(parent.round, number, sealer.address, volunteer)
    const stopped = step.endsEpoch ? [] : step.missed === null ? parent.stopped : [...parent.stopped, step.missed]
    // Who was kept out is started again by its owner as soon as that is allowed.
    const miners = step.endsEpoch ? [...parent.miners, ...parent.stopped] : parent.miners.filter((miner) => miner !== step.missed)
    const round = { ...step.round, leaders: spoil.leaders ?? step.round.leaders }
    const stateRoot = this.#stateRoot(round, miners)
    const { header, body } = sealBlock(this.network, parent, parent.round, sealer, { ...spoil, volunteer, vrf: () => proof, header: { stateRoot, ...spoil.header } })
    const spot = { header, hash: hashHeader(native, header), body, round, miners, stopped, totalDifficulty: parent.totalDifficulty + header.difficulty }
    if (this.spots.size > MAX_REMEMBERED) throw new Error('the valley is full')
    this.spots.set(spot.hash, spot)
    return spot
  }

  /** So many blocks, each by whose turn it is; where nobody is, by the round's leader. */
  grow(from: Spot, blocks: number, people: readonly Person[], spoil: ValleySpoil = {}): Spot[] {
    const grown: Spot[] = []
    let at = from
    for (let count = 0; count < blocks; count++) grown.push((at = this.seal(at, this.dueSealer(at, people), spoil)))
    return grown
  }

  dueSealer(parent: Spot, people: readonly Person[]): Person {
    const { signers } = parent.round
    const due = signers[(parent.header.number + 1) % signers.length]
    const found = people.find(({ address }) => address === due) ?? people.find(({ address }) => address === signers[0])
    if (found === undefined) throw new Error('nobody to seal')
    return found
  }

  #stateRoot(round: Round, miners: readonly Address[]): Hash {
    return genesisHeader(native, { ...this.network.genesis, accounts: accountsOf(this.network, round, miners) }, (hash, node) => this.nodes.set(hash, node)).stateRoot
  }
}

export function asChainBlock(spot: Spot, curve: Secp256k1 = native): ChainBlock {
  return { header: spot.header, hash: spot.hash, sealHash: sealHash(curve, spot.header), signer: null, totalDifficulty: spot.totalDifficulty, round: spot.round }
}

/** The storage layout of the contracts (rules/read-round.ts). */
function accountsOf(network: Network, round: Round, miners: readonly Address[]): readonly GenesisAccount[] {
  const chief = [...listAt(2n, round.signers), ...listAt(3n, round.next)]
  const base: [bigint, bigint][] = [...listAt(4n, round.leaders), [6n, BigInt(round.signers.length)], [7n, BigInt(round.epochBlocks)], [8n, BigInt(round.volunteerLimit)]]
  const contract = (address: Address, words: readonly [bigint, bigint][]): GenesisAccount => ({ address, balanceWei: 0n, nonce: 1n, storage: new Map(words) })
  return [contract(network.chiefs[0]?.address ?? COINBASE, chief), contract(network.chiefBase, base), contract(network.poc, listAt(1n, miners))]
}

function listAt(slot: bigint, addresses: readonly Address[]): [bigint, bigint][] {
  return [[slot, BigInt(addresses.length)], ...addresses.map((address, index): [bigint, bigint] => [elementSlot(native, slot, index), BigInt(address)])]
}

