/** A backup for the browser: a copy of the books in a file of its own that is gone once it was sent. */
import { createReadStream, readdirSync, rmSync } from 'node:fs'
import type { ReadStream } from 'node:fs'
import { join } from 'node:path'
import { MeshBoxError, toHex } from '../../base/index.ts'
import type { Randomness } from '../../base/index.ts'
import type { Owner } from '../owner.ts'

const PREFIX = '.download-'

export class BackupDownload {
  readonly #owner: Owner
  readonly #folder: string
  readonly #randomness: Randomness
  #isRunning = false

  /** Removes what a power cut left behind. */
  constructor(owner: Owner, folder: string, randomness: Randomness) {
    this.#owner = owner
    this.#folder = folder
    this.#randomness = randomness
    for (const name of readdirSync(folder)) if (name.startsWith(PREFIX)) rmSync(join(folder, name), { force: true })
  }

  /** One at a time. Errors: limit `backup-running`; unavailable from the store. */
  async open(): Promise<{ stream: ReadStream; bytes: number }> {
    if (this.#isRunning) throw new MeshBoxError('limit', 'a backup is already being made', { code: 'backup-running', retryAfterSeconds: 5 })
    this.#isRunning = true
    const path = join(this.#folder, `${PREFIX}${toHex(this.#randomness.bytes(8))}.sqlite3`)
    const end = (): void => {
      rmSync(path, { force: true })
      this.#isRunning = false
    }
    try {
      const { bytes } = await this.#owner.backup(path)
      const stream = createReadStream(path)
      stream.once('close', end)
      return { stream, bytes }
    } catch (thrown) {
      end()
      throw thrown
    }
  }
}
