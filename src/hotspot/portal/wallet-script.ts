/** The wallet's script as it is served: from memory, compressed once, with a tag so that a phone fetches it once. */
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { inputError } from '../../base/index.ts'

export interface ServedScript {
  /** Made of the other when somebody asks for it. */
  readonly plain: Uint8Array
  readonly gzip: Uint8Array
  readonly etag: string
}

const MAX_GZIP_BYTES = 60_000

export function serveScript(text: string): ServedScript {
  const plain = new Uint8Array(Buffer.from(text))
  const gzip = new Uint8Array(gzipSync(plain, { level: 9 }))
  if (gzip.length > MAX_GZIP_BYTES) throw inputError('walletScript', `${gzip.length} bytes compressed`, `at most ${MAX_GZIP_BYTES}`)
  return { get plain() { return new Uint8Array(gunzipSync(gzip)) }, gzip, etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"` }
}
