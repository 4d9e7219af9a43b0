/**
 * secp256k1 where its rules change: both backends must give the very same answers and errors, and the ones
 * that the standards name are spelt out.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { concatBytes, fromHex, toHex, utf8 } from '../../../src/base/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { FRAME_BYTES, MAX_BATCH_BYTES, MAX_BATCH_FRAMES } from '../../../src/native/secp256k1.ts'
import type { HighS, PointForm, Secp256k1 } from '../../../src/native/index.ts'
import { builtAddon } from './built-addon.ts'
import { outcome, outcomeLater } from './outcome.ts'
import { EDGE_SCALARS, ORDER, PRIME, bytes32, numberOf } from './scalars.ts'

const noble = loadSecp256k1(null)
let native: Secp256k1
beforeAll(async () => {
  native = loadSecp256k1(await builtAddon())
})

const KEY = bytes32(0x4646464646464646464646464646464646464646464646464646464646464646n)
const DIGEST = noble.keccak256(utf8('a message'))
const SIGNATURE = noble.sign(DIGEST, KEY)
const PUBLIC_KEY = noble.publicKeyOf(KEY)
const BASE_POINT = noble.publicKeyOf(bytes32(1n))
const scalars = Object.values(EDGE_SCALARS)
const highSides: readonly HighS[] = ['refuse', 'accept']
const forms: readonly PointForm[] = ['compressed', 'uncompressed']

function negated(point: Uint8Array): Uint8Array {
  return concatBytes(point.subarray(0, 33), bytes32(PRIME - numberOf(point.subarray(33))))
}

function with0(first: number, rest: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(first), rest)
}

const EDGE_POINTS: Readonly<Record<string, Uint8Array>> = {
  compressed: noble.publicKeyOf(KEY, 'compressed'),
  uncompressed: PUBLIC_KEY,
  base: BASE_POINT,
  'minus base': negated(BASE_POINT),
  'x not on the curve': with0(2, bytes32(5n)),
  'x = 0': with0(2, bytes32(0n)),
  'x = p': with0(2, bytes32(PRIME)),
  // 1 is the x of a point, so p + 1 would be the same point written a second time
  'x = p + 1': with0(3, bytes32(PRIME + 1n)),
  'x = all ones': with0(2, bytes32(2n ** 256n - 1n)),
  'y of another': concatBytes(PUBLIC_KEY.subarray(0, 33), BASE_POINT.subarray(33)),
  'y + p': concatBytes(PUBLIC_KEY.subarray(0, 33), bytes32(2n ** 256n - 1n)),
  'all zero': new Uint8Array(65),
  'all zero, short': new Uint8Array(33),
  'hybrid 06': with0(6, PUBLIC_KEY.subarray(1)),
  'hybrid 07': with0(7, PUBLIC_KEY.subarray(1)),
  '04, short': with0(4, PUBLIC_KEY.subarray(1, 33)),
  '02, long': with0(2, PUBLIC_KEY.subarray(1)),
  '05, long': with0(5, PUBLIC_KEY.subarray(1)),
  '00, short': with0(0, PUBLIC_KEY.subarray(1, 33)),
}
const points = Object.values(EDGE_POINTS)

function same(call: (x: Secp256k1) => unknown, about: string): unknown {
  const expected = outcome(() => call(noble))
  expect(outcome(() => call(native)), about).toEqual(expected)
  return expected
}

describe('the same answers from both', () => {
  it('private keys and digests at the edges', () => {
    for (const [name, scalar] of Object.entries(EDGE_SCALARS)) {
      expect(same((x) => x.isPrivateKey(scalar), name)).toBe(numberOf(scalar) > 0n && numberOf(scalar) < ORDER)
      for (const form of forms) same((x) => x.publicKeyOf(scalar, form), name)
      same((x) => x.negatePrivateKey(scalar), name)
      same((x) => x.sign(scalar, KEY), `digest ${name}`)
      same((x) => x.sign(DIGEST, scalar), `key ${name}`)
      for (const other of scalars) {
        same((x) => x.addToPrivateKey(scalar, other), `${name} + ${toHex(other)}`)
        same((x) => x.multiplyPrivateKey(scalar, other), `${name} · ${toHex(other)}`)
      }
    }
  })

  it('points at the edges, in every function that takes one', () => {
    for (const [name, point] of Object.entries(EDGE_POINTS)) {
      for (const form of forms) same((x) => x.convertPublicKey(point, form), name)
      same((x) => x.verify(DIGEST, SIGNATURE.subarray(0, 64), point), name)
      same((x) => x.sharedX(point, KEY), name)
      same((x) => x.sharedSecret(point, KEY), name)
      for (const scalar of scalars) {
        same((x) => x.multiplySecret(point, scalar), `${name} · ${toHex(scalar)}`)
        same((x) => x.multiplyPublicKey(point, scalar, 'compressed'), `${name} · ${toHex(scalar)}`)
        same((x) => x.addToPublicKey(point, scalar), `${name} + ${toHex(scalar)} G`)
      }
    }
    const long = points.filter((point) => point.length === 65)
    for (const one of long) for (const other of long) for (const form of forms) same((x) => x.combinePublicKeys(concatBytes(one, other), form), `${toHex(one)} + ${toHex(other)}`)
    same((x) => x.combinePublicKeys(BASE_POINT), 'one point')
    same((x) => x.combinePublicKeys(concatBytes(...Array.from({ length: 64 }, () => BASE_POINT))), '64 points')
  })

  it('signatures at the edges', () => {
    for (const r of [...scalars, SIGNATURE.slice(0, 32)])
      for (const s of [...scalars, SIGNATURE.slice(32, 64)])
        for (const highS of highSides) {
          const compact = concatBytes(r, s)
          same((x) => x.verify(DIGEST, compact, PUBLIC_KEY, highS), toHex(compact))
          for (const v of [0, 1, 2, 27, 28, 29]) {
            const about = `${toHex(compact)} ${v} ${highS}`
            const key = same((x) => x.recover(DIGEST, concatBytes(compact, Uint8Array.of(v)), highS), about)
            if (v === 0 || v === 28) expect(outcome(() => native.recoverAddress(DIGEST, concatBytes(compact, Uint8Array.of(v)), highS)), about).toEqual(outcome(() => noble.recoverAddress(DIGEST, concatBytes(compact, Uint8Array.of(v)), highS)))
            if (v === 2 || v === 29) expect(key, about).toBeNull()
          }
        }
  })

  it('digests at the edges, verified and recovered', () => {
    for (const [name, digest] of Object.entries(EDGE_SCALARS)) {
      const signature = native.sign(digest, KEY)
      for (const other of scalars) {
        same((x) => x.verify(other, signature.subarray(0, 64), PUBLIC_KEY), name)
        same((x) => x.recover(other, signature), name)
      }
    }
  })

  it('every length and kind of thing in place of bytes', () => {
    const detached = new Uint8Array(32)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    const things: unknown[] = [undefined, null, 0, 32, 'text', Symbol.iterator, {}, [], [1, 2, 3], new Array(32).fill(1), new ArrayBuffer(32), new DataView(new ArrayBuffer(32))]
    things.push(new Uint16Array(16), new Uint8ClampedArray(32), new Int8Array(32), { length: 32 }, () => 32, detached)
    for (const length of [0, 1, 31, 32, 33, 34, 63, 64, 65, 66, 97, 161, 162]) things.push(new Uint8Array(length), Buffer.alloc(length, 1))
    const calls = callsWith(things)
    for (const [name, call] of calls) same(call, name)
    expect(calls.length).toBeGreaterThan(1000)
  })

  it('bytes that are part of something larger, a Buffer, shared or resizable memory', () => {
    const wide = new Uint8Array(96)
    wide.set(DIGEST, 17)
    const shared = new Uint8Array(new SharedArrayBuffer(32))
    shared.set(DIGEST)
    const resizable = new Uint8Array(Reflect.construct(ArrayBuffer, [32, { maxByteLength: 64 }]) as ArrayBuffer)
    resizable.set(DIGEST)
    for (const digest of [wide.subarray(17, 49), Buffer.from(DIGEST), shared, resizable]) expect(same((x) => x.sign(digest, KEY), 'sign')).toBe(toHex(SIGNATURE))
    expect(same((x) => x.keccak256(new Uint8Array(0)), 'nothing')).toBe('c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  })

  it('batches, with frames that are nobody’s, and none at all', async () => {
    const high = bytes32(ORDER - numberOf(SIGNATURE.subarray(32, 64)))
    const highSignature = concatBytes(SIGNATURE.subarray(0, 32), high, Uint8Array.of(27 + (28 - (SIGNATURE[64] ?? 0))))
    const signatures = [SIGNATURE, highSignature, new Uint8Array(65), SIGNATURE.with(64, 4), SIGNATURE.with(3, 0)]
    const recoverFrames = concatBytes(...signatures.map((signature) => concatBytes(DIGEST, signature)))
    const verifyFrames = concatBytes(...signatures.flatMap((signature) => points.filter((p) => p.length === 65).map((point) => concatBytes(DIGEST, signature.subarray(0, 64), point))))
    for (const highS of highSides)
      for (const [name, call] of Object.entries<(x: Secp256k1, frames: Uint8Array) => [() => unknown, () => Promise<unknown>]>({
        recover: (x, frames) => [() => x.recoverBatch(frames, highS), () => x.recoverBatchInPool(frames, highS)],
        recoverAddress: (x, frames) => [() => x.recoverAddressBatch(frames, highS), () => x.recoverAddressBatchInPool(frames, highS)],
        recoverOneSigner: (x, frames) => [() => x.recoverOneSignerBatch(frames, highS), () => x.recoverOneSignerBatchInPool(frames, highS)],
        verify: (x, frames) => [() => x.verifyBatch(frames, highS), () => x.verifyBatchInPool(frames, highS)],
        sign: (x, frames) => [() => x.signBatch(frames, KEY), () => x.signBatchInPool(frames, KEY)],
        keccak: (x, frames) => [() => x.keccak256Batch(frames, 1), () => x.keccak256BatchInPool(frames, 1)],
      }))
        for (const frames of [name === 'verify' ? verifyFrames : name === 'sign' || name === 'keccak' ? concatBytes(...scalars) : recoverFrames, new Uint8Array(0)]) {
          const expected = outcome(call(noble, frames)[0])
          expect(outcome(call(native, frames)[0]), name).toEqual(expected)
          expect(await outcomeLater(call(native, frames)[1]), name).toEqual(expected)
          expect(await outcomeLater(call(noble, frames)[1]), name).toEqual(expected)
        }
    expect(toHex(native.recoverAddressBatch(recoverFrames))).toBe(`${toHex(native.recoverAddress(DIGEST, SIGNATURE) ?? new Uint8Array(0))}${'00'.repeat(80)}`)
  })

  it('a batch that is too large, or does not end with a frame', () => {
    same((x) => x.keccak256Batch(new Uint8Array(MAX_BATCH_FRAMES + 1), 1), 'frames')
    same((x) => x.keccak256Batch(new Uint8Array(MAX_BATCH_BYTES + 1), MAX_BATCH_BYTES + 1), 'stride')
    same((x) => x.recoverBatch(new Uint8Array(MAX_BATCH_BYTES + FRAME_BYTES.recover)), 'bytes')
    for (const stride of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '4', null, 2 ** 32, 2 ** 53]) same((x) => x.keccak256Batch(new Uint8Array(8), stride as number), `stride ${String(stride)}`)
    same((x) => x.keccak256Batch(new Uint8Array(9), 4), 'half a frame')
    for (const highS of ['accepted', '', true, null]) same((x) => x.recover(DIGEST, SIGNATURE, highS as HighS), `highS ${String(highS)}`)
    for (const form of ['short', '', true, null]) same((x) => x.convertPublicKey(PUBLIC_KEY, form as PointForm), `form ${String(form)}`)
  })
})

/** Every function with every one of its arguments replaced by every thing. */
function callsWith(things: readonly unknown[]): [string, (x: Secp256k1) => unknown][] {
  const right: Record<string, readonly unknown[]> = {
    isPrivateKey: [KEY],
    publicKeyOf: [KEY],
    sign: [DIGEST, KEY],
    verify: [DIGEST, SIGNATURE.slice(0, 64), PUBLIC_KEY],
    recover: [DIGEST, SIGNATURE],
    recoverAddress: [DIGEST, SIGNATURE],
    sharedSecret: [PUBLIC_KEY, KEY],
    sharedX: [PUBLIC_KEY, KEY],
    convertPublicKey: [PUBLIC_KEY],
    multiplySecret: [PUBLIC_KEY, KEY],
    addToPublicKey: [PUBLIC_KEY, KEY],
    multiplyPublicKey: [PUBLIC_KEY, KEY],
    combinePublicKeys: [PUBLIC_KEY],
    addToPrivateKey: [KEY, DIGEST],
    multiplyPrivateKey: [KEY, DIGEST],
    negatePrivateKey: [KEY],
    keccak256: [DIGEST],
    signBatch: [DIGEST, KEY],
    verifyBatch: [concatBytes(DIGEST, SIGNATURE.subarray(0, 64), PUBLIC_KEY)],
    recoverBatch: [concatBytes(DIGEST, SIGNATURE)],
    recoverAddressBatch: [concatBytes(DIGEST, SIGNATURE)],
    recoverOneSignerBatch: [concatBytes(DIGEST, SIGNATURE)],
    keccak256Batch: [DIGEST, 32],
  }
  return Object.entries(right).flatMap(([name, args]) =>
    args.flatMap((_, index) =>
      things.map((thing): [string, (x: Secp256k1) => unknown] => {
        const given = args.map((arg, at) => (at === index ? thing : arg))
        return [`${name} argument ${index}`, (x) => (x[name as keyof Secp256k1] as (...args: unknown[]) => unknown)(...given)]
      }),
    ),
  )
}

describe('what the standards say', () => {
  it('RFC 6979 with low s, and the address of EIP-155’s example', () => {
    for (const x of [native, noble]) {
      // key 1 and this digest: the widely published deterministic signature of "Satoshi Nakamoto"
      const digest = fromHex('a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e')
      expect(toHex(x.sign(digest, bytes32(1n))).slice(0, 128)).toBe(
        '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
      )
      expect(toHex(x.recoverAddress(DIGEST, SIGNATURE) ?? new Uint8Array(0))).toBe('9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f')
      expect(toHex(x.keccak256(utf8('abc')))).toBe('4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
    }
  })

  it('the twin with high s is taken only where that is asked for', () => {
    const twin = concatBytes(SIGNATURE.subarray(0, 32), bytes32(ORDER - numberOf(SIGNATURE.subarray(32, 64))), Uint8Array.of(55 - (SIGNATURE[64] ?? 0)))
    for (const x of [native, noble]) {
      expect(x.verify(DIGEST, twin.subarray(0, 64), PUBLIC_KEY)).toBe(false)
      expect(x.verify(DIGEST, twin.subarray(0, 64), PUBLIC_KEY, 'accept')).toBe(true)
      expect(x.recover(DIGEST, twin)).toBeNull()
      expect(x.recover(DIGEST, twin, 'accept')).toEqual(PUBLIC_KEY)
    }
  })

  it('a signature whose key would be infinity is nobody’s', () => {
    // R = G and s = digest: s R - digest G is infinity
    const s = bytes32(12345n)
    const signature = concatBytes(BASE_POINT.subarray(1, 33), s, Uint8Array.of(27 + ((BASE_POINT[64] ?? 0) & 1)))
    for (const x of [native, noble]) {
      expect(x.recover(s, signature)).toBeNull()
      expect(x.recover(bytes32(12346n), signature)).not.toBeNull()
    }
  })

  it('sums that end at infinity or zero are null', () => {
    for (const x of [native, noble]) {
      expect(x.combinePublicKeys(concatBytes(BASE_POINT, negated(BASE_POINT)))).toBeNull()
      expect(x.addToPublicKey(negated(BASE_POINT), bytes32(1n))).toBeNull()
      expect(x.addToPrivateKey(bytes32(ORDER - 1n), bytes32(1n))).toBeNull()
      expect(x.multiplyPublicKey(BASE_POINT, bytes32(0n))).toBeNull()
      expect(x.addToPublicKey(PUBLIC_KEY, bytes32(0n))).toEqual(PUBLIC_KEY)
    }
  })

  it('an error never quotes a private key', () => {
    for (const x of [native, noble]) {
      const text = JSON.stringify(outcome(() => x.sign(DIGEST, bytes32(ORDER + 0xabcdefn))))
      expect(text).toContain('privateKey')
      expect(text).not.toMatch(/abcd|bfd25e8c|186|255/)
    }
  })

  it('arguments of a batch in the pool may be changed at once', async () => {
    const digests = concatBytes(DIGEST, DIGEST)
    const key = KEY.slice()
    for (const x of [native, noble]) {
      const [d, k] = [digests.slice(), key.slice()]
      const pending = x.signBatchInPool(d, k)
      d.fill(0)
      k.fill(0)
      structuredClone(d.buffer, { transfer: [d.buffer] })
      expect(await pending).toEqual(concatBytes(SIGNATURE, SIGNATURE))
    }
  })
})
