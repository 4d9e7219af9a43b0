/** The owner's password: its scrypt hash in a file. Hashing takes 32 MiB, so it is done one at a time. */
import { join } from 'node:path'
import { MeshBoxError } from '../../base/index.ts'
import type { Log, Randomness } from '../../base/index.ts'
import { SALT_BYTES, checkNewPassword, hashPassword, isPassword, passwordFields, passwordFromFields } from '../password-hash.ts'
import type { PasswordHash } from '../password-hash.ts'
import { decodeRecord, encodeRecord } from '../secret-record.ts'
import type { OwnerPassword } from '../types.ts'
import { PASSWORD_FILE, prepareFolder, readSecretFile, writeSecretFile } from './secret-file.ts'

export interface OwnerPasswordOptions {
  /** Folder of the box's secrets. */
  readonly dataDir: string
  readonly randomness: Randomness
  readonly log: Log
}

const FORMAT = 'meshbox-password-1'
const FIELDS = ['n', 'r', 'p', 'salt', 'hash'] as const
/** Those who wait besides the one being checked. The door limits guesses; this limits memory. */
const MAX_WAITING = 4
const WHAT_TO_DO = 'Put a copy of it back; or, with access to the box itself, remove it and set a new password'

/** Errors: unavailable `secret-damaged` (never answered as if no password were set), `secret-unavailable`. */
export async function openOwnerPassword(options: OwnerPasswordOptions): Promise<OwnerPassword> {
  const path = join(options.dataDir, PASSWORD_FILE)
  await prepareFolder(options.dataDir, options.log)
  const text = await readSecretFile(path, options.log)
  return new FilePassword(path, options, text === null ? null : passwordFromFields(decodeRecord(text, FORMAT, FIELDS, path, WHAT_TO_DO)))
}

class FilePassword implements OwnerPassword {
  readonly #path: string
  readonly #options: OwnerPasswordOptions
  #stored: PasswordHash | null
  #last: Promise<unknown> = Promise.resolve()
  #pending = 0

  constructor(path: string, options: OwnerPasswordOptions, stored: PasswordHash | null) {
    this.#path = path
    this.#options = options
    this.#stored = stored
  }

  get isSet(): boolean {
    return this.#stored !== null
  }

  async set(password: string): Promise<void> {
    checkNewPassword(password)
    await this.#inTurn(async () => {
      const stored = await hashPassword(password, this.#options.randomness.bytes(SALT_BYTES))
      await writeSecretFile(this.#path, encodeRecord(FORMAT, passwordFields(stored)), { replace: true })
      this.#stored = stored
    })
    this.#options.log.info('the owner password was set')
  }

  verify(password: string): Promise<boolean> {
    return this.#inTurn(async () => this.#stored !== null && (await isPassword(password, this.#stored)))
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pending > MAX_WAITING)
      throw new MeshBoxError('limit', 'too many logins at the same moment; try again in a few seconds', { code: 'password-busy', retryAfterSeconds: 5 })
    this.#pending++
    const mine = this.#last.then(work)
    // The next in line does not care how this one ended; its caller does.
    this.#last = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      this.#pending--
    }
  }
}
