/**
 * Project Wycheproof's vectors for ECDSA with secp256k1 and SHA-256 in Bitcoin's variant (low s only), as
 * libsecp256k1's own source package carries them; they are read from the fetched sources and not kept here.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../../scripts/native/fetch.ts'
import { ADDONS } from '../../../scripts/native/targets.ts'
import { concatBytes, fromHex } from '../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { builtAddon } from './built-addon.ts'
import { bytes32 } from './scalars.ts'

interface Vectors {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly publicKey: { readonly uncompressed: string }
    readonly tests: readonly { readonly tcId: number; readonly comment: string; readonly msg: string; readonly sig: string; readonly result: 'valid' | 'invalid' }[]
  }[]
}

let vectors: Vectors
let native: Secp256k1
beforeAll(async () => {
  native = loadSecp256k1(await builtAddon())
  const source = ADDONS.find((addon) => addon.name === 'secp256k1')?.library?.source
  if (source === undefined) throw new Error('secp256k1 has no library')
  vectors = JSON.parse(readFileSync(join(await sourcesOf(source), 'src/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json'), 'utf8')) as Vectors
})

describe('Wycheproof', () => {
  it('every vector, native and noble', () => {
    let [seen, valid] = [0, 0]
    for (const group of vectors.testGroups)
      for (const test of group.tests) {
        seen++
        const compact = compactOf(fromHex(test.sig))
        const digest = Uint8Array.from(createHash('sha256').update(fromHex(test.msg)).digest())
        for (const x of [native, loadSecp256k1(null)]) {
          const accepted = compact !== null && x.verify(digest, compact, fromHex(group.publicKey.uncompressed))
          expect(accepted, `${x.backend} ${test.tcId}: ${test.comment}`).toBe(test.result === 'valid')
        }
        if (test.result === 'valid') valid++
      }
    expect(seen).toBe(vectors.numberOfTests)
    expect(valid).toBeGreaterThan(100)
  })
})

/** r ‖ s of a strict DER signature (X.690, 8.1 and 8.3); null for any other text, or numbers above 256 bits. */
function compactOf(der: Uint8Array): Uint8Array | null {
  const integer = (at: number): { value: bigint; end: number } | null => {
    const length = der[at + 1] ?? 0
    const digits = der.subarray(at + 2, at + 2 + length)
    const [first = 0, second = 0] = digits
    if (der[at] !== 2 || length < 1 || length > 33 || digits.length !== length || first >= 0x80) return null
    if (length > 1 && first === 0 && second < 0x80) return null
    const value = BigInt(`0x${Buffer.from(digits).toString('hex')}`)
    return value >= 2n ** 256n ? null : { value, end: at + 2 + length }
  }
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return null
  const r = integer(2)
  const s = r === null ? null : integer(r.end)
  return r === null || s === null || s.end !== der.length ? null : concatBytes(bytes32(r.value), bytes32(s.value))
}
