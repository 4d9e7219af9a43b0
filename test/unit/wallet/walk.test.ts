/** Time under a key that is at another box: what the page signs is what boxes check, and the routes by which it does. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { nobleSigner } from '../../../src/identity/signer.ts'
import { addressOf } from '../../../src/identity/address.ts'
import { createDocuments, encodeRoamClaim } from '../../../src/mesh/documents/index.ts'
import { keyOf } from '../../../src/web/wallet/key.ts'
import { walkDigest } from '../../../src/web/wallet/walk.ts'
import { startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask } from '../portal/ask.ts'

const key = keyOf(new Uint8Array(16).fill(1))
const BOX = `0x${'b0'.repeat(20)}` as const
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as const)
const walk = fc.record({ seller: address, claimant: address, sessionId: fc.string({ unit: fc.constantFrom(...'0123456789abcdefZ-'), minLength: 1, maxLength: 32 }), counter: fc.oneof(fc.constantFrom(0, 1, 127, 128, 255, 256, 2 ** 32), fc.nat()), isHere: fc.boolean() })

const documents = createDocuments(BOX, {
  keccak256: (bytes) => keccak_256(bytes),
  sign: () => new Uint8Array(65),
  recoverAddress: (digest, signature) => {
    const publicKey = nobleSigner.recover(digest, signature)
    return publicKey === null ? null : fromHex(addressOf(publicKey), 'address')
  },
})

it('what the page signs is a claim that boxes take for the key’s', () => {
  fc.assert(
    fc.property(walk, (each) => {
      const { seller, claimant, sessionId, counter } = each
      const payload = encodeRoamClaim({ form: 'move', seller, sessionId, counter, claimant })
      const signature = fromHex(key.signDigest(walkDigest(each)), 'signature')
      expect(documents.signer('roam-claim', payload, signature)).toBe(key.address.toLowerCase())
    }),
    { numRuns: 40 },
  )
})

let app: PortalApp
beforeAll(async () => {
  app = await startPortalApp({ walletScript: '/* a wallet */', isWalking: true })
})
afterAll(() => app.stop())

const send = (form: Record<string, string>) => ask(app, { method: 'POST', path: '/wallet/show', body: new URLSearchParams(form).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' } })

it('the page may ask its box, which says what is to be signed and takes it', async () => {
  const page = await ask(app, { path: '/wallet' })
  expect(String(page.headers['content-security-policy'])).toContain("connect-src 'self'")
  expect(page.body).toContain('id="walk-button"')
  app.desk.walks = [{ seller: BOX, claimant: BOX, sessionId: 's-1', counter: 4, isHere: false }]
  const told = await ask(app, { path: `/wallet/kept/${key.address.toLowerCase()}.json` })
  expect(told.status).toBe(200)
  const { walks, token } = JSON.parse(told.body) as { walks: { sessionId: string }[]; token: string }
  expect(walks).toEqual(app.desk.walks)
  app.desk.verbs.length = 0
  const signature = key.signDigest(walkDigest(app.desk.walks[0] ?? fail()))
  expect(await send({ token, session: 's-1', signature })).toMatchObject({ status: 200 })
  expect(app.desk.verbs).toEqual([{ verb: 'show', bearer: `s-1 ${signature.slice(2)}` }])
  app.desk.verbs.length = 0
  for (const [field, form] of [['session', { token, session: '../x', signature }], ['signature', { token, session: 's-1', signature: '0x12' }], ['token', { session: 's-1', signature }]] as const) {
    app.time.advance(10_000)
    expect(JSON.parse((await send(form)).body), field).toMatchObject({ error: expect.any(String) as string, field })
  }
  expect(app.desk.verbs).toEqual([])
})

it('where sessions do not walk the page asks nobody', async () => {
  const plain = await startPortalApp({ walletScript: '/* a wallet */' })
  const page = await ask(plain, { path: '/wallet' })
  expect(String(page.headers['content-security-policy'])).toContain("connect-src 'none'")
  expect(page.body).not.toContain('walk-button')
  await plain.stop()
})

function fail(): never {
  throw new Error('nothing to sign')
}
