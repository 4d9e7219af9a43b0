/**
 * Payments over three to five nodes, by seed: lost, doubled and reordered messages, cut lines, crashes at every point of
 * a turn, refused disk writes, old copies, closings, blind nodes and cheats. Whatever happens: nobody honest gets less
 * than its records say, no nonce is used twice, what went in comes out, and every payment ends.
 *
 * MESHBOX_SIM_SEEDS=10000 plays so many; MESHBOX_SIM_FIRST=4711 begins there (and with SEEDS=1 repeats one run).
 */
import { expect, test } from 'vitest'
import { runSeed } from './run.ts'
import type { World } from './world.ts'

const SEEDS = Number(process.env.MESHBOX_SIM_SEEDS ?? 1_000)
const FIRST = Number(process.env.MESHBOX_SIM_FIRST ?? 1)
const GROUP = 50
/** So many runs, from the first seed on, come to everything that can become of a payment. */
const ENOUGH = 60

/** What the runs came to. */
const seen = new Set<string>()
let played = 0

for (let from = FIRST; from < FIRST + SEEDS; from += GROUP) {
  const to = Math.min(from + GROUP, FIRST + SEEDS) - 1
  test(`seeds ${from} to ${to}: money and nonces add up`, () => {
    for (let seed = from; seed <= to; seed++) {
      const world = worldOf(seed)
      if (seed === played + 1 && seed <= ENOUGH) note(world)
      expect(world.faults, `repeat with MESHBOX_SIM_FIRST=${seed} MESHBOX_SIM_SEEDS=1`).toEqual([])
    }
  })
}

test('the same seed plays the same run', () => {
  const [once, again] = [runSeed(7), runSeed(7)]
  expect(again.nodes.map((node) => [...node.disk.payments.values()])).toEqual(once.nodes.map((node) => [...node.disk.payments.values()]))
  expect(again.chain.events).toEqual(once.chain.events)
})

test('the runs do what they are for', () => {
  for (let seed = played + 1; seed <= ENOUGH; seed++) note(runSeed(seed))
  const wanted = ['initiator 3', 'initiator 4', 'initiator 5', 'mediator paid unlocked', 'mediator disposed returned', 'mediator gone expired', 'target own received', 'target asks received', 'swap swapped', 'swap not-swapped', 'parts', 'direct', 'keeper', 'secret', 'unlocked', 'updated', 'settled']
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
})

function note(world: World): void {
  played++
  for (const event of world.chain.events) seen.add(event.kind)
  for (const node of world.nodes)
    for (const state of node.disk.payments.values()) {
      seen.add(state.role)
      if (state.role === 'initiator') seen.add(`initiator ${state.status}`)
      if (state.role === 'mediator') seen.add(`mediator ${state.incomingPhase} ${state.outgoingPhase}`)
      if (state.role === 'target') seen.add(`target ${state.kind} ${state.outcome}`)
      if (state.role === 'swap') seen.add(`swap ${state.outcome}`)
      if (state.role === 'initiator' && state.parts.filter((part) => part.phase === 'unlocked').length > 1) seen.add('parts')
    }
}

function worldOf(seed: number): World {
  try {
    return runSeed(seed)
  } catch (thrown) {
    throw new Error(`seed ${seed}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown })
  }
}
