/**
 * The guest's key, made and used in the page alone: 128 bits of entropy → 12 words (BIP-39, English) → key at
 * m/44'/60'/0'/0/0 (BIP-32, BIP-44), so that any wallet restores it. No `crypto.subtle`: a page that came by plain
 * HTTP has none, so the arithmetic is in the script.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'

export const ENTROPY_BYTES = 16
const HARDENED = 0x8000_0000
const PATH = [HARDENED + 44, HARDENED + 60, HARDENED, 0, 0]
const ORDER = secp256k1.Point.Fn.ORDER
const MAX_TYPED = 400

export interface WalletKey {
  readonly entropy: Uint8Array
  readonly words: readonly string[]
  /** EIP-55. */
  readonly address: string
  /** EIP-191 personal message: 0x and 130 hex digits, r‖s‖v. */
  sign(text: string): string
  /** The same of a digest, 32 bytes. */
  signDigest(digest: Uint8Array): string
}

/** Throws if the browser has no random numbers: then there must be no key. */
export function newEntropy(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES))
}

/** The private key, 32 bytes: for signatures of other forms than `WalletKey.sign`. */
export function secretOf(entropy: Uint8Array): Uint8Array {
  return derive(mnemonicToSeedSync(entropyToMnemonic(entropy, wordlist)))
}

export function keyOf(entropy: Uint8Array): WalletKey {
  const phrase = entropyToMnemonic(entropy, wordlist)
  const secret = secretOf(entropy)
  const signDigest = (digest: Uint8Array): string => {
    const recovered = secp256k1.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' })
    const v = 27 + (recovered[0] ?? 0)
    return `0x${hex(recovered.subarray(1))}${v.toString(16)}`
  }
  return {
    entropy,
    words: phrase.split(' '),
    address: checksummed(keccak_256(secp256k1.getPublicKey(secret, false).subarray(1)).subarray(12)),
    sign: (text) => signDigest(textDigest(text)),
    signDigest,
  }
}

/** Of typed words in any spacing and letter case; null if they are not the 12 words of a key. */
export function entropyOfWords(typed: string): Uint8Array | null {
  const words = typed.slice(0, MAX_TYPED).normalize('NFKD').toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length !== 12 || typed.length > MAX_TYPED) return null
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch {
    return null // a word that is not on the list, or the check bits do not fit
  }
}

/** BIP-32, private parent to private child. Throws for one seed in 2^127, which has no key at this path. */
function derive(seed: Uint8Array): Uint8Array {
  let node = hmac(sha512, ascii('Bitcoin seed'), seed)
  for (const index of PATH) {
    const key = node.subarray(0, 32)
    const data = new Uint8Array(37)
    if (index >= HARDENED) data.set(key, 1)
    else data.set(secp256k1.getPublicKey(key, true))
    new DataView(data.buffer).setUint32(33, index)
    const step = hmac(sha512, node.subarray(32), data)
    const tweak = number(step.subarray(0, 32))
    const child = (tweak + number(key)) % ORDER
    if (tweak >= ORDER || child === 0n) throw new Error('these words have no key')
    const next = new Uint8Array(64)
    next.set(bytes32(child))
    next.set(step.subarray(32), 32)
    node = next
  }
  return node.subarray(0, 32)
}

function textDigest(text: string): Uint8Array {
  const body = new TextEncoder().encode(text)
  const head = ascii(`\x19Ethereum Signed Message:\n${body.length}`)
  const whole = new Uint8Array(head.length + body.length)
  whole.set(head)
  whole.set(body, head.length)
  return keccak_256(whole)
}

function checksummed(address: Uint8Array): string {
  const digits = hex(address)
  const hash = hex(keccak_256(ascii(digits)))
  return `0x${Array.from(digits, (digit, at) => (parseInt(hash.charAt(at), 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes)}`)
}

function bytes32(value: bigint): Uint8Array {
  const digits = value.toString(16).padStart(64, '0')
  return Uint8Array.from({ length: 32 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16))
}
