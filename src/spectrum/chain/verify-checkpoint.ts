/**
 * Whether a checkpoint may be started from (spec 6): the right chain, the end of a round, from SIP100 on, signed
 * by two of the keys that the owner has named, not older than two weeks; and, when there is somebody to ask for
 * nodes, that the state in its header says the same of signers and leaders.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { concatBytes, fromHex, inputError, toBase64Url, toHex } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Header } from '../codec/header.ts'
import { MAX_EXTRA_BYTES, SEAL_BYTES, VRF_BYTES, recoverSealer } from '../codec/header.ts'
import type { Network } from '../network/network.ts'
import { PUBLIC_NETWORKS } from '../network/networks.ts'
import type { Round } from '../rules/round.ts'
import { checkpointMessage, endsRound } from './checkpoint.ts'
import type { Checkpoint, CheckpointSignature, SignedCheckpoint } from './checkpoint.ts'
import { isSameRound } from './round-bytes.ts'

export const MAX_CHECKPOINT_AGE_SECONDS = 14 * 24 * 3600
const CHECKPOINT_SIGNERS = 2
/** How far clocks of honest signers may be ahead of ours. */
const MAX_AHEAD_SECONDS = 600
const MAX_DIFFICULTY = 6n
/** PKCS #8 around a raw Ed25519 seed (RFC 8410, section 7). */
const PKCS8_HEAD = fromHex('302e020100300506032b657004220420')
const SEED_BYTES = 32
const SIGNATURE_BYTES = 64

export type CheckpointRefusalCode =
  | 'wrong-chain'
  | 'not-end-of-round'
  | 'before-sip100'
  | 'impossible-difficulty'
  | 'bad-seal'
  | 'bad-signature'
  | 'too-few-signatures'
  | 'clock-not-trusted'
  | 'from-the-future'
  | 'too-old'
  | 'round-not-provable' // nobody had the nodes: try again with other sources
  | 'round-differs'

export interface CheckpointRefusal {
  readonly ok: false
  readonly code: CheckpointRefusalCode
  /** For the owner. */
  readonly reason: string
}

export interface CheckpointJudge {
  readonly curve: Secp256k1
  readonly network: Network
  /** Ed25519 public keys, 64 hex digits each. */
  readonly keys: readonly string[]
  /** Null: the clock is not trusted, and only the owner's word starts the chain. */
  readonly nowSeconds: number | null
  /** The owner has said: this one, whatever its age. */
  readonly isAgeAccepted: boolean
}

export function verifyCheckpoint(judge: CheckpointJudge, signed: SignedCheckpoint): { readonly ok: true; readonly checkpoint: Checkpoint } | CheckpointRefusal {
  const { checkpoint } = signed
  return verifyBlock(judge, checkpoint) ?? verifySignatures(judge.keys, signed) ?? verifyAge(judge, checkpoint) ?? { ok: true, checkpoint }
}

function verifyBlock({ curve, network }: CheckpointJudge, { chainId, genesisHash, known, totalDifficulty, round }: Checkpoint): CheckpointRefusal | null {
  const { number, extra } = known.header
  if (chainId !== network.chainId || genesisHash !== network.genesisHash)
    return refuse('wrong-chain', `it is of chain ${chainId} with genesis ${genesisHash}; ${network.name} is ${network.chainId} with ${network.genesisHash}`)
  if (!endsRound(number, round) || round.next.length > 0) return refuse('not-end-of-round', `block ${number} does not end a round of ${round.signers.length}, or has volunteers waiting`)
  const first = (network.forks.sip100 ?? Number.POSITIVE_INFINITY) + 1
  const isPublic = PUBLIC_NETWORKS.some((one) => one.genesisHash === network.genesisHash)
  if (isPublic && number < first) return refuse('before-sip100', `block ${number}; from ${first} on, ${network.name} can be verified`)
  const most = network.genesis.difficulty + MAX_DIFFICULTY * BigInt(number)
  if (totalDifficulty > most || totalDifficulty < BigInt(number)) return refuse('impossible-difficulty', `total difficulty ${totalDifficulty} of block ${number}; ${number} to ${most} are possible`)
  if (extra.length < VRF_BYTES + SEAL_BYTES || extra.length > MAX_EXTRA_BYTES || recoverSealer(curve, known.header) === null) return refuse('bad-seal', `nobody has sealed block ${number}`)
  return null
}

function verifySignatures(keys: readonly string[], { checkpoint, signatures }: SignedCheckpoint): CheckpointRefusal | null {
  const message = checkpointMessage(checkpoint)
  const named = signatures.filter(({ key }) => keys.includes(key))
  const wrong = named.find((one) => !isSignedBy(message, one))
  if (wrong !== undefined) return refuse('bad-signature', `key ${wrong.key} has not signed this`)
  const signers = new Set(named.map(({ key }) => key)).size
  if (signers < CHECKPOINT_SIGNERS) return refuse('too-few-signatures', `signed by ${signers} of the ${keys.length} keys named in the configuration; ${CHECKPOINT_SIGNERS} are needed`)
  return null
}

function verifyAge({ nowSeconds, isAgeAccepted }: CheckpointJudge, { known }: Checkpoint): CheckpointRefusal | null {
  if (isAgeAccepted) return null
  if (nowSeconds === null) return refuse('clock-not-trusted', 'the clock is not trusted, so its age is not known; set the clock, or say that this checkpoint is to be taken')
  const ageSeconds = nowSeconds - known.header.timeSeconds
  if (ageSeconds < -MAX_AHEAD_SECONDS) return refuse('from-the-future', `it is ${-ageSeconds} seconds ahead of this box's clock`)
  if (ageSeconds > MAX_CHECKPOINT_AGE_SECONDS) return refuse('too-old', `it is ${Math.floor(ageSeconds / 86_400)} days old; up to ${MAX_CHECKPOINT_AGE_SECONDS / 86_400} are taken, older ones only if you say so`)
  return null
}

/** `roundAt`: the round after a header, proved against its state root; null where nobody has the nodes. */
export async function proveCheckpoint(checkpoint: Checkpoint, roundAt: (header: Header) => Promise<Round | null>): Promise<{ readonly ok: true } | CheckpointRefusal> {
  const proved = await roundAt(checkpoint.known.header)
  if (proved === null) return refuse('round-not-provable', `no source has the state of block ${checkpoint.known.header.number}`)
  if (!isSameRound(proved, checkpoint.round)) return refuse('round-differs', `the state of block ${checkpoint.known.header.number} names other signers, leaders or limits`)
  return { ok: true }
}

/** `seed`: 32 bytes of an Ed25519 key. Signatures of other keys stay. Errors: input `seed`. */
export function signCheckpoint({ checkpoint, signatures }: SignedCheckpoint, seed: Uint8Array): SignedCheckpoint {
  if (seed.length !== SEED_BYTES) throw inputError('seed', `${seed.length} bytes`, `${SEED_BYTES} bytes`)
  const privateKey = createPrivateKey({ key: Buffer.from(concatBytes(PKCS8_HEAD, seed)), format: 'der', type: 'pkcs8' })
  const key = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex')
  const signature = toHex(sign(null, checkpointMessage(checkpoint), privateKey))
  const others = signatures.filter((one) => one.key !== key)
  return { checkpoint, signatures: [...others, { key, signature }].sort((a, b) => (a.key < b.key ? -1 : 1)) }
}

function isSignedBy(message: Uint8Array, { key, signature }: CheckpointSignature): boolean {
  const bytes = fromHex(signature)
  if (bytes.length !== SIGNATURE_BYTES) return false
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(fromHex(key)) }, format: 'jwk' })
  return verify(null, message, publicKey, bytes)
}

function refuse(code: CheckpointRefusalCode, reason: string): CheckpointRefusal {
  return { ok: false, code, reason }
}
