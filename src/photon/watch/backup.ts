/**
 * The newest state of all channels, encrypted, kept by neighbours (photon.md 8.3). Who holds it learns the owner, how
 * often it changes and roughly how many channels there are, no more. Big-endian:
 *
 *   blob:   version 2 ‖ owner 20 ‖ counter 8 ‖ iv 12 ‖ ciphertext (4, 16 or 64 KiB) ‖ tag 16 ‖ signature 65
 *   inside: count 2 ‖ count × record ‖ zeros
 *   record: channel 32 ‖ epoch 8 ‖ token 20 ‖ partner 20 ‖ own nonce 8 ‖ own packet's hash 32 ‖ own transferred 32 ‖ own locksroot 32 ‖
 *           partner's nonce 8 ‖ transferred 32 ‖ locksroot 32 ‖ extra 32 ‖ signature 65 (zeros when nothing was received) = 353 bytes
 *
 * AES-256-GCM, with version, owner and counter as additional data; the iv is random. The signature is the owner's,
 * EIP-712 under a domain of its own. The counter only grows, so of several copies the newest can be told, and a holder
 * that gives an older one than it took is found out.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { ZERO_HASH, bytesOf, concatBytes, hexOf, inputError } from '../../base/index.ts'
import type { Address, Hash, Randomness } from '../../base/index.ts'
import type { BalanceProof, ChannelKey, Domain, Message } from '../ports.ts'
import { typedHashers } from '../typed-hasher.ts'
import type { WatchSigner } from './ports.ts'

export interface BackupRecord extends ChannelKey {
  readonly token: Address
  readonly partner: Address
  /** What the owner has sent: never again sign at or below it. */
  readonly ownNonce: bigint
  readonly ownHash: Hash
  readonly ownTransferred: bigint
  /** Not zeros: locks were pending, and they are not in the copy. */
  readonly ownLocksroot: Hash
  /** The partner's newest proof; null: nothing received yet. */
  readonly proof: BalanceProof | null
}

export interface OpenedBackup {
  readonly counter: bigint
  readonly records: readonly BackupRecord[]
}

const VERSION = 2
const HEAD_BYTES = 29
const IV_BYTES = 12
const TAG_BYTES = 16
const SIGNATURE_BYTES = 65
const RECORD_BYTES = 353
const COUNT_BYTES = 2
export const BACKUP_SIZES = [4096, 16_384, 65_536] as const
const AROUND_BYTES = HEAD_BYTES + IV_BYTES + TAG_BYTES + SIGNATURE_BYTES
export const MAX_BACKUP_BYTES = AROUND_BYTES + BACKUP_SIZES[2]
export const MAX_BACKUP_CHANNELS = Math.floor((BACKUP_SIZES[2] - COUNT_BYTES) / RECORD_BYTES)
const BACKUP_712 = 'Backup(address owner,uint64 counter,bytes32 content)'
const hasherOf = typedHashers(keccak_256, ['PhotonBackup', '1'])

/** `key`: 32 bytes, derived from the box's key. Errors: input `backup.records` for more than fit. */
export function sealBackup(options: { domain: Domain; signer: WatchSigner; key: Uint8Array; randomness: Randomness }, counter: bigint, records: readonly BackupRecord[]): Uint8Array {
  const plain = concatBytes(uint(BigInt(records.length), COUNT_BYTES), ...records.map(recordBytes))
  const size = BACKUP_SIZES.find((one) => plain.length <= one)
  if (size === undefined) throw inputError('backup.records', records.length, `at most ${MAX_BACKUP_CHANNELS} channels`)
  const padded = concatBytes(plain, new Uint8Array(size - plain.length))
  const head = concatBytes(Uint8Array.of(VERSION), bytesOf(options.signer.self), uint(counter, 8))
  const iv = options.randomness.bytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', options.key, iv).setAAD(head)
  const body = concatBytes(head, iv, cipher.update(padded), cipher.final(), cipher.getAuthTag())
  return concatBytes(body, options.signer.sign(backupDigest(options.domain, options.signer.self, counter, body)))
}

/** What a holder can check without the key: the form, and that the owner has signed it. Never throws. */
export function readBackup(domain: Domain, recover: WatchSigner['recover'], blob: Uint8Array): { readonly owner: Address; readonly counter: bigint } | { readonly refused: string } {
  if (blob[0] !== VERSION || !BACKUP_SIZES.some((size) => blob.length === AROUND_BYTES + size)) return { refused: 'not a backup of this version' }
  const [owner, counter] = [hexOf(blob.subarray(1, 21)), BigInt(hexOf(blob.subarray(21, HEAD_BYTES)))]
  const body = blob.subarray(0, blob.length - SIGNATURE_BYTES)
  const signedBy = recover(backupDigest(domain, owner, counter, body), blob.slice(blob.length - SIGNATURE_BYTES))
  return signedBy === owner ? { owner, counter } : { refused: 'not signed by its owner' }
}

/** Null: not ours, or not whole. Never throws. */
export function openBackup(options: { domain: Domain; signer: WatchSigner; key: Uint8Array }, blob: Uint8Array): OpenedBackup | null {
  const read = readBackup(options.domain, options.signer.recover, blob)
  if ('refused' in read || read.owner !== options.signer.self) return null
  const cipherEnd = blob.length - SIGNATURE_BYTES - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', options.key, blob.subarray(HEAD_BYTES, HEAD_BYTES + IV_BYTES))
  decipher.setAAD(blob.subarray(0, HEAD_BYTES)).setAuthTag(blob.subarray(cipherEnd, cipherEnd + TAG_BYTES))
  const padded = new Uint8Array(decipher.update(blob.subarray(HEAD_BYTES + IV_BYTES, cipherEnd))) // a Buffer's slices would share its memory
  try {
    decipher.final()
  } catch {
    return null // another key, or changed after it was sealed: there is nothing more to learn from it
  }
  const count = Number(BigInt(hexOf(padded.subarray(0, COUNT_BYTES))))
  if (COUNT_BYTES + count * RECORD_BYTES > padded.length) return null
  const records = Array.from({ length: count }, (_none, at) => readRecord(padded.subarray(COUNT_BYTES + at * RECORD_BYTES, COUNT_BYTES + (at + 1) * RECORD_BYTES)))
  return { counter: read.counter, records }
}

export interface Restored {
  readonly newest: OpenedBackup | null
  /** Holders that gave an older copy than another one did, or one that cannot be opened. */
  readonly behind: readonly Address[]
  readonly broken: readonly Address[]
  /** True: this box has once sealed a newer one than anybody gives back. */
  readonly isRolledBack: boolean
}

/** Of what several holders gave, the newest. `knownCounter`: the highest that this box remembers to have sealed; 0: none. */
export function chooseBackup(options: { domain: Domain; signer: WatchSigner; key: Uint8Array }, copies: readonly { readonly holder: Address; readonly blob: Uint8Array }[], knownCounter: bigint): Restored {
  const opened = copies.map(({ holder, blob }) => ({ holder, backup: openBackup(options, blob) }))
  const newest = opened.reduce<OpenedBackup | null>((best, { backup }) => (backup !== null && (best === null || backup.counter > best.counter) ? backup : best), null)
  return {
    newest,
    behind: opened.filter(({ backup }) => backup !== null && newest !== null && backup.counter < newest.counter).map(({ holder }) => holder),
    broken: opened.filter(({ backup }) => backup === null).map(({ holder }) => holder),
    isRolledBack: knownCounter > (newest?.counter ?? 0n),
  }
}

/**
 * What the box says of the channel when it meets the partner again, from the backup alone: the partner answers with
 * what is newer. Until then the channel counts as restored from an old copy (9.5), whatever the disk says.
 */
export function reestablishOf(record: BackupRecord): Extract<Message, { kind: 'reestablish' }> {
  const { channel, epoch, ownNonce, ownHash, proof } = record
  return { kind: 'reestablish', key: { channel, epoch }, sentNonce: ownNonce, sentHash: ownHash, seenNonce: proof?.nonce ?? 0n, seenHash: proof?.extra ?? ZERO_HASH }
}

function backupDigest(domain: Domain, owner: Address, counter: bigint, body: Uint8Array): Uint8Array {
  return hasherOf(domain).digest(BACKUP_712, [owner, counter, keccak_256(body)])
}

function recordBytes(record: BackupRecord): Uint8Array {
  const { proof } = record
  return concatBytes(
    bytesOf(record.channel),
    uint(record.epoch, 8),
    bytesOf(record.token),
    bytesOf(record.partner),
    uint(record.ownNonce, 8),
    bytesOf(record.ownHash),
    uint(record.ownTransferred, 32),
    bytesOf(record.ownLocksroot),
    uint(proof?.nonce ?? 0n, 8),
    uint(proof?.transferred ?? 0n, 32),
    bytesOf(proof?.locksroot ?? ZERO_HASH),
    bytesOf(proof?.extra ?? ZERO_HASH),
    proof?.signature ?? new Uint8Array(SIGNATURE_BYTES),
  )
}

function readRecord(bytes: Uint8Array): BackupRecord {
  let at = 0
  const take = (length: number): Uint8Array => bytes.slice(at, (at += length))
  const hex = (length: number): Hash => hexOf(take(length))
  const number = (length: number): bigint => BigInt(hex(length))
  const [channel, epoch, token, partner]: [Hash, bigint, Address, Address] = [hex(32), number(8), hex(20), hex(20)]
  const [ownNonce, ownHash, ownTransferred, ownLocksroot] = [number(8), hex(32), number(32), hex(32)]
  const [nonce, transferred, locksroot, extra, signature] = [number(8), number(32), hex(32), hex(32), take(SIGNATURE_BYTES)]
  const proof = nonce === 0n ? null : { channel, epoch, nonce, transferred, locksroot, extra, signature }
  return { channel, epoch, token, partner, ownNonce, ownHash, ownTransferred, ownLocksroot, proof }
}

function uint(value: bigint, length: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * length) > 0n) throw inputError('backup.number', value, `an unsigned number of ${length} bytes`)
  return bytesOf(`0x${value.toString(16).padStart(2 * length, '0')}`)
}
