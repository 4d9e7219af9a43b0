import { describe, expect, test } from 'vitest'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import { STATUS } from '../../../src/photon/payment/index.ts'
import { BLOCK, Desk, HASH, SECRET, V1, channelName, kinds, nodeOf, orderOf, pathOver } from './desk.ts'

const [B, C, T] = [nodeOf(2), nodeOf(3), nodeOf(9)]
const viaB = [pathOver([B, T], 100n)]
const viaC = [pathOver([C, T], 100n)]

function locked(desk = new Desk([B, C]), routes = [viaB, viaC], change = {}): Desk {
  desk.give({ kind: 'pay', order: orderOf(change), routes })
  return desk
}

describe('starting', () => {
  test('locks amount and fee for a quarter of the settle time; the message says what each hop is to get', () => {
    const desk = new Desk([B])
    const [command] = desk.give({ kind: 'pay', order: orderOf(), routes: [viaB] })
    expect(command).toMatchObject({ kind: 'send-locked', channel: channelName(B), lock: { amount: 101n, secretHash: HASH, expiration: BLOCK + 150 }, amount: 100n, fee: 1n, target: T, path: [{ node: T, amount: 100n }] })
    expect(desk.only('initiator').status).toBe(STATUS.canCancel)
  })

  test('v1: the path is the whole list, without amounts', () => {
    const desk = new Desk([])
    desk.put(B, { domain: V1 })
    const [command] = desk.give({ kind: 'pay', order: orderOf({ domain: V1 }), routes: [viaB] })
    expect(command).toMatchObject({ path: [{ node: B, amount: null }, { node: T, amount: null }] })
  })

  test('asks the router when it has no paths, and again at most maxSearches times', () => {
    const desk = new Desk([B])
    expect(kinds(desk.give({ kind: 'pay', order: orderOf(), routes: [] }))).toEqual(['find-routes'])
    const id = desk.only('initiator').id
    expect(kinds(desk.give({ kind: 'routes', id, routes: [] }))).toEqual(['find-routes'])
    expect(kinds(desk.give({ kind: 'routes', id, routes: [] }))).toEqual(['find-routes'])
    expect(kinds(desk.give({ kind: 'routes', id, routes: [] }))).toEqual(['notice failed'])
    expect(desk.only('initiator')).toMatchObject({ status: STATUS.failed, isEnded: true, failure: { code: 1005 } })
  })

  test('an answer that never comes is not waited for', () => {
    const desk = new Desk([B])
    desk.give({ kind: 'pay', order: orderOf(), routes: [] })
    desk.moment = { block: BLOCK + 3, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['find-routes'])
  })

  test.each([
    ['a fee above the limit', [{ ...pathOver([B, T], 100n), fee: 11n, hops: pathOver([B, T], 100n).hops.map((hop, at) => (at === 0 ? { ...hop, amount: 111n } : hop)) }]],
    ['another target', [pathOver([B, C], 100n)]],
    ['a node twice', [pathOver([B, C, B, T], 100n)]],
    ['through ourselves', [pathOver([B, nodeOf(1), T], 100n)]],
    ['too many hops', [pathOver([B, nodeOf(4), nodeOf(5), nodeOf(6), nodeOf(7), T], 100n)]],
    ['less than the amount', [pathOver([B, T], 99n)]],
    ['hops that get fatter', [{ ...pathOver([B, C, T], 100n), hops: pathOver([B, C, T], 100n).hops.map((hop, at) => (at === 1 ? { ...hop, amount: 500n } : hop)) }]],
    ['a channel we do not have', [pathOver([nodeOf(7), T], 100n)]],
    ['nothing', []],
  ])('a set of paths with %s is not used', (_name, set) => {
    const desk = new Desk([B, C])
    expect(kinds(desk.give({ kind: 'pay', order: orderOf(), routes: [set] }))).toEqual(['find-routes'])
  })

  test.each([
    ['nothing to pay', { amount: 0n }, 1003],
    ['no parts', { maxParts: 0 }, 1],
    ['a secret that does not fit', { secret: `0x${'22'.repeat(32)}` as const }, 1],
  ])('%s is refused', (_name, change, code) => {
    const desk = new Desk([B])
    expect(kinds(desk.give({ kind: 'pay', order: orderOf(change), routes: [viaB] }))).toEqual(['notice failed'])
    expect(desk.only('initiator').failure?.code).toBe(code)
  })

  test('nothing is locked without a view of the chain', () => {
    const desk = new Desk([B])
    desk.moment = { block: BLOCK, isFrozen: true }
    desk.give({ kind: 'pay', order: orderOf(), routes: [viaB] })
    expect(desk.only('initiator').failure?.code).toBe(1014)
  })

  test('a second payment under the same hash changes nothing', () => {
    const desk = locked()
    const before = desk.only('initiator')
    expect(kinds(desk.give({ kind: 'pay', order: orderOf({ amount: 1n }), routes: [viaC] }))).toEqual(['notice ignored'])
    expect(desk.only('initiator')).toEqual(before)
  })
})

describe('the secret', () => {
  const request = { kind: 'secret-request', from: T, secretHash: HASH, amount: 100n } as const

  test('goes to the target that asks for the whole amount, and again when it asks again', () => {
    const desk = locked()
    expect(desk.give(request)).toEqual([{ kind: 'send-reveal', to: T, secret: SECRET, data: new Uint8Array(0) }])
    expect(desk.only('initiator').status).toBe(STATUS.cannotCancel)
    expect(kinds(desk.give(request))).toEqual(['send-reveal'])
  })

  test.each([
    ['somebody else', { ...request, from: B }, []],
    ['another amount', { ...request, amount: 99n }, ['notice amount-mismatch']],
  ])('not to %s', (_name, input, expected) => {
    const desk = locked()
    expect(kinds(desk.give(input))).toEqual(expected)
    expect(desk.only('initiator').isRevealed).toBe(false)
  })

  test('not while a lock is within the reveal time of its end', () => {
    const desk = locked()
    desk.moment = { block: BLOCK + 150 - 30, isFrozen: false }
    expect(desk.give(request)).toEqual([])
  })

  test('not while the chain is frozen; afterwards it goes by itself', () => {
    const desk = locked()
    desk.moment = { block: BLOCK, isFrozen: true }
    expect(desk.give(request)).toEqual([])
    desk.moment = { block: BLOCK + 5, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['send-reveal'])
  })

  test('waits for the permission', () => {
    const desk = locked(new Desk([B, C]), [viaB], { isRevealAllowed: false })
    expect(desk.give(request)).toEqual([])
    expect(kinds(desk.give({ kind: 'allow-reveal', id: desk.only('initiator').id }))).toEqual(['send-reveal'])
  })

  test('a hold payment has none to give, and pays when its first hop shows it', () => {
    const desk = locked(new Desk([B, C]), [viaB], { secret: null })
    expect(desk.give(request)).toEqual([])
    expect(kinds(desk.give({ kind: 'reveal', from: B, secret: SECRET, data: new Uint8Array(0) }))).toEqual(['send-unlock', 'report-path', 'notice sent'])
    expect(desk.only('initiator').status).toBe(STATUS.success)
  })

  test('shown by a stranger it pays nobody', () => {
    const desk = locked()
    expect(desk.give({ kind: 'reveal', from: C, secret: SECRET, data: new Uint8Array(0) })).toEqual([])
    expect(desk.only('initiator').isEnded).toBe(false)
  })

  test('shown after the lock’s end it pays nobody, unless the chain had it in time', () => {
    const desk = locked()
    desk.give(request)
    desk.moment = { block: BLOCK + 151, isFrozen: false }
    expect(desk.give({ kind: 'reveal', from: B, secret: SECRET, data: new Uint8Array(0) })).toEqual([])
    expect(kinds(desk.give({ kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block: BLOCK + 149 }))).toEqual(['send-unlock', 'report-path', 'notice sent'])
  })

  test('an unlock that the channel cannot send now is sent when it can', () => {
    const desk = locked()
    desk.give(request)
    const [unlock] = desk.give({ kind: 'reveal', from: B, secret: SECRET, data: new Uint8Array(0) })
    if (unlock?.kind !== 'send-unlock') throw new Error('no unlock')
    desk.give({ kind: 'command-refused', command: unlock, code: 1016, reason: 'not in sync' })
    desk.put(B, { isReady: false })
    expect(desk.give({ kind: 'moment' })).toEqual([])
    desk.put(B, { isReady: true })
    expect(kinds(desk.give({ kind: 'channel-ready', channel: channelName(B) }))).toEqual(['send-unlock', 'report-path', 'notice sent'])
  })
})

describe('refusals, retries, expiry', () => {
  const disposed = { kind: 'lock-disposed', channel: channelName(B), secretHash: HASH, code: 3003, reason: 'no route', hopIndex: 1 } as const

  test('a lock given up is taken out and the next path tried, over another channel', () => {
    const desk = locked()
    const commands = desk.give(disposed)
    expect(kinds(commands)).toEqual(['report-path', 'send-disposed-response', 'send-locked'])
    expect(commands[0]).toMatchObject({ outcome: { ok: false, hopIndex: 1, code: 3003 } })
    expect(commands[2]).toMatchObject({ channel: channelName(C) })
  })

  test('what a peer says of the place is bounded by the path', () => {
    const desk = locked()
    expect(desk.give({ ...disposed, hopIndex: 99 })[0]).toMatchObject({ outcome: { hopIndex: 0 } })
  })

  test('a channel that gave the hash up does not get it again', () => {
    const desk = locked(new Desk([B]), [viaB, viaB])
    expect(kinds(desk.give(disposed))).toEqual(['report-path', 'send-disposed-response', 'find-routes'])
    expect(kinds(desk.give({ kind: 'routes', id: desk.only('initiator').id, routes: [viaB] }))).toEqual(['find-routes'])
  })

  test('given up everywhere, it is paid again under a fresh secret, if that is allowed', () => {
    const desk = locked(new Desk([B], { maxSearches: 0 }), [viaB], { freshRetries: 2 })
    const commands = desk.give(disposed)
    expect(kinds(commands)).toEqual(['report-path', 'send-disposed-response', 'pay-again'])
    expect(commands[2]).toMatchObject({ order: { freshRetries: 1, amount: 100n } })
  })

  test('after the secret has left, a refusal is noted and nothing else', () => {
    const desk = locked()
    desk.give({ kind: 'secret-request', from: T, secretHash: HASH, amount: 100n })
    expect(kinds(desk.give(disposed))).toEqual(['notice refund-after-reveal'])
    expect(desk.only('initiator').parts[0]?.phase).toBe('locked')
  })

  test('a channel that refuses the lock costs only the path', () => {
    const desk = new Desk([B, C])
    const [command] = desk.give({ kind: 'pay', order: orderOf(), routes: [viaB, viaC] })
    if (command?.kind !== 'send-locked') throw new Error('no lock')
    expect(desk.give({ kind: 'command-refused', command, code: 1002, reason: 'not enough' })).toMatchObject([{ kind: 'send-locked', channel: channelName(C) }])
  })

  test('17 blocks after its end the lock is taken back, not earlier and not while frozen', () => {
    const desk = locked()
    desk.moment = { block: BLOCK + 166, isFrozen: false }
    expect(desk.give({ kind: 'moment' })).toEqual([])
    desk.moment = { block: BLOCK + 500, isFrozen: true }
    expect(desk.give({ kind: 'moment' })).toEqual([])
    desk.moment = { block: BLOCK + 167, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['send-expired', 'notice failed'])
  })

  test('in a closed channel the contract decides: paid if the secret was there in time', () => {
    for (const [block, status] of [[BLOCK + 150, STATUS.success], [BLOCK + 151, STATUS.failed]] as const) {
      const desk = locked()
      desk.put(B, { isOpen: false, isReady: false, isUsable: false })
      desk.give({ kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block })
      desk.moment = { block: BLOCK + 167, isFrozen: false }
      desk.give({ kind: 'moment' })
      expect(desk.only('initiator').status).toBe(status)
    }
  })

  test('a settled channel ends what was locked, owed or to be taken out in it', () => {
    for (const before of [[], [{ kind: 'reveal', from: B, secret: SECRET, data: new Uint8Array(0) }], [disposed]] as const) {
      const desk = locked(new Desk([B], { maxSearches: 0 }), [viaB])
      desk.put(B, { isReady: false })
      for (const input of before) desk.give(input)
      expect(desk.only('initiator').isEnded).toBe(false)
      desk.give({ kind: 'channel-settled', key: { channel: channelName(B), epoch: 1n } })
      expect(desk.only('initiator')).toMatchObject({ status: STATUS.failed, isEnded: true })
    }
  })

  test('cancelled before the secret has left it never leaves; afterwards it cannot be cancelled', () => {
    const desk = locked()
    const { id } = desk.only('initiator')
    expect(kinds(desk.give({ kind: 'cancel', id }))).toEqual(['notice cancelled'])
    expect(desk.give({ kind: 'secret-request', from: T, secretHash: HASH, amount: 100n })).toEqual([])
    expect(kinds(desk.give(disposed))).toEqual(['report-path', 'send-disposed-response'])
    expect(desk.only('initiator')).toMatchObject({ status: STATUS.cancelled, isEnded: true })

    const other = locked()
    other.give({ kind: 'secret-request', from: T, secretHash: HASH, amount: 100n })
    expect(kinds(other.give({ kind: 'cancel', id }))).toEqual(['notice ignored'])
    expect(other.only('initiator').status).toBe(STATUS.cannotCancel)
  })
})

describe('parts', () => {
  const halves = [pathOver([B, T], 60n), pathOver([C, T], 40n)]

  test('one hash over channels apart; the secret leaves only for all of them', () => {
    const desk = new Desk([B, C])
    const commands = desk.give({ kind: 'pay', order: orderOf({ maxParts: 2 }), routes: [halves] })
    expect(commands).toMatchObject([{ channel: channelName(B), lock: { amount: 61n, secretHash: HASH }, amount: 100n }, { channel: channelName(C), lock: { amount: 41n, secretHash: HASH }, amount: 100n }])
    desk.give({ kind: 'lock-disposed', channel: channelName(C), secretHash: HASH, code: 3008, reason: 'thin', hopIndex: 0 })
    expect(desk.give({ kind: 'secret-request', from: T, secretHash: HASH, amount: 100n })).toEqual([])
  })

  test('a part that is given up is looked for anew, for what is missing and over a free channel', () => {
    const D = nodeOf(4)
    const desk = new Desk([B, C, D])
    desk.give({ kind: 'pay', order: orderOf({ maxParts: 2 }), routes: [halves] })
    const commands = desk.give({ kind: 'lock-disposed', channel: channelName(C), secretHash: HASH, code: 3008, reason: 'thin', hopIndex: 0 })
    expect(commands.find((command) => command.kind === 'find-routes')).toMatchObject({ request: { amount: 40n, maxFee: 9n, maxParts: 1 } })
    const { id } = desk.only('initiator')
    expect(desk.give({ kind: 'routes', id, routes: [[pathOver([B, T], 40n)], [pathOver([D, T], 40n)]] })).toMatchObject([{ kind: 'send-locked', channel: channelName(D) }])
    expect(kinds(desk.give({ kind: 'secret-request', from: T, secretHash: HASH, amount: 100n }))).toEqual(['send-reveal'])
  })

  test('an old channel carries no parts', () => {
    const desk = new Desk([])
    for (const node of [B, C]) desk.put(node, { domain: V1 })
    expect(kinds(desk.give({ kind: 'pay', order: orderOf({ domain: V1, maxParts: 2 }), routes: [halves] }))).toEqual(['find-routes'])
  })

  test('each hop is paid when it shows the secret itself', () => {
    const desk = new Desk([B, C])
    desk.give({ kind: 'pay', order: orderOf({ maxParts: 2 }), routes: [halves] })
    desk.give({ kind: 'secret-request', from: T, secretHash: HASH, amount: 100n })
    expect(desk.give({ kind: 'reveal', from: C, secret: SECRET, data: new Uint8Array(0) })).toMatchObject([{ kind: 'send-unlock', channel: channelName(C) }, { kind: 'report-path' }])
    expect(desk.only('initiator').isEnded).toBe(false)
    desk.give({ kind: 'reveal', from: B, secret: SECRET, data: new Uint8Array(0) })
    expect(desk.only('initiator').status).toBe(STATUS.success)
  })

  test('paths that share a channel, or more of them than allowed, are no set', () => {
    const desk = new Desk([B, C])
    const same = [pathOver([B, T], 60n), pathOver([B, T], 40n)]
    expect(kinds(desk.give({ kind: 'pay', order: orderOf({ maxParts: 2 }), routes: [same] }))).toEqual(['find-routes'])
    const other = new Desk([B, C])
    expect(kinds(other.give({ kind: 'pay', order: orderOf({ maxParts: 1 }), routes: [halves] }))).toEqual(['find-routes'])
  })
})

test('a restart asks the router again; locks that no record knows are kept', () => {
  const desk = new Desk([B])
  desk.give({ kind: 'pay', order: orderOf(), routes: [] })
  const stray = secretHashOf(`0x${'33'.repeat(32)}`)
  desk.put(B, { ownLocks: [{ expiration: BLOCK + 50, amount: 5n, secretHash: stray }] })
  expect(kinds(desk.give({ kind: 'restarted' }))).toEqual(['find-routes'])
  expect(desk.only('keeper')).toMatchObject({ direction: 'out', phase: 'locked', secretHash: stray })
  desk.moment = { block: BLOCK + 67, isFrozen: false }
  expect(desk.give({ kind: 'moment' }).filter((command) => command.kind === 'send-expired')).toMatchObject([{ secretHash: stray }])
})
