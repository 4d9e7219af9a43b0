/** The index of a feed: Packages, Packages.gz, and Packages.sig over Packages (docs/packages.md). */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { readIpk } from './read-ipk.ts'
import { signatureText, type SigningKey } from './usign.ts'

export interface FeedIndex {
  readonly packages: string
  readonly compressed: Buffer
  readonly signature: string
}

/** `files`: file name → bytes of each ipk. The same files and key give the same bytes. */
export function indexFeed(files: ReadonlyMap<string, Buffer>, key: SigningKey): FeedIndex {
  const texts = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => entryText(name, bytes))
  const packages = texts.map((text) => `${text}\n`).join('')
  const compressed = gzipSync(packages, { level: 9 })
  compressed.writeUInt32LE(0, 4)
  compressed[9] = 3
  return { packages, compressed, signature: signatureText(key, Buffer.from(packages)) }
}

/** The package's own control text, with where it lies and what it must be, before the description. */
function entryText(name: string, bytes: Buffer): string {
  const { controlText } = readIpk(bytes)
  const place = `Filename: ${name}\nSize: ${bytes.length}\nSHA256sum: ${createHash('sha256').update(bytes).digest('hex')}\n`
  const at = controlText.search(/^Description: /m)
  const [head, tail] = at < 0 ? [`${controlText}\n`, ''] : [controlText.slice(0, at), `${controlText.slice(at)}\n`]
  return head + place + tail
}
