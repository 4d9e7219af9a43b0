/** Signed forms of guests' keys: who is believed, and how much work a liar can cause. */
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { CHALLENGE_MS, MAX_REMEMBERED } from '../../../src/hotspot/wallet/challenges.ts'
import { WalletCheck, type SignedForm, type WalletAction } from '../../../src/hotspot/wallet/index.ts'
import { SIGNATURES_OVERALL, SIGNATURES_PER_DEVICE } from '../../../src/hotspot/wallet/wallet-check.ts'
import { walletStatement } from '../../../src/hotspot/wallet/statement.ts'
import { keyOf, type WalletKey } from '../../../src/web/wallet/key.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { SIGNERS } from '../identity/signers.ts'

const HOST = 'wifi.example:2080'
const MAC = '02:00:00:00:00:01'
const OTHER_MAC = '02:00:00:00:00:02'
const anna = keyOf(new Uint8Array(16).fill(1))
const ben = keyOf(new Uint8Array(16).fill(2))

let time: FakeTime
let check: WalletCheck
beforeEach(() => {
  time = new FakeTime()
  check = new WalletCheck({ clock: time, randomness: seededRandom(3) })
})

function signed(key: WalletKey, challenge: string, action: WalletAction = 'keep', host = HOST): SignedForm {
  return { challenge, address: key.address, signature: key.sign(walletStatement(host, action, challenge)) }
}
const code = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof MeshBoxError) return error.code
    throw error
  }
  return 'believed'
}

describe('a signed form', () => {
  it('is believed, and tells the address by its checksum', () => {
    const form = signed(anna, check.challenge(MAC, 'keep'))
    expect(check.verify(MAC, HOST, 'keep', { ...form, address: form.address.toLowerCase() })).toBe(anna.address)
  })
  it.each(SIGNERS)('is checked by %s where it is handed in, and its twin with v of 0 or 1 by none', (_name, signer) => {
    let asked = 0
    const counting = { recover: (digest: Uint8Array, bytes: Uint8Array) => (asked++, signer.recover(digest, bytes)) }
    const own = new WalletCheck({ clock: time, randomness: seededRandom(3), signer: counting })
    const form = signed(anna, own.challenge(MAC, 'keep'))
    expect(own.verify(MAC, HOST, 'keep', form)).toBe(anna.address)
    expect(asked).toBe(1)
    const twin = signed(anna, own.challenge(MAC, 'keep'))
    const v = Number.parseInt(twin.signature.slice(-2), 16) - 27
    expect(code(() => own.verify(MAC, HOST, 'keep', { ...twin, signature: `${twin.signature.slice(0, -2)}0${v}` }))).toBe('bad-signature')
  })
  it('counts once', () => {
    const form = signed(anna, check.challenge(MAC, 'keep'))
    check.verify(MAC, HOST, 'keep', form)
    expect(code(() => check.verify(MAC, HOST, 'keep', form))).toBe('page-old')
  })
  it('counts once even if it was wrong the first time', () => {
    const challenge = check.challenge(MAC, 'keep')
    expect(code(() => check.verify(MAC, HOST, 'keep', { ...signed(ben, challenge), address: anna.address }))).toBe('bad-signature')
    expect(code(() => check.verify(MAC, HOST, 'keep', signed(anna, challenge)))).toBe('page-old')
  })
  it('is stale after ten minutes, by the boot clock and not by the wall clock', () => {
    const challenge = check.challenge(MAC, 'keep')
    time.jumpWall(10 * 365 * 86_400_000)
    time.advance(CHALLENGE_MS)
    expect(check.verify(MAC, HOST, 'keep', signed(anna, challenge))).toBe(anna.address)
    const late = check.challenge(MAC, 'keep')
    time.advance(CHALLENGE_MS + 1)
    expect(code(() => check.verify(MAC, HOST, 'keep', signed(anna, late)))).toBe('page-old')
  })
  it('is of use to no other device, no other action, no other box and no other Wi-Fi', () => {
    const mine = check.challenge(MAC, 'keep')
    expect(code(() => check.verify(OTHER_MAC, HOST, 'keep', signed(anna, mine)))).toBe('page-old')
    expect(code(() => check.verify(MAC, HOST, 'open', signed(anna, mine, 'open')))).toBe('page-old')
    const elsewhere = new WalletCheck({ clock: time, randomness: seededRandom(4) })
    expect(code(() => elsewhere.verify(MAC, HOST, 'keep', signed(anna, mine)))).toBe('page-old')
    expect(code(() => check.verify(MAC, HOST, 'keep', signed(anna, mine, 'keep', 'evil.example')))).toBe('bad-signature')
    const again = check.challenge(MAC, 'open')
    expect(code(() => check.verify(MAC, HOST, 'open', signed(anna, again, 'keep')))).toBe('bad-signature')
  })
  it('is not believed when a bit of it is another', () => {
    fc.assert(
      fc.property(fc.nat({ max: 239 }), (bit) => {
        const bytes = Buffer.from(check.challenge(MAC, 'keep'), 'base64url')
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(code(() => check.verify(MAC, HOST, 'keep', signed(anna, bytes.toString('base64url'))))).toBe('page-old')
      }),
      { numRuns: 40 },
    )
  })
  it('of any other form is refused by name and never throws anything else', () => {
    const good = signed(anna, check.challenge(MAC, 'keep'))
    const junk = fc.oneof(fc.string({ maxLength: 200, unit: 'binary' }), fc.constantFrom('', good.challenge, good.address, good.signature, '__proto__', `0x${'0'.repeat(130)}`, `0x${'f'.repeat(130)}`, 'A'.repeat(40), `${good.challenge}\n`))
    fc.assert(
      fc.property(junk, junk, junk, (challenge, address, signature) => {
        const isRight = challenge === good.challenge && address === good.address && signature === good.signature
        fc.pre(!isRight)
        expect(['bad-input', 'page-old', 'bad-signature', 'too-many-requests']).toContain(code(() => check.verify(MAC, HOST, 'keep', { challenge, address, signature })))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the work', () => {
  it('of one device is bounded, and its refused challenge is not used up', () => {
    for (let turn = 0; turn < SIGNATURES_PER_DEVICE.burst; turn++) check.verify(MAC, HOST, 'keep', signed(anna, check.challenge(MAC, 'keep')))
    const next = signed(anna, check.challenge(MAC, 'keep'))
    expect(code(() => check.verify(MAC, HOST, 'keep', next))).toBe('too-many-requests')
    expect(check.verify(OTHER_MAC, HOST, 'keep', signed(ben, check.challenge(OTHER_MAC, 'keep')))).toBe(ben.address)
    time.advance(10_000)
    expect(check.verify(MAC, HOST, 'keep', next)).toBe(anna.address)
  })
  it('of all devices together is bounded', () => {
    const wrong = `0x${'11'.repeat(64)}1b`
    const outcomes = Array.from({ length: SIGNATURES_OVERALL.burst + 5 }, (_, n) => {
      const mac = `02:00:00:00:01:${n.toString(16).padStart(2, '0')}`
      return code(() => check.verify(mac, HOST, 'keep', { challenge: check.challenge(mac, 'keep'), address: anna.address, signature: wrong }))
    })
    expect(outcomes.filter((outcome) => outcome === 'too-many-requests')).toHaveLength(5)
    expect(new Set(outcomes)).toEqual(new Set(['bad-signature', 'too-many-requests']))
  })
  it('never makes the box forget a used challenge while it is fresh', () => {
    expect(SIGNATURES_OVERALL.burst + (SIGNATURES_OVERALL.perSecond * CHALLENGE_MS) / 1000).toBeLessThan(MAX_REMEMBERED)
  })
})
