/**
 * The file that one box of a community gives to the next: everything to rebuild the genesis from, and where to find
 * the others. JSON in one form only: what `encodeJoinFile` writes, byte by byte (one space of indentation, accounts
 * by address, storage by slot, amounts in decimal, bytes in hex, a line feed at the end).
 *
 * It is not signed and holds no secret. Whoever gives it decides which chain a box joins, so it is compared by its
 * genesis hash, which people can read to each other; a file whose parts do not give that hash is refused. Peers and
 * checkpoint keys are not among those parts.
 */
import { MeshBoxError, inputError, utf8 } from '../../base/index.ts'
import { ADDRESS_BYTES, HASH_BYTES, bytesOf, hexOf } from '../codec/fields.ts'
import type { Address, Hash, Hex, Keccak } from '../codec/fields.ts'
import { customNetwork } from '../network/custom.ts'
import type { CustomNetwork } from '../network/custom.ts'
import { genesisHeader } from '../network/genesis.ts'
import type { GenesisAccount, Network } from '../network/network.ts'
import { readMiners, readRound } from '../rules/read-round.ts'
import { genesisNodes } from './genesis-nodes.ts'
import { listOf, objectOf, textOf, uintOf, wholeOf } from './json-fields.ts'
import { MAX_GENESIS_MINERS } from './new-community.ts'
import type { Community } from './new-community.ts'
import { checkParameters } from './parameters.ts'

export interface JoinFile {
  readonly community: Community
  /** enode addresses that discovery starts from. */
  readonly bootnodes: readonly string[]
  /** enode addresses that a box keeps connected to. */
  readonly staticPeers: readonly string[]
  /** Ed25519 public keys, 32 bytes each, of who signs checkpoints. None, or 2 and more. */
  readonly checkpointKeys: readonly Hex[]
}

const JOIN_FILE_FORMAT = 'meshbox-community-chain'
const JOIN_FILE_VERSION = 1
export const MAX_JOIN_FILE_BYTES = 1 << 20
const MAX_ACCOUNTS = 2048
/** Of all accounts together: each costs a few hashes. */
const MAX_STORAGE_WORDS = 8192
/** EIP-170. */
const MAX_CODE_BYTES = 24_576
const MAX_PEERS = 64
const MAX_KEYS = 16
const LEAST_KEYS = 2
const POC_MINERS_SLOT = 1n
const MAX_WORD = 2n ** 256n - 1n
const MAX_NONCE = 2n ** 64n - 1n
const ENODE = /^enode:\/\/[0-9a-f]{128}@(?:(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,8}|\[[0-9a-f:.]{2,45}\]):(\d{1,5})(?:\?discport=(\d{1,5}))?$/
const MAX_ENODE_CHARACTERS = 400
const MAX_PORT = 65_535

/** Errors: input, naming the field; limit `join-file-too-large`. */
export function encodeJoinFile(keccak: Keccak, file: JoinFile): string {
  checkPeers('bootnodes', file.bootnodes)
  checkPeers('staticPeers', file.staticPeers)
  checkKeys(file.checkpointKeys)
  checkParameters(keccak, file.community.custom)
  checkChain(keccak, file.community.network)
  const text = write(file)
  checkSize(utf8(text).length)
  return text
}

/**
 * Errors, never anything else, whatever the text is: input, naming the field (`genesisHash` where the parts give
 * another genesis, `joinFile` where the text is not in the one form); limit `join-file-too-large`.
 */
export function decodeJoinFile(keccak: Keccak, text: string): JoinFile {
  // A character has a byte at least: nothing larger is parsed or copied.
  checkSize(text.length)
  checkSize(utf8(text).length)
  const root = objectOf(parse(text), 'joinFile', ['format', 'version', 'name', 'chainId', 'networkId', 'periodSeconds', 'contracts', 'genesis', 'genesisHash', 'bootnodes', 'staticPeers', 'checkpointKeys'])
  if (root['format'] !== JOIN_FILE_FORMAT) throw inputError('format', root['format'], JOIN_FILE_FORMAT)
  if (root['version'] !== JOIN_FILE_VERSION) throw inputError('version', root['version'], `${JOIN_FILE_VERSION}; a later release may read it`)
  const custom = customOf(root)
  const network = customNetwork(keccak, custom)
  if (root['genesisHash'] !== network.genesisHash) throw inputError('genesisHash', root['genesisHash'], `${network.genesisHash}, which the rest of the file gives`)
  checkParameters(keccak, custom)
  checkChain(keccak, network)
  const file: JoinFile = {
    community: { custom, network },
    bootnodes: peersOf(root['bootnodes'], 'bootnodes'),
    staticPeers: peersOf(root['staticPeers'], 'staticPeers'),
    checkpointKeys: listOf(root['checkpointKeys'], 'checkpointKeys', MAX_KEYS).map((key) => hexText(key, 'checkpointKeys', HASH_BYTES)),
  }
  checkKeys(file.checkpointKeys)
  if (write(file) !== text) throw inputError('joinFile', 'another form of it', 'the file as `meshbox chain new` wrote it, byte by byte')
  return file
}

function write(file: JoinFile): string {
  const { custom, network } = file.community
  const { genesis } = custom
  const accounts = [...genesis.accounts].sort((a, b) => (a.address < b.address ? -1 : 1)).map((account) => ({
    address: account.address,
    balanceWei: account.balanceWei.toString(),
    nonce: (account.nonce ?? 0n).toString(),
    code: hexOf(account.code ?? new Uint8Array(0)),
    storage: [...(account.storage ?? [])]
      .filter(([, word]) => word !== 0n)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([slot, word]) => `${wordText(slot)}: ${wordText(word)}`),
  }))
  const json = {
    format: JOIN_FILE_FORMAT,
    version: JOIN_FILE_VERSION,
    name: custom.name,
    chainId: custom.chainId.toString(),
    networkId: custom.networkId,
    periodSeconds: custom.periodSeconds,
    genesisHash: network.genesisHash,
    contracts: { chief: custom.chief, chiefBase: custom.chiefBase, poc: custom.poc, anmap: custom.anmap },
    bootnodes: file.bootnodes,
    staticPeers: file.staticPeers,
    checkpointKeys: file.checkpointKeys,
    genesis: { timeSeconds: genesis.timeSeconds, difficulty: genesis.difficulty.toString(), gasLimit: genesis.gasLimit.toString(), signer: genesis.signer, accounts },
  }
  return `${JSON.stringify(json, null, 1)}\n`
}

function customOf(root: Readonly<Record<string, unknown>>): CustomNetwork {
  const contracts = objectOf(root['contracts'], 'contracts', ['chief', 'chiefBase', 'poc', 'anmap'])
  const genesis = objectOf(root['genesis'], 'genesis', ['timeSeconds', 'difficulty', 'gasLimit', 'signer', 'accounts'])
  const accounts = listOf(genesis['accounts'], 'genesis.accounts', MAX_ACCOUNTS).map((account, index) => accountOf(account, `genesis.accounts[${index}]`))
  const words = accounts.reduce((sum, account) => sum + (account.storage?.size ?? 0), 0)
  if (words > MAX_STORAGE_WORDS) throw inputError('genesis.accounts', `${words} words of storage`, `at most ${MAX_STORAGE_WORDS}`)
  return {
    name: textOf(root['name'], 'name', 32),
    chainId: uintOf(root['chainId'], 'chainId', MAX_WORD),
    networkId: wholeOf(root['networkId'], 'networkId'),
    periodSeconds: wholeOf(root['periodSeconds'], 'periodSeconds'),
    genesis: {
      timeSeconds: wholeOf(genesis['timeSeconds'], 'genesis.timeSeconds'),
      difficulty: uintOf(genesis['difficulty'], 'genesis.difficulty', MAX_WORD),
      gasLimit: uintOf(genesis['gasLimit'], 'genesis.gasLimit', MAX_WORD),
      signer: hexText(genesis['signer'], 'genesis.signer', ADDRESS_BYTES),
      accounts,
    },
    chief: hexText(contracts['chief'], 'contracts.chief', ADDRESS_BYTES),
    chiefBase: hexText(contracts['chiefBase'], 'contracts.chiefBase', ADDRESS_BYTES),
    poc: hexText(contracts['poc'], 'contracts.poc', ADDRESS_BYTES),
    anmap: contracts['anmap'] === null ? null : hexText(contracts['anmap'], 'contracts.anmap', ADDRESS_BYTES),
  }
}

/** Without code, storage or nonce: an account of a person. */
function accountOf(value: unknown, field: string): GenesisAccount {
  const account = objectOf(value, field, ['address', 'balanceWei', 'nonce', 'code', 'storage'])
  const nonce = uintOf(account['nonce'], `${field}.nonce`, MAX_NONCE)
  const code = bytesOf(hexText(account['code'], `${field}.code`, MAX_CODE_BYTES, 'at most'))
  const storage = new Map<bigint, bigint>()
  for (const line of listOf(account['storage'], `${field}.storage`, MAX_STORAGE_WORDS)) {
    const match = /^(0x[0-9a-f]{1,64}): (0x[0-9a-f]{1,64})$/.exec(textOf(line, `${field}.storage`, 200))
    if (match?.[1] === undefined || match[2] === undefined) throw inputError(`${field}.storage`, line, 'slot and word in hex, e.g. 0x2: 0x11')
    storage.set(BigInt(match[1]), BigInt(match[2]))
  }
  return {
    address: hexText(account['address'], `${field}.address`, ADDRESS_BYTES),
    balanceWei: uintOf(account['balanceWei'], `${field}.balanceWei`, MAX_WORD),
    ...(nonce === 0n ? {} : { nonce }),
    ...(code.length === 0 ? {} : { code }),
    ...(storage.size === 0 ? {} : { storage }),
  }
}

/** A chain that nobody could make a block on is refused before a box joins it. */
function checkChain(keccak: Keccak, network: Network): void {
  const byAddress = new Map<Address, GenesisAccount>(network.genesis.accounts.map((account) => [account.address, account]))
  // Before anything is read: a list is read as long as it says it is.
  const miners = byAddress.get(network.poc)?.storage?.get(POC_MINERS_SLOT) ?? 0n
  if (miners > BigInt(MAX_GENESIS_MINERS)) throw inputError('genesis.accounts', `${miners} miners`, `at most ${MAX_GENESIS_MINERS}`)
  const nodes = genesisNodes(keccak, network)
  const stateRoot: Hash = genesisHeader(keccak, network.genesis).stateRoot
  const nodeOf = (hash: Hash): Uint8Array | undefined => nodes.get(hash)
  for (const read of [readRound(keccak, network, 1, stateRoot, nodeOf), readMiners(keccak, network, stateRoot, nodeOf)])
    if (read.kind !== 'read') throw inputError('genesis.accounts', read.kind === 'invalid' ? read.reason : 'no round', 'contracts that hold a round, its leaders and its miners')
  for (const [duty, address] of Object.entries({ chief: network.chiefs[0]?.address, chiefBase: network.chiefBase, poc: network.poc, ...(network.anmap === null ? {} : { anmap: network.anmap.address }) }))
    if (address === undefined || (byAddress.get(address)?.code ?? []).length === 0) throw inputError(`contracts.${duty}`, address, 'an account with code')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    // Not its message: it quotes the text.
    if (thrown instanceof SyntaxError) throw inputError('joinFile', 'a text that is not JSON', 'a file as `meshbox chain new` wrote it')
    throw thrown
  }
}

function checkSize(bytes: number): void {
  if (bytes > MAX_JOIN_FILE_BYTES) throw new MeshBoxError('limit', `a join file of ${bytes} bytes or more; at most ${MAX_JOIN_FILE_BYTES}`, { code: 'join-file-too-large', field: 'joinFile' })
}

function peersOf(value: unknown, field: string): readonly string[] {
  const peers = listOf(value, field, MAX_PEERS).map((peer) => textOf(peer, field, MAX_ENODE_CHARACTERS))
  checkPeers(field, peers)
  return peers
}

function checkPeers(field: string, peers: readonly string[]): void {
  if (peers.length > MAX_PEERS) throw inputError(field, peers.length, `at most ${MAX_PEERS}`)
  for (const peer of peers) {
    const match = peer.length > MAX_ENODE_CHARACTERS ? null : ENODE.exec(peer)
    const ports = match?.slice(1).filter((port) => port !== undefined).map(Number) ?? []
    if (match === null || ports.some((port) => port < 1 || port > MAX_PORT)) throw inputError(field, peer, 'enode://<128 hex digits>@<host>:<port>')
  }
  if (new Set(peers).size !== peers.length) throw inputError(field, peers, 'each peer once')
}

function checkKeys(keys: readonly Hex[]): void {
  if (keys.length > MAX_KEYS || (keys.length > 0 && keys.length < LEAST_KEYS)) throw inputError('checkpointKeys', keys.length, `none, or ${LEAST_KEYS} to ${MAX_KEYS}`)
  for (const key of keys) hexText(key, 'checkpointKeys', HASH_BYTES)
  if (new Set(keys).size !== keys.length) throw inputError('checkpointKeys', keys, 'each key once')
}

function hexText(value: unknown, field: string, bytes: number, bound: 'exactly' | 'at most' = 'exactly'): Hex {
  const digits = typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/.test(value) ? value.length - 2 : Number.NaN
  const isRight = bound === 'exactly' ? digits === 2 * bytes : digits <= 2 * bytes
  if (!isRight) throw inputError(field, value, `0x and ${bound} ${2 * bytes} lower-case hex digits`)
  return value as Hex
}

function wordText(word: bigint): string {
  return `0x${word.toString(16)}`
}
