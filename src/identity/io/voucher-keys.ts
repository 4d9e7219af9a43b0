/** The owner's voucher keys: one 16-byte seed in a file, made on the first start or typed in from another box. */
import { join } from 'node:path'
import { MeshBoxError, equalBytesConstantTime, fromHex, toHex } from '../../base/index.ts'
import type { Log, Randomness } from '../../base/index.ts'
import { entropyOf, wordsOf } from '../recovery-words.ts'
import { decodeRecord, encodeRecord } from '../secret-record.ts'
import type { VoucherKeyring } from '../types.ts'
import { SEED_BYTES, voucherSecrets } from '../voucher-secrets.ts'
import type { VoucherSecrets } from '../voucher-secrets.ts'
import { VOUCHER_FILE, prepareFolder, readSecretFile, writeSecretFile } from './secret-file.ts'

export interface VoucherKeysOptions {
  /** Folder of the box's secrets. */
  readonly dataDir: string
  readonly randomness: Randomness
  readonly log: Log
}

const FORMAT = 'meshbox-voucher-1'
const WORD_COUNTS = [12]
const WHAT_TO_DO = 'Put a copy of it back; or move it away and enter the voucher words shown by another of your boxes. Vouchers printed under lost keys are void'

/** Errors: unavailable `secret-damaged`, `secret-unavailable`. */
export async function openVoucherKeys(options: VoucherKeysOptions): Promise<VoucherKeyring> {
  const path = join(options.dataDir, VOUCHER_FILE)
  await prepareFolder(options.dataDir, options.log)
  const text = await readSecretFile(path, options.log)
  if (text !== null) return new BoxVoucherKeys(path, options.log, fromHex(decodeRecord(text, FORMAT, ['seed'], path, WHAT_TO_DO).seed))
  const seed = options.randomness.bytes(SEED_BYTES)
  await writeSecretFile(path, encodeSeed(seed), { replace: false })
  options.log.info('made the voucher keys of this box')
  return new BoxVoucherKeys(path, options.log, seed)
}

class BoxVoucherKeys implements VoucherKeyring {
  readonly #path: string
  readonly #log: Log
  #seed: Uint8Array
  #secrets: VoucherSecrets

  constructor(path: string, log: Log, seed: Uint8Array) {
    this.#path = path
    this.#log = log
    this.#seed = seed
    this.#secrets = voucherSecrets(seed)
  }

  get publicKey(): Uint8Array {
    return this.#secrets.publicKey.slice()
  }

  sign(message: Uint8Array): Uint8Array {
    return this.#secrets.sign(message)
  }

  verify(signature: Uint8Array, message: Uint8Array): boolean {
    return this.#secrets.verify(signature, message)
  }

  mac(message: Uint8Array): Uint8Array {
    return this.#secrets.mac(message)
  }

  revealVoucherWords(): string[] {
    return wordsOf(this.#seed)
  }

  async adoptVoucherWords(words: string | readonly string[], mayReplace: boolean): Promise<void> {
    const seed = entropyOf(words, WORD_COUNTS)
    if (equalBytesConstantTime(seed, this.#seed)) return
    if (!mayReplace)
      throw new MeshBoxError('conflict', 'vouchers were printed under the keys this box has; other keys would make them void', { code: 'voucher-keys-in-use' })
    await writeSecretFile(this.#path, encodeSeed(seed), { replace: true })
    this.#seed = seed
    this.#secrets = voucherSecrets(seed)
    this.#log.warn('took over the voucher keys of another box; vouchers printed here before are void')
  }
}

function encodeSeed(seed: Uint8Array): string {
  return encodeRecord(FORMAT, { seed: toHex(seed) })
}
