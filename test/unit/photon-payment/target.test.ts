import { describe, expect, test } from 'vitest'
import type { LockedTerms } from '../../../src/photon/payment/index.ts'
import { BLOCK, Desk, HASH, ME, SECRET, channelName, kinds, nodeOf, orderOf, pathOver, termsOf } from './desk.ts'

const [A, B, C] = [nodeOf(8), nodeOf(2), nodeOf(3)]
const mine = (amount = 100n, change: Partial<LockedTerms> = {}): LockedTerms => termsOf({ lock: { expiration: BLOCK + 100, amount, secretHash: HASH }, target: ME, fee: 0n, path: [], ...change })
const got = (from: `0x${string}`, terms = mine(), unwelcome: { code: number; reason: string } | null = null) => ({ kind: 'lock-received', channel: channelName(from), terms, unwelcome }) as const
const reveal = { kind: 'reveal', from: A, secret: SECRET, data: Uint8Array.of(1, 2) } as const

describe('being paid', () => {
  test('asks, shows the secret backwards, and is done when it is unlocked', () => {
    const desk = new Desk([A, B])
    expect(desk.give(got(B))).toEqual([{ kind: 'send-request', to: A, secretHash: HASH, amount: 100n, paymentId: null }])
    expect(desk.give(reveal)).toMatchObject([{ kind: 'learn-secret', channel: channelName(B) }, { kind: 'send-reveal', to: B, secret: SECRET }])
    expect(kinds(desk.give({ kind: 'lock-unlocked', channel: channelName(B), secretHash: HASH, secret: SECRET }))).toEqual(['notice received'])
    expect(desk.only('target')).toMatchObject({ outcome: 'received', isEnded: true, data: Uint8Array.of(1, 2) })
  })

  test('unlocked on the chain counts as well', () => {
    const desk = new Desk([A, B])
    desk.give(got(B))
    desk.give(reveal)
    expect(kinds(desk.give({ kind: 'lock-unlocked', channel: channelName(B), secretHash: HASH, secret: null }))).toEqual(['notice received'])
  })

  test.each([
    ['an end too near', mine(100n, { lock: { expiration: BLOCK + 30, amount: 100n, secretHash: HASH } }), null, 5020],
    ['nothing announced', mine(100n, { amount: 0n }), null, 5008],
    ['what the channel does not want', mine(), { code: 5019, reason: 'too late' }, 5019],
    ['our own name as sender', mine(100n, { initiator: ME }), null, 1012],
  ])('%s goes back', (_name, terms, unwelcome, code) => {
    const desk = new Desk([A, B])
    expect(desk.give(got(B, terms, unwelcome))).toMatchObject([{ kind: 'send-disposed', code }])
    expect(desk.only('target').isEnded).toBe(true)
    expect(desk.give(reveal)).toEqual([])
  })

  test('nothing is taken or shown while the chain is frozen; a secret that came then is shown later', () => {
    const desk = new Desk([A, B, C])
    desk.give(got(B))
    desk.moment = { block: BLOCK, isFrozen: true }
    expect(desk.give(reveal)).toEqual([])
    desk.moment = { block: BLOCK + 1, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['learn-secret', 'send-reveal'])
  })

  test('a lock of the past is worthless without its secret on the chain', () => {
    const desk = new Desk([A, B])
    desk.give(got(B))
    desk.give(reveal)
    desk.moment = { block: BLOCK + 117, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['notice lock-lost'])
    expect(desk.only('target').outcome).toBe('not-received')
  })

  test('with its secret on the chain in time it is held until it is paid', () => {
    const desk = new Desk([A, B])
    desk.give(got(B))
    expect(kinds(desk.give({ kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block: BLOCK + 100 }))).toEqual(['learn-secret', 'send-reveal'])
    desk.moment = { block: BLOCK + 500, isFrozen: false }
    expect(desk.give({ kind: 'moment' })).toEqual([])
    expect(desk.only('target').isEnded).toBe(false)
  })

  test('a hash that was paid is not taken again; one that failed is', () => {
    const desk = new Desk([A, B, C])
    desk.give(got(B, mine(), { code: 1014, reason: 'frozen' }))
    expect(kinds(desk.give(got(C)))).toEqual(['send-request'])
    desk.give(reveal)
    desk.give({ kind: 'lock-unlocked', channel: channelName(C), secretHash: HASH, secret: SECRET })
    expect(desk.give(got(C))).toMatchObject([{ kind: 'send-disposed', code: 1015 }])
  })

  test('the very lock that was given up goes back again', () => {
    const desk = new Desk([A, B])
    desk.give(got(B, mine(), { code: 1014, reason: 'frozen' }))
    expect(desk.give(got(B))).toMatchObject([{ kind: 'send-disposed', code: 5010 }])
  })
})

describe('parts', () => {
  test('asks only when they make the total, and shows the secret to every payer', () => {
    const desk = new Desk([A, B, C])
    expect(desk.give(got(B, mine(60n)))).toEqual([])
    expect(desk.give(got(C, mine(40n)))).toMatchObject([{ kind: 'send-request', amount: 100n }])
    expect(desk.give(reveal).filter((command) => command.kind === 'send-reveal')).toMatchObject([{ to: B }, { to: C }])
  })

  test('a secret that comes too early is kept until they do', () => {
    const desk = new Desk([A, B, C])
    desk.give(got(B, mine(60n)))
    expect(desk.give(reveal)).toEqual([])
    expect(kinds(desk.give(got(C, mine(40n)))).filter((kind) => kind === 'send-reveal')).toHaveLength(2)
  })

  test('incomplete ones go back in time', () => {
    const desk = new Desk([A, B])
    desk.give(got(B, mine(60n)))
    desk.moment = { block: BLOCK + 19, isFrozen: false }
    expect(desk.give({ kind: 'moment' })).toEqual([])
    desk.moment = { block: BLOCK + 20, isFrozen: false }
    expect(desk.give({ kind: 'moment' })).toMatchObject([{ kind: 'send-disposed', channel: channelName(B), code: 1020 }])
    expect(desk.only('target')).toMatchObject({ isEnded: true, outcome: 'not-received' })
  })

  test('complete ones are not given back for want of time', () => {
    const desk = new Desk([A, B])
    desk.give(got(B))
    desk.moment = { block: BLOCK + 60, isFrozen: false }
    expect(desk.give({ kind: 'moment' })).toEqual([])
  })

  test.each([
    ['another total', mine(40n, { amount: 90n })],
    ['another sender', mine(40n, { initiator: nodeOf(7) })],
    ['another payment', mine(40n, { paymentId: `0x${'44'.repeat(32)}` })],
  ])('a part with %s goes back and the others stay', (_name, terms) => {
    const desk = new Desk([A, B, C])
    desk.give(got(B, mine(60n)))
    expect(desk.give(got(C, terms))).toMatchObject([{ kind: 'send-disposed', channel: channelName(C), code: 5008 }])
    expect(desk.only('target').parts.map((part) => part.phase)).toEqual(['held', 'disposed'])
  })

  test('more than was asked for goes back', () => {
    const desk = new Desk([A, B, C])
    desk.give(got(B))
    expect(desk.give(got(C))).toMatchObject([{ kind: 'send-disposed', code: 1012 }])
  })

  test('paid in part only is not received, and is told', () => {
    const desk = new Desk([A, B, C])
    desk.give(got(B, mine(60n)))
    desk.give(got(C, mine(40n)))
    desk.give(reveal)
    desk.give({ kind: 'lock-unlocked', channel: channelName(B), secretHash: HASH, secret: SECRET })
    desk.moment = { block: BLOCK + 117, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['notice lock-lost'])
    expect(desk.only('target').outcome).toBe('not-received')
  })
})

describe('in a circle', () => {
  test('our own payment asks nobody: it is taken, and the way back pays', () => {
    const desk = new Desk([B, C])
    desk.give({ kind: 'pay', order: orderOf({ target: ME }), routes: [[pathOver([B, C, ME], 100n)]] })
    expect(kinds(desk.give(got(C, mine(100n, { initiator: ME }))))).toEqual(['learn-secret', 'send-reveal'])
    expect(kinds(desk.give({ kind: 'reveal', from: B, secret: SECRET, data: new Uint8Array(0) }))).toContain('send-unlock')
    desk.give({ kind: 'lock-unlocked', channel: channelName(C), secretHash: HASH, secret: SECRET })
    expect(desk.only('initiator').status).toBe(3)
    expect(desk.only('target').outcome).toBe('received')
  })

  test('not when another amount comes back', () => {
    const desk = new Desk([B, C])
    desk.give({ kind: 'pay', order: orderOf({ target: ME }), routes: [[pathOver([B, C, ME], 100n)]] })
    expect(desk.give(got(C, mine(90n, { initiator: ME, amount: 90n })))).toMatchObject([{ kind: 'send-disposed', code: 5008 }])
  })

  test('not after it was cancelled', () => {
    const desk = new Desk([B, C])
    desk.give({ kind: 'pay', order: orderOf({ target: ME }), routes: [[pathOver([B, C, ME], 100n)]] })
    desk.give({ kind: 'cancel', id: desk.only('initiator').id })
    expect(desk.give(got(C, mine(100n, { initiator: ME })))).toMatchObject([{ kind: 'send-disposed', code: 1012 }])
  })
})

test('the receiver of a hold payment gives the secret itself', () => {
  const desk = new Desk([A, B])
  desk.give(got(B))
  expect(kinds(desk.give({ kind: 'secret-given', secret: SECRET }))).toEqual(['learn-secret', 'send-reveal'])
})

test('a restart adopts an unknown lock of the partner, not one that was given up', () => {
  for (const [isKnown, expected] of [[false, ['learn-secret', 'send-reveal']], [true, []]] as const) {
    const desk = new Desk([A, B])
    if (isKnown) desk.give(got(B, mine(), { code: 1014, reason: 'frozen' }))
    desk.put(B, { partnerLocks: [mine().lock] })
    desk.give({ kind: 'restarted' })
    expect(kinds(desk.give(reveal))).toEqual(expected)
  }
})
