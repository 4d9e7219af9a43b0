/**
 * Merkle proofs by hand. Two forms: what eth_getProof answers (EIP-1186), held against a state root; and
 * `{"kind": "transaction" | "receipt", "index": n, "proof": [nodes]}`, held against a block's root.
 */
import { inputError } from '../../../base/index.ts'
import type { Secp256k1 } from '../../../native/index.ts'
import { hexOf } from '../../codec/fields.ts'
import type { Hash } from '../../codec/fields.ts'
import { encodeReceipt } from '../../codec/receipt.ts'
import { encodeTransaction, hashTransaction } from '../../codec/transaction.ts'
import { readAccount, readSlot } from '../../proof/account.ts'
import { readReceipt, readTransaction } from '../../proof/inclusion.ts'
import { nodeSet } from '../../proof/read-trie.ts'
import type { Read, Unread } from '../../proof/read-trie.ts'
import { MAX_NODE_BYTES } from '../../proof/trie-node.ts'
import { Param } from '../params.ts'
import { wordText } from '../quantity.ts'
import { objectOf, parseJson } from './read-input.ts'

export type ProofInspection = Readonly<Record<string, unknown>> & { readonly ok: boolean; readonly error: string | null }

const MAX_NODES = 4096
const MAX_SLOTS = 1024
const MAX_INDEX = 1 << 20

/** `root`: null where the input brings its own (`root`, `stateRoot`). Errors: input, or RpcError -32602, naming the field. */
export function inspectProof(curve: Secp256k1, text: string, root: Hash | null): ProofInspection {
  const outer = objectOf(parseJson(text, 'input'), 'input')
  const json = typeof outer['result'] === 'object' && outer['result'] !== null ? objectOf(outer['result'], 'result') : outer
  const param = (name: string): Param => new Param(json[name], name)
  const own = [param('root'), param('stateRoot')].find((one) => !one.isAbsent)
  const against = root ?? own?.hash()
  if (against === undefined) throw inputError('root', 'nothing', '--root, or a field root: the root that the proof is held against')
  const kind = json['kind']
  if (kind === undefined) return inspectAccount(curve, against, param)
  if (kind !== 'transaction' && kind !== 'receipt') throw inputError('kind', kind, "'transaction', 'receipt', or no kind for a proof of an account")
  return inspectInclusion(curve, against, kind, param)
}

function inspectAccount(curve: Secp256k1, root: Hash, param: (name: string) => Param): ProofInspection {
  const address = param('address').address()
  const slots = param('storageProof').isAbsent ? [] : param('storageProof').list(MAX_SLOTS)
  const account = readAccount(curve, root, address, nodeSet(curve, nodes(param('accountProof'))))
  if (account.kind !== 'read') return { ...unread(account), root, address }
  const { nonce, balanceWei, storageRoot, codeHash } = account.value
  const claims: readonly (readonly [string, bigint | string | undefined, bigint | string])[] = [
    ['balance', claimed(param('balance')), balanceWei],
    ['nonce', claimed(param('nonce')), nonce],
    ['storageHash', param('storageHash').isAbsent ? undefined : param('storageHash').hash(), storageRoot],
    ['codeHash', param('codeHash').isAbsent ? undefined : param('codeHash').hash(), codeHash],
  ]
  const wrong = claims.find(([, claim, proved]) => claim !== undefined && claim !== proved)?.[0] ?? null
  const storage = slots.map((slot) => inspectSlot(curve, storageRoot, slot))
  const bad = storage.find((slot) => slot.error !== null)
  const error = wrong === null ? (bad?.error ?? null) : 'errProofMismatch'
  return {
    ok: error === null,
    error,
    reason: wrong === null ? (bad?.reason ?? null) : `${wrong}: the proof says something else`,
    root,
    address,
    account: { nonce: nonce.toString(), balanceWei: balanceWei.toString(), storageRoot, codeHash },
    storage,
  }
}

function inspectSlot(curve: Secp256k1, storageRoot: Hash, param: Param): { readonly key: string; readonly value: string | null; readonly error: string | null; readonly reason: string | null } {
  const json = objectOf(param.value, param.name)
  const at = (name: string): Param => new Param(json[name], `${param.name}.${name}`)
  const key = at('key').slot()
  const read: Read<bigint> = readSlot(curve, storageRoot, key, nodeSet(curve, nodes(at('proof'))))
  if (read.kind !== 'read') return { key: wordText(key), value: null, ...unread(read) }
  const claim = at('value').isAbsent ? undefined : at('value').slot()
  const isWrong = claim !== undefined && claim !== read.value
  return { key: wordText(key), value: wordText(read.value), error: isWrong ? 'errProofMismatch' : null, reason: isWrong ? `${param.name}.value: the proof says something else` : null }
}

function inspectInclusion(curve: Secp256k1, root: Hash, kind: 'transaction' | 'receipt', param: (name: string) => Param): ProofInspection {
  const index = param('index').value
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0 || index > MAX_INDEX) throw inputError('index', index, `a whole number from 0 to ${MAX_INDEX}`)
  const nodeOf = nodeSet(curve, nodes(param('proof')))
  const facts = { root, kind, index }
  if (kind === 'transaction') {
    const read = readTransaction(curve, root, index, nodeOf)
    if (read.kind !== 'read') return { ...unread(read), ...facts }
    return { ok: true, error: null, reason: null, ...facts, isPresent: read.value !== null, hash: read.value === null ? null : hashTransaction(curve, read.value), rlp: read.value === null ? null : hexOf(encodeTransaction(read.value)) }
  }
  const read = readReceipt(curve, root, index, nodeOf)
  if (read.kind !== 'read') return { ...unread(read), ...facts }
  return { ok: true, error: null, reason: null, ...facts, isPresent: read.value !== null, succeeded: read.value?.succeeded ?? null, logs: read.value?.logs.length ?? null, rlp: read.value === null ? null : hexOf(encodeReceipt(read.value)) }
}

function nodes(param: Param): Uint8Array[] {
  return param.list(MAX_NODES).map((node) => node.data(MAX_NODE_BYTES))
}

function claimed(param: Param): bigint | undefined {
  return param.isAbsent ? undefined : param.quantity()
}

function unread(read: Unread): { readonly ok: false; readonly error: string; readonly reason: string } {
  if (read.kind === 'missing') return { ok: false, error: 'errProofIncomplete', reason: `nodes are missing: ${read.hashes.slice(0, 4).join(', ')}` }
  return { ok: false, error: 'errProofInvalid', reason: read.reason }
}
