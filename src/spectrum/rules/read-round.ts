/**
 * The round and the miners as the contracts of version 1.0.0 hold them, proved against a state root (storage
 * layout: spec 2.10).
 *
 * | contract | slot | what |
 * |---|---|---|
 * | chief | 2, 3 | signers of this round, volunteers for the next |
 * | chief base | 4, 6, 7, 8 | leaders, signer limit, epoch, volunteer limit |
 * | POC | 1 | miners that may be picked |
 */
import { MeshBoxError } from '../../base/index.ts'
import type { Address, Hash, Keccak } from '../codec/fields.ts'
import { chiefAt } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import { readAccount, readAddresses, readAll, readSlot } from '../proof/account.ts'
import type { NodeSource, Read, Unread } from '../proof/read-trie.ts'
import { MAX_LEADERS, MAX_SIGNERS, checkRound } from './round.ts'
import type { Round } from './round.ts'

const CHIEF = { signers: 2n, next: 3n } as const
const BASE = { leaders: 4n, signerLimit: 6n, epoch: 7n, volunteerLimit: 8n } as const
const POC_MINERS = 1n
/** A bound for what a contract may make us read. */
const MAX_MINERS = 65_536

/**
 * The round that rules block `number`, from its parent's state. Invalid: also where the contracts contradict
 * each other, and where no chief rules.
 */
export function readRound(keccak: Keccak, network: Network, number: number, parentStateRoot: Hash, nodeOf: NodeSource): Read<Round> {
  const chief = chiefAt(network, number)
  if (chief === null) return { kind: 'invalid', hash: parentStateRoot, reason: `no chief rules block ${number}` }
  const accounts = readAll([chief.address, network.chiefBase].map((address) => readAccount(keccak, parentStateRoot, address, nodeOf)))
  if (accounts.kind !== 'read') return accounts
  const [chiefRoot, baseRoot] = accounts.value.map((account) => account.storageRoot)
  if (chiefRoot === undefined || baseRoot === undefined) return { kind: 'invalid', hash: parentStateRoot, reason: 'no chief contract' }
  const lists = readAll([
    readAddresses(keccak, chiefRoot, CHIEF.signers, MAX_SIGNERS, nodeOf),
    readAddresses(keccak, chiefRoot, CHIEF.next, MAX_SIGNERS, nodeOf),
    readAddresses(keccak, baseRoot, BASE.leaders, MAX_LEADERS, nodeOf),
  ])
  const words = readAll([BASE.signerLimit, BASE.epoch, BASE.volunteerLimit].map((slot) => readSlot(keccak, baseRoot, slot, nodeOf)))
  if (lists.kind !== 'read' || words.kind !== 'read') return unread(lists, words)
  const [signers = [], next = [], leaders = []] = lists.value
  const [signerLimit = 0, epochBlocks = 0, volunteerLimit = 0] = words.value.map(Number)
  if (signers.length !== signerLimit) return { kind: 'invalid', hash: chiefRoot, reason: `${signers.length} signers; the limit is ${signerLimit}` }
  try {
    return { kind: 'read', value: checkRound({ signers, next, leaders, volunteerLimit, epochBlocks }) }
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return { kind: 'invalid', hash: chiefRoot, reason: thrown.message }
    throw thrown
  }
}

/** One of the two at least is not read: what is missing in both, or what is wrong in one. */
function unread(lists: Read<unknown>, words: Read<unknown>): Unread {
  if (lists.kind === 'invalid') return lists
  if (words.kind === 'invalid') return words
  return { kind: 'missing', hashes: [...new Set([lists, words].flatMap((read) => (read.kind === 'missing' ? read.hashes : [])))] }
}

/** POC's normal list, in its order. */
export function readMiners(keccak: Keccak, network: Network, parentStateRoot: Hash, nodeOf: NodeSource): Read<readonly Address[]> {
  const account = readAccount(keccak, parentStateRoot, network.poc, nodeOf)
  return account.kind === 'read' ? readAddresses(keccak, account.value.storageRoot, POC_MINERS, MAX_MINERS, nodeOf) : account
}
