/**
 * Signatures as OpenWrt's usign and OpenBSD's signify write them: ed25519 over the whole file. All files are a comment
 * line and a line of base64:
 *
 * | file | bytes |
 * |---|---|
 * | public key | "Ed", key number (8), key (32) |
 * | secret key | "Ed", "BK", KDF rounds (4, here 0: no password), salt (16), first 8 of SHA-512 of the key, key number (8), seed and public key (64) |
 * | signature | "Ed", key number (8), signature (64) |
 */
import { createHash, randomBytes } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { PackageError } from './places.ts'

export interface SigningKey {
  readonly keyNumber: Buffer
  readonly seed: Buffer
  readonly publicKey: Buffer
}

const COMMENT = 'untrusted comment: '

export function newSigningKey(): SigningKey {
  return keyFrom(randomBytes(8), randomBytes(32))
}

/** Sixteen hex digits: the name a router keeps the public key under, in /etc/opkg/keys. */
export function keyName(key: SigningKey): string {
  return key.keyNumber.toString('hex')
}

/** `file` is only named in the message when the text is not a secret key. */
export function readSecretKey(text: string, file: string): SigningKey {
  const bytes = Buffer.from(text.split('\n')[1] ?? '', 'base64')
  const wrong = (what: string): PackageError => new PackageError(`${file}: ${what}; expected a secret key of usign or signify without password`)
  if (bytes.length !== 104 || bytes.toString('latin1', 0, 4) !== 'EdBK') throw wrong('not a secret key')
  if (bytes.readUInt32BE(4) !== 0) throw wrong('the key is locked with a password')
  const secret = bytes.subarray(40, 104)
  if (!createHash('sha512').update(secret).digest().subarray(0, 8).equals(bytes.subarray(24, 32))) throw wrong('its checksum is wrong')
  const key = keyFrom(bytes.subarray(32, 40), secret.subarray(0, 32))
  if (!key.publicKey.equals(secret.subarray(32))) throw wrong('its two halves do not belong together')
  return key
}

export function secretKeyText(key: SigningKey): string {
  const secret = Buffer.concat([key.seed, key.publicKey])
  const checksum = createHash('sha512').update(secret).digest().subarray(0, 8)
  return lines(`MeshBox feed, secret key ${keyName(key)}`, Buffer.concat([Buffer.from('EdBK'), Buffer.alloc(4), randomBytes(16), checksum, key.keyNumber, secret]))
}

export function publicKeyText(key: SigningKey): string {
  return lines(`MeshBox feed, public key ${keyName(key)}`, Buffer.concat([Buffer.from('Ed'), key.keyNumber, key.publicKey]))
}

export function signatureText(key: SigningKey, message: Buffer): string {
  const signature = ed25519.sign(message, key.seed)
  return lines(`signed by key ${keyName(key)}`, Buffer.concat([Buffer.from('Ed'), key.keyNumber, signature]))
}

function keyFrom(keyNumber: Buffer, seed: Buffer): SigningKey {
  return { keyNumber, seed, publicKey: Buffer.from(ed25519.getPublicKey(seed)) }
}

function lines(comment: string, bytes: Buffer): string {
  return `${COMMENT}${comment}\n${bytes.toString('base64')}\n`
}
