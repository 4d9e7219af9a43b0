/** Bearer tokens for programs: for /metrics, and for the REST interface of Photon. Made once, in files that only the service's user can read. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MeshBoxError, asError, toBase64Url } from '../../base/index.ts'
import type { Randomness } from '../../base/index.ts'

const TOKEN_BYTES = 32

/** Errors: unavailable `metrics-token` when the file can be neither read nor made, or holds something else. */
export function openMetricsToken(dataDir: string, randomness: Randomness): string {
  return openToken(dataDir, 'metrics-token', randomness)
}

/** Whoever has it may do with the channels what the owner may. Errors: unavailable `photon-token`. */
export function openPhotonToken(dataDir: string, randomness: Randomness): string {
  return openToken(dataDir, 'photon-token', randomness)
}

function openToken(dataDir: string, name: string, randomness: Randomness): string {
  const path = join(dataDir, name)
  const failed = (why: string, cause?: unknown): MeshBoxError =>
    new MeshBoxError('unavailable', `${path}: ${why}`, { code: name, ...(cause === undefined ? {} : { cause }) })
  try {
    writeFileSync(path, `${toBase64Url(randomness.bytes(TOKEN_BYTES))}\n`, { mode: 0o600, flag: 'wx' })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(asError(thrown).message, thrown)
  }
  let token: string
  try {
    token = readFileSync(path, 'utf8').trim()
  } catch (thrown) {
    throw failed(asError(thrown).message, thrown)
  }
  if (!/^[\x21-\x7e]{16,256}$/.test(token)) throw failed('is not a token (16 to 256 printable characters); remove the file to have one made')
  return token
}
