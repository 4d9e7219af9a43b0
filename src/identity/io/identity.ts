/**
 * The box's key, from its file or, on the first start, from the kernel's randomness. The 16 bytes it was
 * made of are kept beside it until the owner has seen them as words, once.
 */
import { join } from 'node:path'
import { MeshBoxError, fromHex, inputError, toHex } from '../../base/index.ts'
import type { Log, Randomness } from '../../base/index.ts'
import { addressOf, compressPublicKey } from '../address.ts'
import { textDigest } from '../personal-message.ts'
import { entropyOf, privateKeyOf, wordsOf } from '../recovery-words.ts'
import { decodeRecord, encodeRecord } from '../secret-record.ts'
import { nobleSigner } from '../signer.ts'
import { derivedSecret } from '../derived-secret.ts'
import type { CurveBackend, Identity, SecretPurpose, Signer } from '../types.ts'
import { IDENTITY_FILE, RESTORED_MARK, prepareFolder, readSecretFile, writeSecretFile } from './secret-file.ts'

export interface IdentityOptions {
  /** Folder of the box's secrets. */
  readonly dataDir: string
  readonly randomness: Randomness
  readonly log: Log
  /** Default: nobleSigner. */
  readonly signer?: Signer
}

const FORMAT = 'meshbox-identity-1'
const FIELDS = ['address', 'publicKey', 'privateKey', 'entropy'] as const
const ENTROPY_BYTES = 16
const WORD_COUNTS = [12, 15, 18, 21, 24]
const DIGEST_BYTES = 32
const WHAT_TO_DO = 'Put a copy of it back; or move it away and restore the box by its recovery words. A new identity is not made as long as it lies there'

interface KeyMaterial {
  readonly address: string
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
  /** Null once the words have been shown. */
  readonly entropy: Uint8Array | null
}

/**
 * Opens the box's identity; makes one if there is no file.
 * Errors: unavailable `secret-damaged` (never answered with a new identity), `secret-unavailable`.
 */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const path = join(options.dataDir, IDENTITY_FILE)
  const signer = options.signer ?? nobleSigner
  await prepareFolder(options.dataDir, options.log)
  const text = await readSecretFile(path, options.log)
  if (text !== null) return new BoxIdentity(path, signer, decodeKey(text, path))
  const entropy = options.randomness.bytes(ENTROPY_BYTES)
  const key = await makeKey(entropy, entropy, signer)
  await writeSecretFile(path, encodeKey(key), { replace: false })
  options.log.info('made the identity of this box', { address: key.address })
  return new BoxIdentity(path, signer, key)
}

/**
 * Gives a new box the identity that these BIP-39 words stand for. Whoever types them has them, so they are
 * not kept. Errors: input `words`, conflict `secret-exists` (the box has an identity).
 */
export async function restoreIdentity(options: Omit<IdentityOptions, 'randomness'> & { readonly words: string | readonly string[] }): Promise<Identity> {
  const path = join(options.dataDir, IDENTITY_FILE)
  const signer = options.signer ?? nobleSigner
  const key = await makeKey(entropyOf(options.words, WORD_COUNTS), null, signer)
  await prepareFolder(options.dataDir, options.log)
  await writeSecretFile(path, encodeKey(key), { replace: false })
  await writeSecretFile(join(options.dataDir, RESTORED_MARK), '', { replace: true })
  options.log.info('restored the identity of this box', { address: key.address })
  return new BoxIdentity(path, signer, key)
}

class BoxIdentity implements Identity {
  readonly address: string
  readonly #path: string
  readonly #signer: Signer
  readonly #publicKey: Uint8Array
  readonly #privateKey: Uint8Array
  #entropy: Uint8Array | null

  constructor(path: string, signer: Signer, key: KeyMaterial) {
    this.address = key.address
    this.#path = path
    this.#signer = signer
    this.#publicKey = key.publicKey
    this.#privateKey = key.privateKey
    this.#entropy = key.entropy
  }

  get publicKey(): Uint8Array {
    return this.#publicKey.slice()
  }

  get backend(): CurveBackend {
    return this.#signer.backend
  }

  get recoveryWordsShown(): boolean {
    return this.#entropy === null
  }

  signDigest(digest: Uint8Array): Uint8Array {
    if (digest.length !== DIGEST_BYTES) throw inputError('digest', `${digest.length} bytes`, '32 bytes')
    return this.#signer.sign(digest, this.#privateKey)
  }

  signText(text: string): Uint8Array {
    return this.signDigest(textDigest(text))
  }

  deriveSecret(purpose: SecretPurpose): Uint8Array {
    return derivedSecret(this.#privateKey, purpose)
  }

  addressFor(purpose: SecretPurpose): string {
    return addressOf(this.#signer.publicKeyOf(this.deriveSecret(purpose)))
  }

  async revealRecoveryWords(): Promise<string[]> {
    const entropy = this.#entropy
    if (entropy === null)
      throw new MeshBoxError('conflict', 'the recovery words were shown already; they are shown once and kept nowhere', { code: 'words-already-shown' })
    // Taken at once, so that of two who ask at the same time one gets them.
    this.#entropy = null
    try {
      await this.#checkWordsFit(entropy)
      const withoutEntropy = { address: this.address, publicKey: this.#publicKey, privateKey: this.#privateKey, entropy: null }
      await writeSecretFile(this.#path, encodeKey(withoutEntropy), { replace: true })
    } catch (thrown) {
      this.#entropy = entropy
      throw thrown
    }
    const words = wordsOf(entropy)
    entropy.fill(0)
    return words
  }

  /** Words that restore another address would be worse than none. */
  async #checkWordsFit(entropy: Uint8Array): Promise<void> {
    const { address } = await makeKey(entropy, null, this.#signer)
    if (address !== this.address)
      throw new MeshBoxError('internal', 'the recovery words on disk do not belong to this box\'s key', { code: 'words-do-not-fit' })
  }
}

async function makeKey(entropy: Uint8Array, kept: Uint8Array | null, signer: Signer): Promise<KeyMaterial> {
  const privateKey = await privateKeyOf(entropy)
  const publicKey = signer.publicKeyOf(privateKey)
  return { address: addressOf(publicKey), publicKey: compressPublicKey(publicKey), privateKey, entropy: kept }
}

function encodeKey(key: KeyMaterial): string {
  return encodeRecord(FORMAT, {
    address: key.address,
    publicKey: toHex(key.publicKey),
    privateKey: toHex(key.privateKey),
    entropy: key.entropy === null ? '' : toHex(key.entropy),
  })
}

function decodeKey(text: string, path: string): KeyMaterial {
  const { address, publicKey, privateKey, entropy } = decodeRecord(text, FORMAT, FIELDS, path, WHAT_TO_DO)
  return { address, publicKey: fromHex(publicKey), privateKey: fromHex(privateKey), entropy: entropy === '' ? null : fromHex(entropy) }
}
