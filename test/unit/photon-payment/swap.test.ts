import { describe, expect, test } from 'vitest'
import { DEFAULT_PAYMENT_RULES } from '../../../src/photon/payment/index.ts'
import type { LockedTerms, SwapOrder } from '../../../src/photon/payment/index.ts'
import { BLOCK, Desk, HASH, ME, OTHER_TOKEN, SECRET, TOKEN, channelName, kinds, nodeOf, orderOf, pathOver, termsOf } from './desk.ts'

const P = nodeOf(9)
const { revealTimeoutBlocks: REVEAL } = DEFAULT_PAYMENT_RULES
const maker: SwapOrder = { side: 'maker', pay: orderOf({ token: TOKEN, target: P }), receivingToken: OTHER_TOKEN, receivingAmount: 70n }
const taker: SwapOrder = { side: 'taker', pay: orderOf({ token: TOKEN, target: P, secret: null }), receivingToken: OTHER_TOKEN, receivingAmount: 70n }
const theirs = (change: Partial<LockedTerms> = {}) =>
  ({ kind: 'lock-received', channel: channelName(P, OTHER_TOKEN), unwelcome: null, terms: termsOf({ lock: { expiration: BLOCK + 150, amount: 70n, secretHash: HASH }, amount: 70n, fee: 0n, initiator: P, target: ME, path: [], ...change }) }) as const
const direct = [[pathOver([P], 100n)]]

function desk(): Desk {
  const made = new Desk([P])
  made.put(P, { token: OTHER_TOKEN })
  return made
}

describe('maker', () => {
  test('record and lock in one step; takes the taker’s lock, which shows the secret; then both legs end', () => {
    const made = desk()
    expect(kinds(made.give({ kind: 'swap', order: maker, routes: direct }))).toEqual(['send-locked'])
    expect(made.only('swap').outcome).toBe('open')
    expect(kinds(made.give(theirs()))).toEqual(['learn-secret', 'send-reveal'])
    made.give({ kind: 'lock-unlocked', channel: channelName(P, OTHER_TOKEN), secretHash: HASH, secret: SECRET })
    expect(kinds(made.give({ kind: 'reveal', from: P, secret: SECRET, data: new Uint8Array(0) }))).toEqual(['send-unlock', 'report-path', 'notice sent', 'notice swapped'])
    expect(made.only('swap')).toMatchObject({ outcome: 'swapped', isEnded: true })
  })

  test('never answers a request for the secret', () => {
    const made = desk()
    made.give({ kind: 'swap', order: maker, routes: direct })
    expect(made.give({ kind: 'secret-request', from: P, secretHash: HASH, amount: 100n })).toEqual([])
  })

  test.each([
    ['another amount', theirs({ amount: 69n, lock: { expiration: BLOCK + 150, amount: 69n, secretHash: HASH } }), 5008],
    ['from somebody else', theirs({ initiator: nodeOf(4) }), 1012],
    ['an end too near', theirs({ lock: { expiration: BLOCK + REVEAL, amount: 70n, secretHash: HASH } }), 5020],
  ])('%s is not taken', (_name, input, code) => {
    const made = desk()
    made.give({ kind: 'swap', order: maker, routes: direct })
    expect(made.give(input)).toMatchObject([{ kind: 'send-disposed', code }])
    expect(made.only('initiator').isRevealed).toBe(false)
  })

  test('a lock of the taker that comes before our own lies there goes back', () => {
    const made = desk()
    expect(kinds(made.give({ kind: 'swap', order: maker, routes: [] }))).toEqual(['find-routes'])
    expect(made.give(theirs())).toMatchObject([{ kind: 'send-disposed', code: 1012 }])
    expect(kinds(made.give({ kind: 'routes', id: made.only('initiator').id, routes: direct }))).toEqual(['send-locked'])
  })

  test('after it was called off nothing is taken', () => {
    const made = desk()
    made.give({ kind: 'swap', order: maker, routes: direct })
    made.give({ kind: 'cancel', id: made.only('swap').id })
    expect(made.give(theirs())).toMatchObject([{ kind: 'send-disposed', code: 1012 }])
  })

  test('gives up when the taker does not come; the lock comes back in its time', () => {
    const made = desk()
    made.give({ kind: 'swap', order: maker, routes: direct })
    made.moment = { block: BLOCK + 100, isFrozen: false }
    expect(kinds(made.give({ kind: 'moment' }))).toEqual(['notice cancelled'])
    made.moment = { block: BLOCK + 167, isFrozen: false }
    expect(kinds(made.give({ kind: 'moment' }))).toEqual(['send-expired', 'notice failed'])
    expect(made.only('swap').outcome).toBe('not-swapped')
  })
})

describe('taker', () => {
  test('locks back twice the reveal time shorter, learns the secret from it, and takes the maker’s lock', () => {
    const made = desk()
    expect(made.give({ kind: 'swap', order: taker, routes: [] })).toEqual([])
    expect(kinds(made.give(theirs()))).toEqual(['find-routes'])
    const { id } = made.only('initiator')
    expect(made.give({ kind: 'routes', id, routes: direct })).toMatchObject([{ kind: 'send-locked', lock: { expiration: BLOCK + 150 - 2 * REVEAL, amount: 100n } }])
    const commands = made.give({ kind: 'reveal', from: P, secret: SECRET, data: new Uint8Array(0) })
    expect(kinds(commands)).toEqual(expect.arrayContaining(['send-unlock', 'learn-secret', 'send-reveal']))
    expect(kinds(made.give({ kind: 'lock-unlocked', channel: channelName(P, OTHER_TOKEN), secretHash: HASH, secret: SECRET }))).toEqual(['notice received', 'notice swapped'])
  })

  test('on the original’s contract it asks for the secret once its own lock is on its way: the original’s maker waits for both', () => {
    const made = desk()
    const domain = { profile: 'v1', chainId: 3n, contract: taker.pay.domain.contract } as const
    made.give({ kind: 'swap', order: { ...taker, pay: { ...taker.pay, domain } }, routes: [] })
    expect(made.give(theirs()).filter(({ kind }) => kind === 'send-request')).toEqual([{ kind: 'send-request', to: P, secretHash: HASH, amount: 70n, paymentId: termsOf().paymentId }])
  })

  test('a maker’s lock that leaves no room goes back', () => {
    const made = desk()
    made.give({ kind: 'swap', order: taker, routes: [] })
    expect(made.give(theirs({ lock: { expiration: BLOCK + 3 * REVEAL, amount: 70n, secretHash: HASH } }))).toMatchObject([{ kind: 'send-disposed', code: 5020 }])
  })

  test('without a path the maker’s lock goes back at once', () => {
    const made = desk()
    made.give({ kind: 'swap', order: taker, routes: [] })
    made.give(theirs())
    const { id } = made.only('initiator')
    for (let search = 0; search < 2; search++) made.give({ kind: 'routes', id, routes: [] })
    expect(kinds(made.give({ kind: 'routes', id, routes: [] }))).toEqual(['notice failed', 'send-disposed', 'notice failed'])
    expect(made.only('swap').outcome).toBe('not-swapped')
  })

  test('a maker that never comes costs nothing', () => {
    const made = desk()
    made.give({ kind: 'swap', order: taker, routes: [] })
    made.moment = { block: BLOCK + 100, isFrozen: false }
    expect(kinds(made.give({ kind: 'moment' }))).toEqual(['notice cancelled'])
    expect(made.only('swap')).toMatchObject({ isEnded: true, outcome: 'not-swapped' })
  })
})

test.each([
  ['one token for itself', { ...maker, receivingToken: TOKEN }],
  ['with oneself', { ...maker, pay: { ...maker.pay, target: ME } }],
  ['a maker without the secret', { ...maker, pay: { ...maker.pay, secret: null } }],
  ['a taker with the secret', { ...taker, pay: { ...taker.pay, secret: SECRET } }],
  ['nothing to get', { ...maker, receivingAmount: 0n }],
])('no swap: %s', (_name, order) => {
  const made = desk()
  expect(kinds(made.give({ kind: 'swap', order, routes: direct }))).toEqual(['notice ignored'])
  expect(made.table.size).toBe(0)
})

test('a hash is used for one swap only', () => {
  const made = desk()
  made.give({ kind: 'swap', order: maker, routes: direct })
  expect(kinds(made.give({ kind: 'swap', order: maker, routes: direct }))).toEqual(['notice ignored'])
})
