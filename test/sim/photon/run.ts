/** One seeded run from the first payment to the last payout; the faults found, or none. */
import { Dice } from './dice.ts'
import { HONEST, REVEAL_BLOCKS } from './sim-node.ts'
import type { SimNode } from './sim-node.ts'
import { TOKENS, World, weatherOf } from './world.ts'
import type { Shape } from './world.ts'

const SHAPES: readonly Shape[] = ['line', 'ring', 'star', 'random']
const STEPS = 380

export function runSeed(seed: number): World {
  const dice = new Dice(seed)
  const shape = dice.pick(SHAPES)
  const size = 3 + dice.int(3)
  const world = new World(seed, shape, size, weatherOf(dice), dice)
  world.chain.delayOf = () => dice.int(REVEAL_BLOCKS / 2)
  for (let at = 0; at < STEPS; at++) happen(world)
  world.calmDown()
  world.settleAll()
  world.audit()
  return world
}

function happen(world: World): void {
  const { dice, weather } = world
  const what = dice.int(100)
  if (what < 50) {
    for (let i = 0; i < 4; i++) world.deliverOne()
  } else if (what < 59) order(world)
  else if (what < 75) world.mine()
  else if (what < 84) world.resendAll()
  else if (what < 90) world.answerSearches()
  else if (what < 93) comeBack(world)
  else if (what < 95) part(world)
  else if (what < 97) lookAway(world)
  else if (what === 97 && weather.restoresOldCopy) dice.chance(0.5) ? world.keepCopy(dice.pick(world.nodes)) : world.setBack(dice.pick(world.nodes))
  else if (what === 98 && weather.closes && dice.chance(0.3)) close(world, dice.pick(world.nodes))
  else if (what === 99) cheatByChain(world)
}

function order(world: World): void {
  const { dice } = world
  const [from, to] = dice.shuffled(world.nodes)
  if (from === undefined || to === undefined) return
  const amount = BigInt(1 + dice.int(150))
  const kind = dice.int(10)
  if (kind < 5) world.pay(from, to, amount, { token: dice.pick(TOKENS), maxParts: dice.chance(0.4) ? 2 : 1, isRevealAllowed: dice.chance(0.95) })
  else if (kind < 7) {
    const edge = dice.pick(world.edges)
    const [a, b] = dice.chance(0.5) ? edge : [edge[1], edge[0]]
    world.payDirect(a, world.channelOf(a, b, dice.pick(TOKENS)), amount)
  } else if (kind === 7) world.swap(from, to, amount, BigInt(1 + dice.int(150)))
  else if (kind === 8) world.pay(from, from, amount)
  else {
    const open = [...from.disk.payments.values()].filter((state) => !state.isEnded && (state.role === 'initiator' || state.role === 'swap'))
    if (open.length > 0) world.turn(from, (draft) => from.input(draft, { kind: dice.chance(0.5) ? 'cancel' : 'allow-reveal', id: dice.pick(open).id }))
  }
}

function comeBack(world: World): void {
  for (const node of world.nodes) if (!node.isUp && world.dice.chance(0.7)) world.restart(node)
}

function part(world: World): void {
  if (!world.weather.parts) return
  if (world.dice.chance(0.5)) world.heal()
  else world.cut(...world.dice.pick(world.edges))
}

function lookAway(world: World): void {
  if (!world.weather.goesOffline) return
  const node = world.dice.pick(world.nodes)
  if (!node.isOffline) {
    node.isOffline = true
    return world.turn(node, (draft) => node.input(draft, { kind: 'moment' }))
  }
  node.isOffline = false
  if (node.isUp) world.follow(node)
}

function close(world: World, node: SimNode): void {
  const channel = world.dice.pick([...node.disk.channels.keys()])
  world.turn(node, (draft) => node.close(draft, channel, 'the owner wants it'))
}

/** Closes with an older proof than the newest, or with none. */
function cheatByChain(world: World): void {
  const cheat = world.nodes.find((node) => node.habits !== HONEST && node.habits.closesStale)
  if (cheat === undefined || !world.dice.chance(0.3)) return
  const state = world.dice.pick([...cheat.disk.channels.values()])
  const old = [...cheat.disk.got.values()].filter(({ message }) => 'envelope' in message && message.envelope.channel === state.key.channel)
  const given = old.length === 0 || world.dice.chance(0.3) ? null : world.dice.pick(old)
  const proof = given !== null && 'envelope' in given.message && given.signature !== null ? { ...given.message.envelope, extra: given.extra, signature: given.signature } : null
  world.chain.send(cheat.address, state.key, { kind: 'close', token: state.token, partner: state.partner.address, proof })
}
