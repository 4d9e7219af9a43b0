/**
 * BIP-39 words (English list) and the key a wallet makes of them: BIP-32, path m/44'/60'/0'/0/0 (BIP-44,
 * Ethereum, first account), empty passphrase. Typed into any wallet, they give the box's address.
 */
import { HDKey } from '@scure/bip32'
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedWebcrypto } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { MeshBoxError } from '../base/index.ts'

const KEY_PATH = "m/44'/60'/0'/0/0"
const MAX_TEXT = 400

export function wordsOf(entropy: Uint8Array): string[] {
  return entropyToMnemonic(entropy, wordlist).split(' ')
}

/**
 * The entropy of typed words, in whatever spacing and letter case; `counts` says how many are allowed. Throws input
 * `words`; its message names the place of a wrong word, never a word, because errors end up in logs.
 */
export function entropyOf(typed: string | readonly string[], counts: readonly number[]): Uint8Array {
  const text = typeof typed === 'string' ? typed : typed.slice(0, 25).join(' ')
  if (text.length > MAX_TEXT) throw wordsError(`${counts.join(' or ')} words are expected, this is too long`)
  const words = text.normalize('NFKD').toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (!counts.includes(words.length)) throw wordsError(`${counts.join(' or ')} words are expected, these are ${words.length}`)
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  if (unknown >= 0) throw wordsError(`word ${unknown + 1} is not on the list`)
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch (thrown) {
    throw wordsError('one of the words is wrong, or they are in the wrong order', thrown)
  }
}

/** The 32-byte private key. About 50 ms, most of it in the thread pool. */
export async function privateKeyOf(entropy: Uint8Array): Promise<Uint8Array> {
  const seed = await mnemonicToSeedWebcrypto(entropyToMnemonic(entropy, wordlist))
  const root = HDKey.fromMasterSeed(seed)
  const node = root.derive(KEY_PATH)
  const key = node.privateKey
  // BIP-32 leaves one in 2^127 seeds without a key at a path.
  if (!key) throw new MeshBoxError('internal', 'these words have no key; make others', { code: 'key-derivation-failed' })
  const copy = key.slice()
  seed.fill(0)
  root.wipePrivateData()
  node.wipePrivateData()
  return copy
}

function wordsError(what: string, cause?: unknown): MeshBoxError {
  return new MeshBoxError('input', `words: ${what}`, { code: 'bad-input', field: 'words', allowed: 'words of the English BIP-39 list, in order', cause })
}
