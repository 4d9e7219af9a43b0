/**
 * Lines of mosquitto's password file: `name:$7$<iterations>$<salt>$<hash>`, PBKDF2 with HMAC-SHA-512, a salt of 12 bytes, 64 bytes of key, both as
 * base64. The broker counts the iterations at each try to connect, on one thread; our passwords have 128 bits of chance, so few are
 * enough.
 */
import { pbkdf2 } from 'node:crypto'
import { equalBytesConstantTime, inputError, toBase64Url, utf8 } from '../../../base/index.ts'
import type { Randomness } from '../../../base/index.ts'

const SALT_BYTES = 12
const KEY_BYTES = 64
const ITERATIONS = 101
const MAX_ITERATIONS = 100_000

/** 128 bits, as text that can be typed. */
export function newPassword(randomness: Randomness): string {
  return toBase64Url(randomness.bytes(16))
}

/** `$7$…`. Errors: input `password` for less than 12 or more than 200 characters: few iterations ask for a long one. */
export async function hashPassword(password: string, randomness: Randomness): Promise<string> {
  if (password.length < 12 || password.length > 200) throw inputError('password', `${password.length} characters`, '12 to 200 characters')
  const salt = randomness.bytes(SALT_BYTES)
  const key = await derive(password, salt, ITERATIONS)
  return `$7$${ITERATIONS}$${base64(salt)}$${base64(key)}`
}

/** False also for what is no such hash. */
export async function isPasswordOf(hash: string, password: string): Promise<boolean> {
  const [, iterations, salt, key] = /^\$7\$(\d{1,6})\$([A-Za-z0-9+/]{1,88}={0,2})\$([A-Za-z0-9+/]{86}==)$/.exec(hash) ?? []
  if (iterations === undefined || salt === undefined || key === undefined || Number(iterations) < 1 || Number(iterations) > MAX_ITERATIONS) return false
  return equalBytesConstantTime(await derive(password, new Uint8Array(Buffer.from(salt, 'base64')), Number(iterations)), new Uint8Array(Buffer.from(key, 'base64')))
}

function derive(password: string, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => pbkdf2(utf8(password), salt, iterations, KEY_BYTES, 'sha512', (error, key) => (error ? reject(error) : resolve(new Uint8Array(key)))))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
