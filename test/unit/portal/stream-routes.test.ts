/** What the wallet page asks besides frames: a key's balance, and what a code worth tokens does. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import type { GuestConsent } from '../../../src/hotspot/index.ts'
import { ScriptedDoor, TOKEN_PAYLOAD, TYPED_CODE, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask, post, type Reply } from './ask.ts'

const PAYER = `0x${'ab'.repeat(20)}`
const CONSENT: GuestConsent = { channel: `0x${'11'.repeat(32)}`, amount: '20', settleTimeout: 600, epoch: '1', validUntil: 3000, signature: `0x${'22'.repeat(65)}` }

let app: PortalApp
let door: ScriptedDoor
beforeAll(async () => {
  app = await startPortalApp({ walletScript: '/* a wallet */', stream: () => door })
})
afterAll(() => app.stop())
beforeEach(() => {
  door = new ScriptedDoor()
  app.desk.refusal = null
  app.desk.topUpAnswer = async () => ({ state: 'promised', amount: 20n, consent: null })
  app.desk.verbs.length = 0
  app.time.advance(120_000)
})
const topUp = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Reply> => post(app, '/wallet/top-up', fields, { Accept: 'application/json', ...headers })

describe('a balance', () => {
  it('is told of any key, in decimal text', async () => {
    door.owned = { hasChannel: true, spendable: 10n ** 30n, pending: 7n }
    const reply = await ask(app, { path: `/stream/${PAYER}.json` })
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.body)).toEqual({ hasChannel: true, spendable: (10n ** 30n).toString(), pending: '7', isChainReachable: true })
  })
  it.each(['0xAB', `${PAYER}0`, PAYER.toUpperCase(), `../${PAYER}`])('is not there for %s', async (payer) => {
    expect((await ask(app, { path: `/stream/${payer}.json` })).status).toBe(404)
  })
})

describe('a code worth tokens', () => {
  it('goes to the desk with the key, and its answer comes back', async () => {
    const reply = await topUp({ code: ` ${TYPED_CODE} `, address: PAYER })
    expect(JSON.parse(reply.body)).toEqual({ state: 'promised', amount: '20', consent: null })
    expect(app.desk.verbs).toEqual([{ verb: 'top-up', bearer: TYPED_CODE }])
  })
  it('whose channel must be opened comes back with what is to be signed, and goes with the signature', async () => {
    const { signature: _, ...terms } = CONSENT
    const seen: (GuestConsent | null)[] = []
    app.desk.topUpAnswer = async (_payer, consent) => {
      seen.push(consent)
      return consent === null ? { state: 'unsigned', amount: 20n, consent: { ...terms, amount: 20n, epoch: 1n } } : { state: 'promised', amount: 20n, consent: null }
    }
    const asked = JSON.parse((await topUp({ code: TYPED_CODE, address: PAYER })).body) as { consent: object }
    expect(asked).toEqual({ state: 'unsigned', amount: '20', consent: terms })
    expect(JSON.parse((await topUp({ code: TYPED_CODE, address: PAYER, consent: JSON.stringify({ ...asked.consent, signature: CONSENT.signature }) })).body)).toMatchObject({ state: 'promised' })
    expect(seen).toEqual([null, CONSENT])
  })
  it.each<[string, string, number]>([
    ['voucher-used', 'This voucher has already been used.', 409],
    ['not-tokens', 'This code is for time. Enter it on the start page.', 409],
    ['too-many-guesses', 'Too many wrong codes. Please wait: 30 seconds', 429],
  ])('that is refused (%s) is answered in the guest’s words', async (code, words, status) => {
    app.desk.refusal = new MeshBoxError(status === 429 ? 'limit' : 'conflict', 'x', { code, ...(status === 429 ? { retryAfterSeconds: 30 } : {}) })
    const reply = await topUp({ code: TYPED_CODE, address: PAYER })
    expect(reply.status).toBe(status)
    expect(JSON.parse(reply.body)).toMatchObject({ text: words })
  })
  it('needs a code, and a page of ours', async () => {
    expect(JSON.parse((await topUp({ code: ' ', address: PAYER })).body)).toMatchObject({ text: 'Please type the code on your voucher.' })
    expect((await topUp({ code: TYPED_CODE, address: PAYER, token: 'x'.repeat(24) })).status).toBe(403)
    expect((await topUp({ code: TYPED_CODE, address: PAYER }, { Origin: 'http://evil.example' })).status).toBe(403)
    expect(app.desk.verbs).toEqual([])
  })
  it('with a consent of any other form never reaches the desk', async () => {
    const broken = fc.oneof(
      fc.string({ maxLength: 700 }).filter((text) => text !== ''),
      fc.json({ maxDepth: 2 }),
      fc.record({ field: fc.constantFrom(...(Object.keys(CONSENT) as (keyof GuestConsent)[])), value: fc.oneof(fc.string(), fc.integer({ max: 0 }), fc.constant(null), fc.constant(1.5)) }).map(({ field, value }) => JSON.stringify({ ...CONSENT, [field]: value })),
    )
    await fc.assert(
      fc.asyncProperty(broken, async (consent) => {
        app.time.advance(5000)
        const reply = await topUp({ code: TYPED_CODE, address: PAYER, consent })
        expect(reply.status).toBe(400)
      }),
      { numRuns: 60 },
    )
    expect(app.desk.verbs).toEqual([])
  })
  it('that was scanned is led to the key, behind the #, and spends nothing', async () => {
    const reply = await ask(app, { path: `/v/${TOKEN_PAYLOAD}` })
    expect(reply.status).toBe(200)
    expect(reply.body).toContain(`href="/wallet#c=${TOKEN_PAYLOAD}"`)
    expect(reply.body).not.toContain('action="/redeem"')
    expect(app.desk.verbs).toEqual([])
  })
})
