import { describe, expect, test } from 'vitest'
import type { ChannelCommand, LockedTerms } from '../../../src/photon/payment/index.ts'
import { BLOCK, Desk, HASH, ME, SECRET, V1, channelName, kinds, nodeOf, termsOf } from './desk.ts'

const [A, T] = [nodeOf(8), nodeOf(9)]
const IN = channelName(A)
const OUT = channelName(T)
const lock = termsOf().lock
const received = (terms: LockedTerms = termsOf(), unwelcome: { code: number; reason: string } | null = null) => ({ kind: 'lock-received', channel: IN, terms, unwelcome }) as const
const reveal = { kind: 'reveal', from: T, secret: SECRET, data: new Uint8Array(0) } as const
const unlocked = { kind: 'lock-unlocked', channel: IN, secretHash: HASH, secret: SECRET } as const

function forwarded(desk = new Desk([A, T])): Desk {
  expect(kinds(desk.give(received()))).toEqual(['send-locked'])
  return desk
}

function refusal(desk: Desk, terms?: LockedTerms, unwelcome: { code: number; reason: string } | null = null): number {
  const commands = desk.give(received(terms, unwelcome))
  expect(kinds(commands)).toEqual(['send-disposed'])
  const [command] = commands
  if (command?.kind !== 'send-disposed') throw new Error('no disposal')
  expect(command).toMatchObject({ channel: IN, secretHash: HASH, hopIndex: 0 })
  expect(desk.only('mediator').incomingPhase).toBe('disposed')
  return command.code
}

describe('what goes on', () => {
  test('v2: what the path says, the same end, the rest is ours', () => {
    const desk = new Desk([A, T])
    const [command] = desk.give(received())
    expect(command).toMatchObject({ kind: 'send-locked', channel: OUT, lock: { amount: 100n, secretHash: HASH, expiration: lock.expiration }, fee: 0n, path: [], initiator: A, target: T })
    expect(desk.only('mediator').fee).toBe(1n)
  })

  test('the end is lowered to what the next channel can hold, never raised', () => {
    const desk = new Desk([A, T])
    desk.put(T, { settleTimeout: 60 })
    expect(desk.give(received())[0]).toMatchObject({ lock: { expiration: BLOCK + 60 } })
  })

  test('v1: fee on the target’s amount, not compounding; the whole path is passed on', () => {
    const desk = new Desk([])
    desk.fee = 3n
    const B = nodeOf(3)
    for (const node of [A, B]) desk.put(node, { domain: V1 })
    const path = [ME, B, T].map((node) => ({ node, amount: null }))
    const [command] = desk.give(received(termsOf({ lock: { ...lock, amount: 107n }, fee: 7n, path })))
    expect(command).toMatchObject({ lock: { amount: 104n }, amount: 100n, fee: 4n, path })
  })

  test('v1: the last carrier sends exactly the target’s amount and keeps the rest', () => {
    const desk = new Desk([])
    for (const node of [A, T]) desk.put(node, { domain: V1 })
    const path = [ME, T].map((node) => ({ node, amount: null }))
    expect(desk.give(received(termsOf({ lock: { ...lock, amount: 107n }, fee: 7n, path })))[0]).toMatchObject({ lock: { amount: 100n }, fee: 0n })
    expect(desk.only('mediator').fee).toBe(7n)
  })
})

describe('what goes back', () => {
  test.each([
    ['an unknown next hop', 3003, (desk: Desk) => refusal(desk, termsOf({ path: [{ node: nodeOf(7), amount: 100n }] }))],
    ['no next hop', 3003, (desk: Desk) => refusal(desk, termsOf({ path: [] }))],
    ['a path of eternal length', 3003, (desk: Desk) => refusal(desk, termsOf({ path: Array.from({ length: 6 }, () => ({ node: T, amount: 100n })) }))],
    ['back where it came from', 3003, (desk: Desk) => refusal(desk, termsOf({ path: [{ node: A, amount: 100n }] }))],
    ['too small a fee', 1022, (desk: Desk) => refusal(desk, termsOf({ path: [{ node: T, amount: 101n }] }))],
    ['more to send than was given', 1022, (desk: Desk) => refusal(desk, termsOf({ path: [{ node: T, amount: 10n ** 30n }] }))],
    ['nothing to send', 1003, (desk: Desk) => refusal(desk, termsOf({ path: [{ node: T, amount: 0n }] }))],
    ['an end too near', 5020, (desk: Desk) => refusal(desk, termsOf({ lock: { ...lock, expiration: BLOCK + 30 } }))],
    ['what the channel does not want', 3006, (desk: Desk) => refusal(desk, termsOf(), { code: 3006, reason: 'many' })],
  ])('%s: code %i', (_name, code, run) => {
    expect(run(new Desk([A, T]))).toBe(code)
  })

  test.each([
    ['a closed channel it comes from', A, { isOpen: false, isReady: false, isUsable: false }, 3007],
    ['a channel not in use', T, { isUsable: false }, 3003],
    ['a thin channel', T, { spendable: 99n }, 3008],
    ['a channel that settles too fast', T, { settleTimeout: 30 }, 5020],
    ['another contract', T, { domain: V1 }, 3003],
    ['a hash that is locked there already', T, { ownLocks: [{ expiration: BLOCK + 90, amount: 1n, secretHash: HASH }] }, 5010],
    ['too many locks of one payer', A, { partnerLocks: Array.from({ length: 31 }, () => lock) }, 3006],
    ['too much of one payer in flight', A, { partnerLocks: [{ ...lock, amount: 1001n }] }, 3006],
    ['a lock too large for the channel', A, { capacity: 1000n }, 3008],
  ])('%s', (_name, node, change, code) => {
    const desk = new Desk([A, T])
    desk.put(node, change)
    expect(refusal(desk)).toBe(code)
  })

  test.each([
    ['comes from one who only passes it on', A, { initiator: nodeOf(5) }],
    ['would go to one who is not paid by it', T, { target: nodeOf(6), path: [{ node: T, amount: 100n }, { node: nodeOf(6), amount: 99n }] }],
  ])('a leaf channel: it %s', (_name, node, change) => {
    const desk = new Desk([A, T])
    desk.put(node, { role: 'leaf' })
    expect(refusal(desk, termsOf(change))).toBe(3003)
  })

  test('leaves at both ends are what carrying is for', () => {
    const desk = new Desk([A, T])
    for (const node of [A, T]) desk.put(node, { role: 'leaf' })
    expect(desk.give(received(termsOf()))[0]).toMatchObject({ kind: 'send-locked' })
  })

  test('everything while the chain is frozen', () => {
    const desk = new Desk([A, T])
    desk.moment = { block: BLOCK, isFrozen: true }
    expect(refusal(desk)).toBe(1014)
  })

  test('a lock that the next channel would not take after all', () => {
    const desk = new Desk([A, T])
    const [command] = desk.give(received())
    expect(desk.give({ kind: 'command-refused', command: command as ChannelCommand, code: 1016, reason: 'not in sync' })).toMatchObject([{ kind: 'send-disposed', channel: IN, code: 1016, hopIndex: 0 }])
    expect(desk.only('mediator').outgoing).toBeNull()
  })

  test('the very lock that was given up before, when it is offered again; and its secret is never used', () => {
    const desk = new Desk([A, T])
    refusal(desk, termsOf({ path: [] }))
    desk.give({ kind: 'lock-released', channel: IN, secretHash: HASH })
    expect(desk.only('mediator').isEnded).toBe(true)
    expect(desk.give(received(termsOf({ path: [] })))).toMatchObject([{ kind: 'send-disposed', code: 5010 }])
    expect(desk.give(reveal)).toEqual([])
    expect(desk.give({ kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block: BLOCK })).toEqual([])
  })

  test('a refusal from behind is passed on, one hop further', () => {
    const desk = forwarded()
    expect(desk.give({ kind: 'lock-disposed', channel: OUT, secretHash: HASH, code: 3008, reason: 'thin', hopIndex: 1 })).toMatchObject([
      { kind: 'send-disposed-response', channel: OUT },
      { kind: 'send-disposed', channel: IN, code: 3008, hopIndex: 2 },
    ])
    desk.give({ kind: 'lock-released', channel: IN, secretHash: HASH })
    expect(desk.only('mediator').isEnded).toBe(true)
  })

  test('a refusal after the secret is known is ignored and noted (F11)', () => {
    const desk = forwarded()
    desk.moment = { block: lock.expiration - 10, isFrozen: false } // too late to pay on, so the lock still lies there
    desk.give(reveal)
    expect(kinds(desk.give({ kind: 'lock-disposed', channel: OUT, secretHash: HASH, code: 3008, reason: 'thin', hopIndex: 0 }))).toEqual(['notice refund-after-reveal'])
  })
})

describe('the secret', () => {
  test('is noted, shown to the payer, and the payee is paid at once although the payer is late', () => {
    const desk = forwarded()
    expect(desk.give(reveal)).toMatchObject([
      { kind: 'learn-secret', channel: IN, secret: SECRET },
      { kind: 'send-reveal', to: A, secret: SECRET },
      { kind: 'send-unlock', channel: OUT, secret: SECRET },
    ])
    expect(desk.only('mediator').isEnded).toBe(false)
    expect(desk.give(unlocked)).toMatchObject([{ kind: 'post-fee', fee: 1n, token: desk.only('mediator').token }, { kind: 'notice', what: 'mediated' }])
    expect(desk.only('mediator').isEnded).toBe(true)
    expect(desk.give(unlocked)).toEqual([])
  })

  test('within the reveal time of the end nothing is paid on before we are paid or the chain has it', () => {
    for (const next of [unlocked, { kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block: lock.expiration } as const]) {
      const desk = forwarded()
      desk.moment = { block: lock.expiration - 30, isFrozen: false }
      expect(kinds(desk.give(reveal))).toEqual(['learn-secret', 'send-reveal'])
      expect(kinds(desk.give(next))).toContain('send-unlock')
    }
  })

  test('too late on the chain it opens nothing, and both locks end', () => {
    const desk = forwarded()
    desk.moment = { block: lock.expiration - 5, isFrozen: false }
    desk.give(reveal)
    expect(desk.give({ kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block: lock.expiration + 1 })).toEqual([])
    desk.moment = { block: lock.expiration + 17, isFrozen: false }
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['send-expired'])
    expect(desk.only('mediator')).toMatchObject({ isEnded: true, incomingPhase: 'gone', outgoingPhase: 'expired' })
  })

  test('with a closed channel behind us nothing is paid on until the chain has the secret', () => {
    const desk = forwarded()
    desk.put(A, { isOpen: false, isReady: false, isUsable: false })
    expect(kinds(desk.give(reveal))).toEqual(['learn-secret', 'send-reveal'])
    expect(kinds(desk.give({ kind: 'secret-on-chain', secret: SECRET, secretHash: HASH, block: BLOCK + 3 }))).toEqual(['send-unlock'])
  })

  test('while the chain is frozen nothing is paid on before we are paid', () => {
    const desk = forwarded()
    desk.moment = { block: BLOCK, isFrozen: true }
    expect(kinds(desk.give(reveal))).toEqual(['learn-secret', 'send-reveal'])
    expect(kinds(desk.give(unlocked))).toContain('send-unlock')
  })

  test('a payment that a channel could not send is sent when it can', () => {
    const desk = forwarded()
    desk.put(T, { isReady: false })
    expect(kinds(desk.give(reveal))).toEqual(['learn-secret', 'send-reveal'])
    desk.put(T, { isReady: true })
    const commands = desk.give({ kind: 'channel-ready', channel: OUT })
    expect(kinds(commands)).toEqual(['send-unlock'])
    desk.give({ kind: 'command-refused', command: commands[0] as ChannelCommand, code: 1016, reason: 'again not in sync' })
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['send-unlock'])
  })

  test('the fee is posted once, also when the unlock has to be sent again', () => {
    const desk = forwarded()
    const commands = desk.give(unlocked)
    expect(kinds(commands)).toEqual(['send-unlock', 'post-fee', 'notice mediated'])
    desk.give({ kind: 'command-refused', command: commands[0] as ChannelCommand, code: 1016, reason: 'not in sync' })
    expect(desk.only('mediator').isEnded).toBe(false)
    expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['send-unlock'])
  })

  test('a wrong secret does nothing', () => {
    expect(forwarded().give({ ...reveal, secret: `0x${'99'.repeat(32)}` })).toEqual([])
  })

  test('a payee that lets its lock end after we were paid leaves it all to us, and the books say so', () => {
    const desk = forwarded()
    desk.put(T, { isReady: false })
    desk.give(unlocked)
    desk.put(T, { isReady: true })
    desk.moment = { block: lock.expiration + 17, isFrozen: false }
    expect(desk.give({ kind: 'moment' })).toMatchObject([{ kind: 'send-expired' }, { kind: 'post-fee', fee: 101n }])
  })
})

test('an expired lock of the payer ends the record; ours is taken back after its own time', () => {
  const desk = forwarded()
  desk.moment = { block: lock.expiration + 17, isFrozen: false }
  desk.give({ kind: 'lock-removed', channel: IN, secretHash: HASH })
  expect(desk.only('mediator').isEnded).toBe(false)
  expect(kinds(desk.give({ kind: 'moment' }))).toEqual(['send-expired'])
  expect(desk.only('mediator').isEnded).toBe(true)
})

test('one payer’s two parts under one hash are two records', () => {
  const [B, C] = [nodeOf(2), nodeOf(3)]
  const desk = new Desk([A, B, C, T])
  desk.give(received())
  desk.give({ kind: 'lock-received', channel: channelName(B), unwelcome: null, terms: termsOf({ path: [{ node: C, amount: 100n }, { node: T, amount: 99n }] }) })
  expect(desk.table.size).toBe(2)
  expect(kinds(desk.give(reveal)).filter((kind) => kind === 'send-unlock')).toHaveLength(2)
})
