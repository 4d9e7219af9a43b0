/**
 * Hashes and signatures of the simulation. A signature is a hash over who and what: nobody in a run can make another's,
 * since nothing in a run does but `signed`; the real ones are tried in the wire's and the node's tests. Hashes are SHA-256,
 * for speed; both ends and the chain use the same.
 */
import { createHash } from 'node:crypto'
import type { Address, Hash } from '../../../src/base/index.ts'
import { bytesOf } from '../../../src/base/index.ts'
import type { BalanceProof, Lock, Message, Received } from '../../../src/photon/ports.ts'

export function digest(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

export function hashOfText(text: string): Hash {
  return `0x${createHash('sha256').update(text).digest('hex')}`
}

/** One text per message: keys in order, bigints marked, bytes as hex. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return `${inner}n`
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('hex')
    return inner
  })
}

function signature(signer: Address, text: string): Uint8Array {
  const half = bytesOf(hashOfText(`${signer} ${text}`))
  return Uint8Array.from([...half, ...half, 27])
}

/** What exactly a proof's signature covers. */
function proofText(proof: Pick<BalanceProof, 'channel' | 'epoch' | 'nonce' | 'transferred' | 'locksroot' | 'extra'>): string {
  return `proof ${proof.channel} ${proof.epoch} ${proof.nonce} ${proof.transferred} ${proof.locksroot} ${proof.extra}`
}

function disposedText(channel: Hash, epoch: bigint, lockHash: Hash, extra: Hash): string {
  return `disposed ${channel} ${epoch} ${lockHash} ${extra}`
}

export type LockHash = (lock: Lock) => Hash

export function signed(sender: Address, message: Message, lockHash: LockHash): Received & { readonly signature: Uint8Array } {
  const extra = hashOfText(textOf(message))
  const text =
    'envelope' in message ? proofText({ ...message.envelope, extra }) : message.kind === 'disposed' ? disposedText(message.key.channel, message.key.epoch, lockHash(message.lock), extra) : extra
  return { message, sender, extra, signature: signature(sender, text), packet: new Uint8Array(0) }
}

export function isProofOf(payer: Address, proof: BalanceProof): boolean {
  return Buffer.from(proof.signature).equals(signature(payer, proofText(proof)))
}

export function isDisposalOf(cheater: Address, channel: Hash, epoch: bigint, lockHash: Hash, extra: Hash, given: Uint8Array): boolean {
  return Buffer.from(given).equals(signature(cheater, disposedText(channel, epoch, lockHash, extra)))
}
