/** Single things that can go wrong, each played to the last payout. */
import { describe, expect, test } from 'vitest'
import { STATUS, initiatorId, swapId, targetId } from '../../../src/photon/payment/index.ts'
import type { PaymentState } from '../../../src/photon/payment/index.ts'
import type { Hash } from '../../../src/base/index.ts'
import { HONEST, feeFor } from './sim-node.ts'
import type { Habits, SimNode } from './sim-node.ts'
import { CALM, TOKENS, World } from './world.ts'
import type { Shape, Weather } from './world.ts'

const TOKEN = TOKENS[0] ?? `0x${'00'.repeat(20)}`

function worldOf(shape: Shape, size: number, weather: Partial<Weather> = {}): World {
  return new World(1, shape, size, { ...CALM, ...weather })
}

/** A world in which the node at `at` cheats. */
function worldWithCheat(shape: Shape, size: number, at: number, habits: Partial<Habits>): World {
  for (let seed = 1; seed < 200; seed++) {
    const world = new World(seed, shape, size, { ...CALM, cheat: { ...HONEST, ...habits } })
    if (world.node(at).habits !== HONEST) return world
  }
  throw new Error('no seed makes this node the cheat')
}

function finish(world: World): void {
  world.calmDown()
  world.settleAll()
  world.audit()
  expect(world.faults).toEqual([])
}

function run(world: World, blocks: number): void {
  for (let block = 0; block < blocks; block++) {
    world.quiet()
    world.mine()
  }
}

function payment(node: SimNode, id: string): PaymentState {
  const state = node.disk.payments.get(id)
  if (state === undefined) throw new Error(`no record ${id}`)
  return state
}

function statusAt(node: SimNode, secretHash: Hash): number {
  const state = payment(node, initiatorId(TOKEN, secretHash))
  if (state.role !== 'initiator') throw new Error('not an initiator')
  return state.status
}

describe('the white paper’s stale close', () => {
  test('Alice closes with an old state, Bob answers with a higher number: Bob gets what he was given', () => {
    const world = worldOf('line', 2)
    const [alice, bob] = [world.node(0), world.node(1)]
    const channel = world.channelOf(alice, bob)
    world.payDirect(bob, channel, 70n)
    world.quiet()
    const old = alice.disk.channels.get(channel)?.partner.proof ?? null
    for (const amount of [100n, 50n]) {
      world.payDirect(alice, channel, amount)
      world.quiet()
    }
    const state = alice.disk.channels.get(channel)
    expect(old).not.toBeNull()
    if (state !== undefined) world.chain.send(alice.address, state.key, { kind: 'close', token: TOKEN, partner: bob.address, proof: old })
    run(world, 3)
    expect(world.chain.events.map((event) => event.kind)).toEqual(['closed', 'updated'])
    finish(world)
    expect(world.payoutOf(bob) - world.payoutOf(alice)).toBe(2n * (150n - 70n))
  })
})

describe('frozen chain', () => {
  test('direct payments go on up to the cap, locks are refused, and the chain is caught up with afterwards', () => {
    const world = worldOf('line', 3)
    const [alice, carrier, bob] = [world.node(0), world.node(1), world.node(2)]
    for (const node of world.nodes) node.isOffline = true
    const channel = world.channelOf(alice, carrier)
    for (const amount of [120n, 80n, 1n]) world.payDirect(alice, channel, amount)
    const refused = world.pay(alice, bob, 10n)
    world.quiet()
    // 200 is the cap of the rules the nodes run with: the third payment is not taken while nobody sees the chain.
    expect(carrier.disk.channels.get(channel)?.partner.transferred).toBe(200n)
    expect(statusAt(alice, refused)).toBe(STATUS.failed)
    for (const node of world.nodes) node.isOffline = false
    run(world, 2)
    expect(carrier.disk.channels.get(channel)?.partner.transferred).toBe(201n)
    const later = world.pay(alice, bob, 10n)
    run(world, 2)
    expect(statusAt(alice, later)).toBe(STATUS.success)
    finish(world)
  })

  test('a payee that was blind while the payer closed with an old state posts its proof when it sees again', () => {
    const world = worldOf('line', 2)
    const [alice, bob] = [world.node(0), world.node(1)]
    const channel = world.channelOf(alice, bob)
    world.payDirect(alice, channel, 30n)
    world.quiet()
    bob.isOffline = true
    const state = alice.disk.channels.get(channel)
    if (state !== undefined) world.chain.send(alice.address, state.key, { kind: 'close', token: TOKEN, partner: bob.address, proof: null })
    run(world, 30)
    expect(world.chain.events.map((event) => event.kind)).toEqual(['closed'])
    bob.isOffline = false
    run(world, 2)
    expect(world.chain.events.map((event) => event.kind)).toEqual(['closed', 'updated'])
    finish(world)
  })

  test('a target that lost sight of the chain does not show the secret', () => {
    const world = worldOf('line', 3)
    const [alice, bob] = [world.node(0), world.node(2)]
    const hash = world.pay(alice, bob, 40n, { isRevealAllowed: false })
    run(world, 1)
    bob.isOffline = true
    world.turn(alice, (draft) => alice.input(draft, { kind: 'allow-reveal', id: initiatorId(TOKEN, hash) }))
    world.quiet()
    const blind = payment(bob, targetId(TOKEN, hash))
    expect(blind.role === 'target' && blind.secret !== null && !blind.isShown).toBe(true)
    bob.isOffline = false
    run(world, 3)
    expect(statusAt(alice, hash)).toBe(STATUS.success)
    finish(world)
  })
})

describe('cheats', () => {
  test('a carrier that does not unlock: the payee takes its lock on the chain', () => {
    const world = worldWithCheat('line', 3, 1, { skipsUnlock: true })
    const [alice, bob] = [world.node(0), world.node(2)]
    const hash = world.pay(alice, bob, 40n)
    run(world, 60)
    expect(world.chain.events.map((event) => event.kind)).toContain('unlocked')
    finish(world)
    const received = payment(bob, targetId(TOKEN, hash))
    expect(received.role === 'target' && received.outcome).toBe('received')
  })

  test('a payer that does not unlock: the carrier, who has paid, takes its lock on the chain', () => {
    const world = worldWithCheat('line', 3, 0, { skipsUnlock: true })
    world.pay(world.node(0), world.node(2), 40n)
    run(world, 60)
    expect(world.chain.events.map((event) => event.kind)).toContain('unlocked')
    finish(world)
    expect(world.payoutOf(world.node(1))).toBe((world.deposits.get(world.node(1).address) ?? 0n) + feeFor(40n))
  })

  test('a target that shows the secret at the last block: the carrier brings it to the chain first, then pays', () => {
    for (const blocks of [1, 2, 3, 9]) {
      const world = worldWithCheat('line', 3, 2, { revealsLate: blocks })
      world.pay(world.node(0), world.node(2), 40n)
      run(world, 60)
      finish(world)
    }
  })
})

test.each([0, 1, 2, 3, 5, 7, 9])('payer and payee against the carrier: the one never unlocks, the other shows the secret %i blocks before the end', (blocks) => {
  for (let seed = 1, played = 0; played < 3; seed++) {
    const world = new World(seed, 'line', 3, { ...CALM, cheat: { ...HONEST, revealsLate: blocks }, hasAccomplice: true })
    if (world.node(2).habits.revealsLate === null || !world.node(0).habits.skipsUnlock) continue
    world.chain.delayOf = () => 3
    for (let i = 0; i < 3; i++) world.pay(world.node(0), world.node(2), 40n)
    run(world, 60)
    finish(world)
    played++
  }
})

describe('a crash after every effect', () => {
  const FATES = ['rejected', 'crash before', 0, 1, 2] as const
  const scenarios: readonly { readonly name: string; readonly shape: Shape; readonly size: number; start(world: World): void; isDone(world: World): boolean }[] = [
    { name: 'mediated', shape: 'line', size: 3, start: (world) => void world.pay(world.node(0), world.node(2), 40n), isDone: (world) => successes(world.node(0)) === 1 },
    { name: 'in two parts', shape: 'ring', size: 4, start: (world) => void world.pay(world.node(0), world.node(2), 500n, { maxParts: 2 }), isDone: (world) => successes(world.node(0)) === 1 },
    { name: 'in a circle', shape: 'ring', size: 3, start: (world) => void world.pay(world.node(0), world.node(0), 40n), isDone: (world) => successes(world.node(0)) === 1 },
    { name: 'a swap', shape: 'line', size: 3, start: (world) => void world.swap(world.node(0), world.node(2), 40n, 90n), isDone: (world) => [...world.node(0).disk.payments.values()].some((state) => state.role === 'swap' && state.outcome === 'swapped') },
  ]
  for (const { name, shape, size, start, isDone } of scenarios)
    test(`${name}: ends, and everybody has what is theirs`, () => {
      const calm = worldOf(shape, size)
      start(calm)
      run(calm, 3)
      const turns = calm.turns
      finish(calm)
      expect(isDone(calm)).toBe(true)
      let ended = 0
      for (let at = 0; at < turns; at++)
        for (const fate of FATES) {
          const world = worldOf(shape, size)
          world.fateOf = (turn) => (turn === at ? fate : 'stored')
          start(world)
          for (let block = 0; block < 4; block++) {
            for (const node of world.nodes) world.restart(node)
            run(world, 1)
          }
          finish(world)
          if (isDone(world)) ended++
        }
      // A crash costs at most an order that was not stored; nearly all of them get through.
      expect(ended).toBeGreaterThan(turns * FATES.length * 0.8)
    })
})

test('a swap resumes from its record when the taker crashes between the two legs', () => {
  const world = worldOf('line', 3)
  const [maker, taker] = [world.node(0), world.node(2)]
  const hash = world.swap(maker, taker, 40n, 90n)
  for (let i = 0; i < 200 && payment(taker, swapId(hash)) !== undefined && ![...taker.disk.payments.keys()].some((id) => id.startsWith('initiator:')); i++) world.deliverOne()
  world.fateOf = (turn) => (turn === world.turns - 1 ? 'crash before' : 'stored')
  world.turn(taker, () => undefined)
  world.fateOf = () => 'stored'
  expect(taker.isUp).toBe(false)
  world.restart(taker)
  run(world, 4)
  for (const node of [maker, taker]) {
    const swap = payment(node, swapId(hash))
    expect(swap.role === 'swap' && swap.outcome).toBe('swapped')
  }
  finish(world)
})

test('a node restored from an old copy signs no second packet and goes on', () => {
  const world = worldOf('line', 3)
  const [alice, carrier, bob] = [world.node(0), world.node(1), world.node(2)]
  world.pay(alice, bob, 20n)
  run(world, 2)
  world.keepCopy(carrier)
  for (const amount of [30n, 40n]) world.pay(alice, bob, amount)
  run(world, 2)
  world.setBack(carrier)
  run(world, 3)
  const hash = world.pay(alice, bob, 50n)
  run(world, 3)
  expect(statusAt(alice, hash)).toBe(STATUS.success)
  finish(world)
  expect(world.payoutOf(carrier)).toBe((world.deposits.get(carrier.address) ?? 0n) + [20n, 30n, 40n, 50n].reduce((sum, amount) => sum + feeFor(amount), 0n))
})

function successes(node: SimNode): number {
  return [...node.disk.payments.values()].filter((state) => state.role === 'initiator' && state.status === STATUS.success).length
}
