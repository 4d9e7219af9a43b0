/** What keeps peers within bounds, each by itself: allowances, budget, known sets, questions, fetches, bans, calling again, enode URLs. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog, toHex } from '../../../src/base/index.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import type { ChainSource } from '../../../src/spectrum/ports.ts'
import { Allowance } from '../../../src/spectrum/source/allowance.ts'
import { Bans, forgetfulBans } from '../../../src/spectrum/source/bans.ts'
import { BlockFetches } from '../../../src/spectrum/source/block-fetches.ts'
import { Dialing } from '../../../src/spectrum/source/dialing.ts'
import { bytesOfIpv6, isIpv4, parseEnode } from '../../../src/spectrum/source/enode.ts'
import { identityOf } from '../../../src/spectrum/source/eth63-peer.ts'
import { formatEnode } from '../../../src/spectrum/source/index.ts'
import { SourcePool } from '../../../src/spectrum/source/pool.ts'
import type { Ban, Enode } from '../../../src/spectrum/source/index.ts'
import { KnownSet } from '../../../src/spectrum/source/known-set.ts'
import { LIE_BAN_SECONDS, MAX_OUTSTANDING_REQUESTS, REQUEST_TIMEOUT_MS } from '../../../src/spectrum/source/limits.ts'
import { ReceiveBudget } from '../../../src/spectrum/source/receive-budget.ts'
import { Requests } from '../../../src/spectrum/source/requests.ts'
import { FakeTime } from '../../support/fakes.ts'
import { randomStream } from '../native/random-stream.ts'
import { native } from '../spectrum/curves.ts'
import { Ears, devnet } from './towns.ts'

const { bytes: noise } = randomStream('bounds')
const hash = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`

describe('an allowance', () => {
  it('gives its burst, then what comes back in time, and never more than the burst', () => {
    const allowance = new Allowance({ burst: 10, perSecond: 2 }, 0)
    expect([allowance.take(8, 0), allowance.take(3, 0), allowance.take(2, 0)]).toEqual([true, false, true])
    expect([allowance.take(1, 400), allowance.take(1, 500), allowance.take(1, 500)]).toEqual([false, true, false])
    expect([allowance.take(10, 1e9), allowance.take(1, 1e9)]).toEqual([true, false])
  })

  it('says how long to wait where more was spent than there was', () => {
    const allowance = new Allowance({ burst: 100, perSecond: 10 }, 0)
    expect([allowance.spend(100, 0), allowance.spend(50, 0), allowance.spend(0, 5000)]).toEqual([0, 5000, 0])
  })
})

describe('the budget of received bytes', () => {
  it('lets through what fits, in order, and is never above its bound by more than one message that is alone', async () => {
    const budget = new ReceiveBudget(100)
    const order: number[] = []
    const take = (bytes: number, name: number): void => void budget.reserve(bytes).then(() => order.push(name))
    take(60, 1)
    take(60, 2)
    take(10, 3) // would fit, but is not let past the one before it
    await Promise.resolve()
    expect([order, budget.usedBytes, budget.waiting]).toEqual([[1], 60, 2])
    budget.release(60)
    await Promise.resolve()
    expect([order, budget.usedBytes]).toEqual([[1, 2, 3], 70])
    take(500, 4)
    budget.release(70)
    await Promise.resolve()
    expect([order, budget.usedBytes]).toEqual([[1, 2, 3, 4], 500])
    budget.release(500)
    expect(budget.usedBytes).toBe(0)
  })
})

describe('a known set', () => {
  it('forgets the oldest and stays within its bound', () => {
    const known = new KnownSet(3)
    expect([1, 2, 3, 2, 4].map((number) => known.add(hash(number)))).toEqual([true, true, true, false, true])
    expect([known.size, known.has(hash(1)), known.has(hash(4))]).toEqual([3, false, true])
  })
})

describe('questions', () => {
  it('are answered in the order of their kind', async () => {
    const requests = new Requests(new FakeTime(), () => undefined)
    const [first, second, other] = [requests.wait(4), requests.wait(4), requests.wait(6)]
    expect(requests.reply(6, noise(3))).toBe(true)
    expect(requests.reply(4, Uint8Array.of(1))).toBe(true)
    expect(requests.reply(4, Uint8Array.of(2))).toBe(true)
    expect(requests.reply(4, Uint8Array.of(3))).toBe(false)
    expect([await first, await second, (await other).length]).toEqual([Uint8Array.of(1), Uint8Array.of(2), 3])
    expect([requests.outstanding, requests.expects(4)]).toEqual([0, false])
  })

  it('all fail with the first that times out, and those after it', async () => {
    const time = new FakeTime()
    let ended = 0
    const requests = new Requests(time, () => ended++)
    const early = requests.wait(4)
    time.advance(REQUEST_TIMEOUT_MS - 1)
    const late = requests.wait(6)
    time.advance(1)
    await expect(early).rejects.toMatchObject({ code: 'source-slow' })
    await expect(late).rejects.toMatchObject({ code: 'source-slow' })
    await expect(requests.wait(4)).rejects.toMatchObject({ code: 'source-slow' })
    time.advance(10 * REQUEST_TIMEOUT_MS)
    expect([ended, requests.outstanding]).toEqual([1, 0])
  })

  it('are refused above their number', async () => {
    const requests = new Requests(new FakeTime(), () => undefined)
    const waiting = Array.from({ length: MAX_OUTSTANDING_REQUESTS }, () => requests.wait(4))
    const sent: string[] = []
    await expect(requests.wait(4, () => sent.push('too many'))).rejects.toMatchObject({ code: 'source-busy', kind: 'limit' })
    // Its reply would be taken for the next one's, and an honest source for a liar.
    expect(sent).toEqual([])
    requests.end(new Error('over'))
    expect((await Promise.allSettled(waiting)).every((one) => one.status === 'rejected')).toBe(true)
  })
})

describe('fetches of announced blocks', () => {
  it('are made once, and by the next announcer where one fails', () => {
    const fetches = new BlockFetches()
    const asked: string[] = []
    for (const name of ['a', 'b', 'c']) fetches.announced(hash(1), () => asked.push(name))
    expect(asked).toEqual(['a'])
    fetches.failed(hash(1))
    expect(asked).toEqual(['a', 'b'])
    fetches.done(hash(1))
    fetches.failed(hash(1))
    expect([asked, fetches.size]).toEqual([['a', 'b'], 0])
  })

  it('are bounded', () => {
    const fetches = new BlockFetches()
    let asked = 0
    for (let number = 0; number < 500; number++) for (let times = 0; times < 20; times++) fetches.announced(hash(number), () => asked++)
    expect([fetches.size, asked]).toEqual([64, 64])
    for (let times = 0; times < 20; times++) fetches.failed(hash(3))
    expect(asked).toBe(64 + 4)
  })
})

describe('bans', () => {
  const store = () => {
    const saved: (readonly Ban[])[] = []
    return { saved, load: (): readonly Ban[] => saved.at(-1) ?? [], save: (bans: readonly Ban[]) => void saved.push(bans) }
  }

  it('end, outlive a restart, and are saved', () => {
    const time = new FakeTime()
    const keep = store()
    const bans = new Bans(keep, time, 10)
    bans.add('node', 'lied', 100)
    time.advance(60_000)
    time.reboot('22222222-2222-4333-8444-555555555555')
    const again = new Bans(keep, time, 10)
    expect([again.isBanned('node'), again.isBanned('other')]).toEqual([true, false])
    time.advance(40_000)
    expect([again.isBanned('node'), again.size, keep.saved.at(-1)?.length]).toEqual([false, 0, 1])
  })

  it('do not end by a jump of the wall clock, either way', () => {
    const time = new FakeTime()
    const bans = new Bans(forgetfulBans, time, 10)
    bans.add('node', 'lied', 100)
    time.jumpWall(10 * 365 * 86_400_000)
    expect(bans.isBanned('node')).toBe(true)
    time.advance(100_000)
    expect(bans.isBanned('node')).toBe(false)
  })

  it('are not shortened, can be lifted, and are bounded: the first to end goes', () => {
    const bans = new Bans(forgetfulBans, new FakeTime(), 3)
    bans.add('a', 'lied', 1000)
    bans.add('a', 'again', 10)
    expect(bans.list()[0]?.reason).toBe('lied')
    for (const [name, seconds] of [['b', 50], ['c', 500], ['d', 5000]] as const) bans.add(name, 'lied', seconds)
    expect(bans.list().map((ban) => ban.identity).sort()).toEqual(['a', 'c', 'd'])
    bans.lift('a')
    expect(bans.isBanned('a')).toBe(false)
  })
})

describe('calling', () => {
  const enode = (number: number): Enode => ({ nodeId: new Uint8Array(64).fill(number), address: '203.0.113.1', tcpPort: 1, udpPort: 1 })
  const ended = (dialing: Dialing, node: Enode, wasUseful: boolean, nowMs: number): void => dialing.ended(identityOf(node.nodeId), wasUseful, nowMs, 1)
  const nobody = (): boolean => false

  it('takes static peers first, each once at a time, as many as there is room', () => {
    const dialing = new Dialing()
    dialing.addFound(enode(1), 0)
    dialing.addStatic(enode(2), 0)
    dialing.addStatic(enode(3), 0)
    expect(dialing.due(0, 2, nobody)).toEqual([enode(2), enode(3)])
    expect(dialing.due(0, 5, nobody)).toEqual([enode(1)])
    expect(dialing.due(0, 5, nobody)).toEqual([])
    expect(new Dialing().due(0, -1, nobody)).toEqual([])
  })

  it('passes over who is connected or banned', () => {
    const dialing = new Dialing()
    dialing.addStatic(enode(1), 0)
    expect(dialing.due(0, 5, (identity) => identity === identityOf(enode(1).nodeId))).toEqual([])
    expect(dialing.due(0, 5, nobody)).toEqual([enode(1)])
  })

  it('calls again at once where this box has another address', () => {
    const dialing = new Dialing()
    dialing.addStatic(enode(1), 0)
    for (let failure = 0; failure < 3; failure++) {
      dialing.due(failure * 300_000, 1, nobody)
      ended(dialing, enode(1), false, failure * 300_000)
    }
    expect(dialing.due(600_001, 1, nobody)).toEqual([])
    dialing.again(600_001)
    expect(dialing.due(600_001, 1, nobody)).toEqual([enode(1)])
  })

  it('waits longer after each failure, up to five minutes, and starts anew after a success', () => {
    const dialing = new Dialing()
    dialing.addStatic(enode(1), 0)
    let nowMs = 0
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      dialing.due(nowMs, 1, nobody)
      ended(dialing, enode(1), false, nowMs)
      let waitMs = 0
      while (dialing.due(nowMs + waitMs, 1, nobody).length === 0) waitMs += 1000
      ended(dialing, enode(1), i === 11, nowMs)
      waits.push(waitMs)
    }
    expect(waits.slice(0, 3)).toEqual([2000, 8000, 32_000])
    expect(Math.max(...waits)).toBe(300_000)
    expect(dialing.due(nowMs + 1000, 1, nobody)).toHaveLength(1)
  })

  it('forgets found nodes after a few failures, and never static ones', () => {
    const dialing = new Dialing()
    dialing.addStatic(enode(1), 0)
    for (let number = 2; number < 250; number++) dialing.addFound(enode(number), 0)
    expect(dialing.size).toBe(128)
    for (let times = 0; times < 3; times++) for (let number = 1; number < 250; number++) ended(dialing, enode(number), false, 0)
    expect([dialing.size, dialing.isStatic(identityOf(enode(1).nodeId))]).toEqual([1, true])
  })
})

describe('enode URLs', () => {
  const id = 'ab'.repeat(64)

  it.each([
    [`enode://${id}@203.0.113.7:60303`, '203.0.113.7', 60303, 60303],
    [`enode://${id}@203.0.113.7:60303?discport=60304`, '203.0.113.7', 60303, 60304],
    [`enode://${id}@[2001:db8::1]:1`, '2001:db8::1', 1, 1],
  ])('%s', (url, address, tcpPort, udpPort) => {
    const enode = parseEnode(url)
    expect({ ...enode, nodeId: toHex(enode.nodeId) }).toEqual({ nodeId: id, address, tcpPort, udpPort })
    expect(formatEnode(enode)).toBe(url)
  })

  it.each([
    ['http://x', /enode:\/\//],
    [`enode://${id}`, /enode:\/\//],
    [`enode://${id.slice(2)}@203.0.113.7:1`, /enode.nodeId.*128 hex digits/],
    [`enode://${'zz'.repeat(64)}@203.0.113.7:1`, /enode.nodeId/],
    [`enode://${id}@example.org:1`, /enode.address.*no name/],
    [`enode://${id}@256.0.0.1:1`, /enode.address/],
    [`enode://${id}@2001:db8::1:1`, /enode.address/],
    [`enode://${id}@[1::2::3]:1`, /enode.address/],
    [`enode://${id}@203.0.113.7:`, /enode.port/],
    [`enode://${id}@203.0.113.7:0`, /enode.port/],
    [`enode://${id}@203.0.113.7:70000`, /enode.port.*1 to 65535/],
    [`enode://${id}@203.0.113.7:1?discport=70000`, /enode.discport/],
    [`enode://${id}@203.0.113.7:1?x=1`, /enode/],
  ])('%s is refused: %s', (url, reason) => {
    expect(() => parseEnode(url)).toThrow(reason)
  })

  it('of any text give an enode or an input error', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (id1, rest) => {
        try {
          parseEnode(`enode://${id1}@${rest}`)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
        }
      }),
      { seed: 3 },
    )
  })

  it('know addresses', () => {
    expect(['1.2.3.4', '0.0.0.0', '01.2.3.4', '1.2.3', '1.2.3.4.5', 'a.b.c.d'].map(isIpv4)).toEqual([true, true, false, false, false, false])
    expect(toHex(bytesOfIpv6('2001:db8::1') ?? new Uint8Array(0))).toBe('20010db8000000000000000000000001')
    expect(toHex(bytesOfIpv6('::') ?? new Uint8Array(0))).toBe('00'.repeat(16))
    expect(['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2:3:4:5:6:7:8', ':::', 'g::', '12345::'].map(bytesOfIpv6)).toEqual([null, null, null, null, null, null])
  })
})

describe('the pool', () => {
  const pool = (maxSources = 3) => new SourcePool({ keccak: native, clock: new FakeTime(), log: silentLog, bans: forgetfulBans, maxSources })
  function fake(id: string) {
    const closed: string[] = []
    const source: ChainSource = { id, kind: 'local', head: () => null, headers: async () => [], bodies: async () => [], receipts: async () => [], nodes: async () => [], sendTransactions: () => undefined, announceBlock: () => undefined, close: (reason) => void closed.push(reason) }
    return { source, closed }
  }

  it('admits until it is full, and tells who comes and goes once', () => {
    const all = pool(2)
    const ears = new Ears()
    const [a, b, c] = [fake('a'), fake('b'), fake('c')]
    expect(all.admit(a.source, 'A')).toBe(true)
    all.on(ears)
    expect([all.admit(b.source, 'B'), all.admit(c.source, 'C')]).toEqual([true, false])
    expect(ears.sources.map((one) => one.id)).toEqual(['a', 'b'])
    all.dismiss(a.source, 'gone')
    all.dismiss(a.source, 'gone')
    expect(ears.ended).toHaveLength(1)
    expect([all.identity(a.source), all.identity(b.source)]).toEqual([null, 'B'])
  })

  it('closes and bans a liar, and only closes a slow one', () => {
    const time = new FakeTime()
    const all = new SourcePool({ keccak: native, clock: time, log: silentLog, bans: forgetfulBans, maxSources: 3 })
    const [liar, slow] = [fake('liar'), fake('slow')]
    all.admit(liar.source, 'L')
    all.admit(slow.source, 'S')
    all.punish(liar.source, { kind: 'lie', reason: 'a forged header' })
    all.punish(slow.source, { kind: 'slow', reason: 'no answer' })
    expect([liar.closed, slow.closed]).toEqual([['a forged header'], ['no answer']])
    expect([all.isBanned('L'), all.isBanned('S'), all.list().length]).toEqual([true, false, 0])
    expect(all.admit(liar.source, 'L')).toBe(false)
    time.advance(LIE_BAN_SECONDS * 1000)
    expect(all.admit(liar.source, 'L')).toBe(true)
  })

  it('forwards only what its own sources say, and bears a listener that throws', () => {
    const all = pool()
    const ears = new Ears()
    all.on({ ...new Ears(), opened: () => undefined, closed: () => undefined, transactionsPushed: () => undefined, headChanged: () => undefined, blockPushed: () => { throw new MeshBoxError('input', 'our own fault', { code: 'x' }) } })
    const leave = all.on(ears)
    const [inside, outside] = [fake('in'), fake('out')]
    all.admit(inside.source, 'I')
    all.blockPushed(inside.source, devnet(1).rlp, devnet(1).bodyRlp, 1n)
    all.blockPushed(outside.source, devnet(2).rlp, devnet(2).bodyRlp, 1n)
    leave()
    all.blockPushed(inside.source, devnet(3).rlp, devnet(3).bodyRlp, 1n)
    expect(ears.blocks.map((block) => block.header)).toEqual([devnet(1).rlp])
  })

  it('closed, closes all and admits no more', () => {
    const all = pool()
    const a = fake('a')
    all.admit(a.source, 'A')
    all.close('we stop')
    expect([a.closed, all.list().length, all.admit(fake('b').source, 'B')]).toEqual([['we stop'], 0, false])
  })
})
