/** Sealing with the real rules, keys and VRF over simulated time: turns, outages, clocks, crashes at every step. */
import { describe, expect, it } from 'vitest'
import { encodeTransaction, signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { encodeHeader, recoverSealer } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Round, Transaction } from '../../../src/spectrum/index.ts'
import type { Block } from '../../../src/spectrum/ports.ts'
import { native } from '../spectrum/curves.ts'
import { VILLAGE } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { Box, OWNER, pass, people, settle, timeAtGenesis } from './box.ts'

const GWEI = 10n ** 9n
const [ANN, BEN, CEM, DORA, EVE] = people(0, 1, 2, 3, 4) as [Person, Person, Person, Person, Person]
const round = (signers: readonly (Person | null)[], leaders: readonly Person[]): Round => ({
  signers: signers.map((one) => one?.address ?? ZERO_ADDRESS),
  next: [],
  leaders: leaders.map((one) => one.address),
  volunteerLimit: signers.length - 1,
  epochBlocks: 25,
})
const ALONE = round([ANN], [ANN])
const signersOf = (box: Box): (Address | null)[] => Array.from({ length: box.chain.head().header.number }, (_, index) => box.chain.block(box.chain.headerAt(index + 1)?.hash ?? '0x')?.signer ?? null)
const transfer = (from: Person, nonce: bigint, gasPriceWei = 20n * GWEI, valueWei = 1n): Transaction =>
  signTransaction(native, { nonce, gasPriceWei, gas: 21_000n, to: `0x${'42'.repeat(20)}`, valueWei, data: new Uint8Array(0) }, VILLAGE.chainId, from.key)

/** No two seals of one key at one height among all that ever left a box. */
function expectNoEquivocation(blocks: readonly Block[]): void {
  const seals = new Map<string, string>()
  for (const block of blocks) {
    const sealer = recoverSealer(native, block.header)
    const place = `${sealer?.address} ${block.header.number}`
    expect(seals.get(place) ?? sealer?.sealHash, place).toBe(sealer?.sealHash)
    if (sealer !== null) seals.set(place, sealer.sealHash)
  }
}

describe('a box alone', () => {
  it('seals every slot at its time, with its owner as coinbase, and takes what waits', async () => {
    const time = timeAtGenesis()
    const [rich] = people(50) as [Person]
    const box = new Box({ who: ANN, round: ALONE, time, purses: [[rich.address, 10n ** 20n]] })
    await box.switchOn()
    await pass(time, 3_000)
    expect(await box.pool.add(encodeTransaction(transfer(rich, 1n)), 'wallet')).toMatchObject({ ok: true })
    expect(await box.pool.add(encodeTransaction(transfer(rich, 0n)), 'wallet')).toMatchObject({ ok: true })
    await pass(time, 7_000)
    const { header } = box.chain.head()
    expect(header.number).toBe(10)
    // Alone, each block is a main slot: a period minus one second after the other.
    for (let number = 1; number <= 10; number++) expect(box.chain.headerAt(number)?.header.timeSeconds).toBe(VILLAGE.genesis.timeSeconds + number)
    expect(header.coinbase).toBe(OWNER)
    expect(box.pool.stats().transactions).toBe(0)
    expect(box.published.flatMap((block) => block.body.transactions.slice(1)).map(({ nonce }) => nonce)).toEqual([0n, 1n])
    expect(box.sealer.status()).toMatchObject({ sealed: 10, missed: 0, last: { number: 10 } })
    await box.switchOff()
  })

  it('without a trusted clock counts on from the head, and never comes from the future', async () => {
    const time = timeAtGenesis()
    time.trusted = false
    time.jumpWall(-3_000_000_000) // a dead battery
    const box = new Box({ who: ANN, round: ALONE, time })
    await box.switchOn()
    await pass(time, 10_000)
    expect(box.chain.head().header.number).toBe(10)
    expect(box.chain.head().header.timeSeconds).toBe(VILLAGE.genesis.timeSeconds + 10)
    await box.switchOff()
    // A night without power: the chain's time goes on where it stopped.
    time.reboot('22222222-2222-4333-8444-555555555555')
    await box.switchOn()
    await pass(time, 5_000)
    expect(box.chain.head().header.number).toBe(15)
    expect(box.chain.head().header.timeSeconds).toBe(VILLAGE.genesis.timeSeconds + 15)
    // Somebody sets the clock: from now on blocks bear the true time.
    time.jumpWall((VILLAGE.genesis.timeSeconds + 90_000) * 1000 - time.wallMs())
    time.trusted = true
    box.sealer.look()
    await pass(time, 2_000)
    expect(box.chain.head().header.timeSeconds).toBeGreaterThanOrEqual(VILLAGE.genesis.timeSeconds + 90_000)
    await box.switchOff()
  })

  it('a clock that is behind the chain and then set does not keep it waiting', async () => {
    const time = timeAtGenesis()
    time.jumpWall(-86_400_000)
    const box = new Box({ who: ANN, round: ALONE, time })
    await box.switchOn()
    await pass(time, 20_000, 1_000)
    expect(box.published).toEqual([])
    expect(box.sealer.status()).toMatchObject({ state: 'waiting', next: { number: 1, opensAtSeconds: VILLAGE.genesis.timeSeconds + 1 } })
    time.jumpWall(86_400_000)
    await pass(time, 12_000, 500)
    expect(box.published.length).toBeGreaterThan(0)
    await box.switchOff()
  })

  it.each([
    ['on a head it has not executed', (box: Box): void => box.state.forgetState(box.chain.head().header.stateRoot), 'not-executed'],
    ['while others are ahead', (box: Box): void => void (box.isInSync = false), 'not-in-sync'],
    ['while the chain has an alarm', (box: Box): void => void (box.chain.alarmed = { code: 'deep-reorg', reason: '', atSeconds: 0 }), 'alarm'],
  ] as const)('does not seal %s', async (_, spoil, reason) => {
    const time = timeAtGenesis()
    const box = new Box({ who: ANN, round: ALONE, time })
    spoil(box)
    await box.switchOn()
    await pass(time, 5_000)
    expect(box.published).toEqual([])
    expect(box.sealer.status()).toMatchObject({ state: 'idle', reason })
    if (reason === 'not-in-sync') {
      box.isInSync = true
      await pass(time, 3_000)
      expect(box.chain.head().header.number).toBeGreaterThan(0)
    }
    await box.switchOff()
  })

  it('keeps the slot with the chief transaction alone when the others cannot be run', async () => {
    const time = timeAtGenesis()
    const [rich] = people(50) as [Person]
    const box = new Box({ who: ANN, round: ALONE, time, purses: [[rich.address, 10n ** 20n]] })
    await box.switchOn()
    await box.pool.add(encodeTransaction(transfer(rich, 0n)), 'peer')
    box.state.buildFault = new Error('the step bound')
    await pass(time, 2_000)
    expect(box.chain.head().header.number).toBe(2)
    expect(box.published.map((block) => block.body.transactions.length)).toEqual([1, 1])
    box.state.buildFault = null
    await pass(time, 2_000)
    expect(box.published.flatMap((block) => block.body.transactions.slice(1))).toHaveLength(1)
    await box.switchOff()
  })
})

describe('several boxes', () => {
  const FIVE = [ANN, BEN, CEM, DORA, EVE]

  interface Village {
    readonly boxes: readonly Box[]
    readonly all: Block[]
    box(who: Person): Box
  }

  function village(time: ReturnType<typeof timeAtGenesis>, start: Round, miners: readonly Person[], who = FIVE): Village {
    const all: Block[] = []
    const boxes: Box[] = []
    const publish = (block: Block, from: Box): void => {
      all.push(block)
      for (const other of boxes) if (other !== from && other.isOn) void other.take(block)
    }
    for (const one of who) boxes.push(new Box({ who: one, round: start, time, miners: miners.map((miner) => miner.address), publish }))
    const box = (wanted: Person): Box => {
      const found = boxes.find((other) => other.settings.who === wanted)
      if (found === undefined) throw new Error('no such box')
      return found
    }
    return { boxes, all, box }
  }

  it('take turns; one that dies is skipped and struck out; it rejoins and seals again', async () => {
    const time = timeAtGenesis()
    const start = round([ANN, CEM, DORA, EVE, null], [ANN, BEN])
    const { boxes, all, box } = village(time, start, [CEM, DORA, EVE])
    for (const one of boxes) await one.switchOn()
    // Time until a height, not a number of seconds: who is missing decides how long it takes.
    const until = async (number: number, at: Box): Promise<void> => {
      for (let steps = 0; at.chain.head().header.number < number; steps++) {
        if (steps > 2_000) throw new Error(`stuck at ${at.chain.head().header.number}: ${JSON.stringify(at.sealer.status(), (_key, value: unknown) => String(value))}`)
        await pass(time, 500, 500)
      }
    }
    await until(3, box(ANN))
    expect(signersOf(box(ANN)).slice(0, 3)).toEqual([CEM, DORA, EVE].map((one) => one.address))
    await box(DORA).switchOff()
    await until(40, box(ANN))
    const without = signersOf(box(ANN)).slice(3)
    expect(without).not.toContain(DORA.address)
    for (const one of [ANN, BEN, CEM, EVE]) expect(without).toContain(one.address)
    for (const one of boxes) if (one.isOn) expect(one.chain.head().hash).toBe(box(ANN).chain.head().hash)
    // It was picked while it was away, and missed the slot.
    const dead = box(DORA)
    const live = box(BEN)
    await dead.reboot()
    for (let number = dead.chain.head().header.number + 1; number <= live.chain.head().header.number; number++) {
      const known = live.chain.headerAt(number)
      const body = known && live.chain.body(known.hash)
      if (!known || !body) throw new Error(`block ${number} is missing`)
      await dead.take({ header: known.header, body })
    }
    await dead.switchOn()
    await until(90, box(ANN))
    expect(signersOf(box(ANN)).slice(40)).toContain(DORA.address)
    for (const one of boxes) expect(one.chain.head().hash).toBe(box(ANN).chain.head().hash)
    expectNoEquivocation(all)
    for (const one of boxes) await one.switchOff()
  })

  it('a leader takes over after its delay, not before, and yields to the signer whose turn it is', async () => {
    const time = timeAtGenesis()
    const { boxes, box } = village(time, round([ANN, CEM, DORA], [ANN, BEN]), [CEM, DORA], [ANN, BEN])
    for (const one of boxes) await one.switchOn()
    // Block 1 is CEM's, who is not there: ANN, the round's leader, comes 5 seconds after the genesis.
    await pass(time, 4_750)
    expect(box(BEN).chain.head().header.number).toBe(0)
    await pass(time, 250)
    expect(box(BEN).chain.head()).toMatchObject({ signer: ANN.address, header: { number: 1, difficulty: 5n, timeSeconds: VILLAGE.genesis.timeSeconds + 5 } })
    await box(ANN).switchOff()
    // Then BEN, the other leader, a step further back.
    await pass(time, 8_750)
    expect(box(BEN).chain.head().header.number).toBe(1)
    await pass(time, 250)
    expect(box(BEN).chain.head()).toMatchObject({ signer: BEN.address, header: { number: 2, difficulty: 4n, timeSeconds: VILLAGE.genesis.timeSeconds + 14 } })
    await box(BEN).switchOff()
  })

  it('none seals without a trusted clock while others may', async () => {
    const time = timeAtGenesis()
    time.trusted = false
    const { boxes, all } = village(time, round([ANN, CEM], [ANN]), [CEM], [ANN, CEM])
    for (const one of boxes) await one.switchOn()
    await pass(time, 20_000, 1_000)
    expect(all).toEqual([])
    expect(boxes.map((one) => one.sealer.status().reason)).toEqual(['no-clock', 'no-clock'])
    time.trusted = true
    await pass(time, 3_000)
    expect(all.length).toBeGreaterThan(0)
    for (const one of boxes) await one.switchOff()
  })

  it('after a reorganisation a height that this key has sealed is left to others', async () => {
    const time = timeAtGenesis()
    const [FAY] = people(7) as [Person]
    const { boxes, all, box } = village(time, round([ANN, CEM, DORA, EVE], [ANN, BEN, FAY]), [], [FAY, CEM, DORA, ANN])
    // FAY, the last of the leaders, is cut off: she seals 1, 2 and 3 with a difficulty of 3 each.
    await box(FAY).switchOn()
    await pass(time, 39_000, 500)
    expect(box(FAY).chain.head()).toMatchObject({ signer: FAY.address, header: { number: 3, difficulty: 3n } })
    // The others seal 1 and 2 with 6 each: heavier, and shorter.
    const others = [box(CEM), box(DORA)]
    for (const one of others) await one.switchOn()
    box(FAY).isOn = false
    await pass(time, 2_000)
    for (const one of others) await one.switchOff()
    const theirs = all.filter((block) => block.header.difficulty === 6n)
    expect(theirs.map((block) => block.header.number)).toEqual([1, 2])
    for (const block of theirs) await box(FAY).take(block)
    expect(box(FAY).chain.head().header.number).toBe(2)
    // EVE, whose turn is 3, is not there. FAY could come after her delay, but she has sealed 3 before.
    const count = box(FAY).published.length
    await pass(time, 60_000, 1_000)
    expect(box(FAY).published).toHaveLength(count)
    expect(box(FAY).sealer.status()).toMatchObject({ state: 'idle', reason: 'sealed-already' })
    // ANN does it, and FAY goes on with the next.
    for (const block of theirs) await box(ANN).take(block)
    await box(ANN).switchOn()
    await pass(time, 1_000)
    await box(ANN).switchOff()
    await box(FAY).take(all.at(-1) as Block)
    await pass(time, 30_000, 1_000)
    expect(box(FAY).published.at(-1)?.header.number).toBeGreaterThan(3)
    expectNoEquivocation(all)
    for (const one of boxes) if (one.isOn) await one.switchOff()
    await box(FAY).switchOff()
  })
})

describe('a crash while sealing', () => {
  /** Where the machine stops: the call never returns, and nothing after it happens. */
  const STEPS = ['build', 'execute', 'persist', 'persisted', 'insert', 'inserted', 'published'] as const

  it.each(STEPS)('at "%s" leaves one seal at each height, and the chain goes on', async (step) => {
    const time = timeAtGenesis()
    const all: Block[] = []
    const box = new Box({ who: ANN, round: ALONE, time, publish: (block) => all.push(block) })
    const never = new Promise<never>(() => undefined)
    let isArmed = false
    const dies = (at: (typeof STEPS)[number]): boolean => isArmed && at === step
    const { state, chain, store } = box
    const hang = async <T>(at: (typeof STEPS)[number], call: () => Promise<T>, after?: (typeof STEPS)[number]): Promise<T> => {
      if (dies(at)) return await never
      const result = await call()
      return after !== undefined && dies(after) ? await never : result
    }
    await box.switchOn({
      executor: { hasState: (root) => state.hasState(root), build: (draft) => hang('build', () => state.build(draft)), execute: (parent, block) => hang('execute', () => state.execute(parent, block)) },
      store: { ...storeOf(store), turn: (body) => hang('persist', () => store.turn(body), 'persisted') },
      chain: new Proxy(chain, {
        get: (target, name) => {
          if (name === 'insert') return (blocks: Parameters<typeof chain.insert>[0]) => hang('insert', () => target.insert(blocks), 'inserted')
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
      publish: (block) => {
        all.push(block)
        if (dies('published')) throw new Error('the machine stopped')
      },
    })
    await pass(time, 3_000)
    isArmed = true
    await pass(time, 2_000)
    const before = all.length
    // The sealer that hangs is gone with its machine; another one starts over the same disk.
    await box.reboot()
    time.reboot('33333333-2222-4333-8444-555555555555')
    await box.switchOn()
    await settle()
    await pass(time, 6_000)
    expect(box.chain.head().header.number).toBeGreaterThanOrEqual(before + 5)
    expectNoEquivocation([...all, ...box.published])
    await box.switchOff()
  })

  it('after blocks were lost with the power the same bytes are sealed again, one after another', async () => {
    const time = timeAtGenesis()
    const box = new Box({ who: ANN, round: ALONE, time })
    await box.switchOn()
    await pass(time, 6_000)
    await box.switchOff()
    const before = box.published.map((block) => hexOf(encodeHeader(block.header)))
    expect(before).toHaveLength(6)
    box.chain.cutTo(3)
    await box.reboot()
    await box.switchOn()
    await pass(time, 3_000)
    const again = box.published.slice(6).map((block) => hexOf(encodeHeader(block.header)))
    // The head's own block first, which others may not have got, then the lost ones.
    expect(again.slice(0, 4)).toEqual(before.slice(2))
    expect(box.chain.head().header.number).toBeGreaterThan(6)
    expectNoEquivocation(box.published)
    await box.switchOff()
  })

  it('a box restored from an old copy does not seal heights again that the chain shows it sealed', async () => {
    const time = timeAtGenesis()
    const box = new Box({ who: ANN, round: ALONE, time })
    await box.switchOn()
    await pass(time, 4_000)
    await box.switchOff()
    const copy = new Box({ who: ANN, round: ALONE, time })
    for (const block of box.published) await copy.take(block)
    await copy.switchOn()
    await pass(time, 2_000)
    expectNoEquivocation([...box.published, ...copy.published])
    expect(copy.published[0]?.header.number).toBe(5)
    await copy.switchOff()
  })

  it('a box that sees its key at work elsewhere stops', async () => {
    const time = timeAtGenesis()
    const box = new Box({ who: ANN, round: ALONE, time })
    const thief = new Box({ who: ANN, round: ALONE, time })
    await box.switchOn()
    await pass(time, 2_000)
    for (const block of box.published) await thief.take(block)
    box.isInSync = false
    await thief.switchOn()
    await pass(time, 2_000)
    await thief.switchOff()
    for (const block of thief.published.filter((one) => one.header.number > 2)) await box.take(block)
    box.isInSync = true
    const before = box.published.length
    await pass(time, 10_000, 1_000)
    expect(box.published.length).toBe(before)
    expect(box.sealer.status()).toMatchObject({ state: 'idle', reason: 'key-elsewhere' })
    await box.switchOff()
  })
})

function storeOf(store: Box['store']): Box['store'] {
  return { turn: (body) => store.turn(body), read: (body) => store.read(body), backup: (path) => store.backup(path), stats: () => store.stats(), close: () => store.close() }
}
