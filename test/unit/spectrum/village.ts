/** A community chain in memory: real keys, seals, VRF proofs and bodies, without execution. Each part can be spoilt before it is sealed. */
import { concatBytes } from '../../../src/base/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { chiefTransaction } from '../../../src/spectrum/rules/verify-body.ts'
import { excludedFrom, pickVolunteer } from '../../../src/spectrum/rules/volunteer.ts'
import { rankOf } from '../../../src/spectrum/rules/rank.ts'
import { proveVrf, vrfMessage } from '../../../src/spectrum/vrf.ts'
import { customNetwork } from '../../../src/spectrum/network/custom.ts'
import { EMPTY_UNCLE_HASH, genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { transactionsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/proof/read-trie.ts'
import { signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { addressOfKey, hashHeader, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_HASH } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Body, Header, KnownHeader, Network, Round, Transaction } from '../../../src/spectrum/index.ts'
import { randomStream } from '../native/random-stream.ts'
import { bytes32 } from '../native/scalars.ts'
import { native } from './curves.ts'

export interface Person {
  readonly key: Uint8Array
  readonly address: Address
}

export const person = (number: number): Person => {
  const key = bytes32(BigInt(number) + 1000n)
  return { key, address: addressOfKey(native, native.publicKeyOf(key)) }
}
export const LEADERS = [0, 1, 2].map(person)
export const MINERS = [3, 4, 5, 6, 7, 8, 9, 10].map(person)
export const STRANGER = person(99)
export const EVERYBODY: readonly Person[] = [...LEADERS, ...MINERS, STRANGER]
const contract = (byte: string): Address => `0x${byte.repeat(20)}`
export const COINBASE = contract('c0')
const START_SECONDS = 1_700_000_000
const { bytes } = randomStream('village')

export const VILLAGE: Network = customNetwork(native, {
  name: 'village',
  chainId: 777_001n,
  networkId: 777_001,
  periodSeconds: 2,
  genesis: { timeSeconds: START_SECONDS, difficulty: 1n, gasLimit: 41_000_000n, signer: LEADERS[0]?.address ?? contract('00'), accounts: [] },
  chief: contract('0c'),
  chiefBase: contract('0b'),
  poc: contract('0d'),
  anmap: null,
})

const addresses = (people: readonly Person[]): Address[] => people.map((one) => one.address)
export const GENESIS_ROUND: Round = { signers: [...addresses(LEADERS.slice(0, 1)), ...addresses(MINERS.slice(0, 4))], next: [], leaders: addresses(LEADERS), volunteerLimit: 4, epochBlocks: 25 }
export const MINER_ADDRESSES = addresses(MINERS)

export function genesisOf(network: Network): KnownHeader {
  const header = genesisHeader(native, network.genesis)
  return { header, hash: hashHeader(native, header) }
}

export interface Spoil {
  /** Before the VRF, the signature and the roots are made. */
  readonly header?: Partial<Header>
  readonly vrf?: (proof: Uint8Array) => Uint8Array
  readonly transactions?: (chief: Transaction) => readonly Transaction[]
  readonly volunteer?: Address
  readonly curve?: Secp256k1
}

/** What `sealer` would seal on `parent`, at the earliest time of its rank. */
export function sealBlock(network: Network, parent: KnownHeader, round: Round, sealer: Person, spoil: Spoil = {}): { header: Header; body: Body; volunteer: Address } {
  const number = parent.header.number + 1
  const rank = rankOf(round, number, network.periodSeconds, sealer.address)
  const curve = spoil.curve ?? native
  const proof = proveVrf(curve, sealer.key, vrfMessage(parent.header), { bytes })
  const extra = concatBytes(spoil.vrf?.(proof) ?? proof, new Uint8Array(65))
  const volunteer = spoil.volunteer ?? pickVolunteer({ extra }, MINER_ADDRESSES, excludedFrom(round))
  const unsigned = chiefTransaction(network, number, BigInt(number), volunteer)
  if (unsigned === null) throw new Error(`no chief at ${number}`)
  const chief = signTransaction(curve, unsigned, network.chainId, sealer.key)
  const transactions = spoil.transactions?.(chief) ?? [chief]
  const header: Header = {
    parentHash: parent.hash,
    uncleHash: EMPTY_UNCLE_HASH,
    coinbase: COINBASE,
    stateRoot: ZERO_HASH,
    transactionsRoot: transactionsRootOf(curve, transactions),
    receiptsRoot: EMPTY_TRIE_ROOT,
    bloom: new Uint8Array(256),
    difficulty: rank.difficulty,
    number,
    gasLimit: parent.header.gasLimit,
    gasUsed: 0n,
    timeSeconds: parent.header.timeSeconds + rank.delaySeconds,
    extra,
    mixDigest: ZERO_HASH,
    nonce: '0x0000000000000000',
    ...spoil.header,
  }
  return { header: header.extra.length < 65 ? header : sealHeader(curve, header, sealer.key), body: { transactions, uncles: [] }, volunteer }
}
