/**
 * scrypt (RFC 7914) of the owner's password. N=2^15, r=8, p=1 costs whoever guesses 32 MiB and about 0.1 s
 * of a desktop core per try; on a router the owner waits about a second for a login. The parameters lie in
 * the record, so that a later version can raise them.
 */
import { scrypt } from 'node:crypto'
import { equalBytesConstantTime, fromHex, inputError, toHex } from '../base/index.ts'
import type { RecordFields } from './secret-record.ts'

const MIN_PASSWORD_LENGTH = 10
const MAX_PASSWORD_LENGTH = 256
export const SALT_BYTES = 16
const HASH_BYTES = 32
const COST = { n: 2 ** 15, r: 8, p: 1 }
/** OpenSSL refuses to take more than this; 128·N·r is 32 MiB. */
const MAX_MEMORY_BYTES = 48 * 1024 * 1024

export interface PasswordHash {
  readonly n: number
  readonly r: number
  readonly p: number
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** Throws input `password`, without showing it. Characters are counted as a person counts them, in NFKC. */
export function checkNewPassword(password: string): void {
  const length = lengthOf(password)
  if (length === null || length < MIN_PASSWORD_LENGTH)
    throw inputError('password', `one of ${length ?? 'too many'} characters`, `${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`)
}

export async function hashPassword(password: string, salt: Uint8Array): Promise<PasswordHash> {
  return { ...COST, salt, hash: await derive(password, salt, COST) }
}

export async function isPassword(password: string, stored: PasswordHash): Promise<boolean> {
  // No password of such a length was ever set, and hashing it would only cost memory.
  if (lengthOf(password) === null) return false
  return equalBytesConstantTime(await derive(password, stored.salt, stored), stored.hash)
}

export function passwordFields({ n, r, p, salt, hash }: PasswordHash): RecordFields {
  return { n: String(n), r: String(r), p: String(p), salt: toHex(salt), hash: toHex(hash) }
}

export function passwordFromFields(fields: Record<'n' | 'r' | 'p' | 'salt' | 'hash', string>): PasswordHash {
  return { n: Number(fields.n), r: Number(fields.r), p: Number(fields.p), salt: fromHex(fields.salt), hash: fromHex(fields.hash) }
}

/** Null if it is longer than any password may be. */
function lengthOf(password: string): number | null {
  if (password.length > 4 * MAX_PASSWORD_LENGTH) return null
  const length = [...password.normalize('NFKC')].length
  return length > MAX_PASSWORD_LENGTH ? null : length
}

function derive(password: string, salt: Uint8Array, { n, r, p }: { n: number; r: number; p: number }): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, { N: n, r, p, maxmem: MAX_MEMORY_BYTES }, (error, key) => {
      if (error) reject(error)
      else resolve(new Uint8Array(key))
    })
  })
}
