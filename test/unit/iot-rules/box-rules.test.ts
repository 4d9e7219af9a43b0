import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MeshBoxError, momentOf, silentLog } from '../../../src/base/index.ts'
import type { Actuators, QueueItem, Reading } from '../../../src/iot/ports.ts'
import { BoxRules, ruleMigrations, ruleTables } from '../../../src/iot/rules/index.ts'
import type { LocalRule } from '../../../src/iot/rules/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { reading } from '../iot-log/readings.ts'
import { PUMP, SOIL, rule } from './rules.ts'

const MINUTE = 60_000

/** A network server's queue: what was asked, and the news that a test lets out. */
class Queue implements Actuators {
  readonly items: QueueItem[] = []
  readonly data: unknown[] = []
  refuses: string | null = null

  send(...[devEui, command, { isConfirmed, asker, expiresAt }]: Parameters<Actuators['send']>): Promise<QueueItem> {
    if (this.refuses !== null) return Promise.reject(new MeshBoxError('limit', this.refuses, { code: 'queue-full' }))
    const item: QueueItem = { queueId: this.items.length + 1, devEui, fPort: 1, payload: Uint8Array.of(1), isConfirmed, asker, expiresAt, state: 'queued', tries: [] }
    this.items.push(item)
    this.data.push('data' in command ? command.data : command.bytes)
    return Promise.resolve(item)
  }

  become(queueId: number, state: QueueItem['state']): QueueItem {
    const item = this.items[queueId - 1]!
    const status = state === 'failed' ? 'TOO_LATE' : 'OK'
    return { ...item, state, tries: state === 'expired' ? [] : [{ at: { bootId: 'x', boottimeMs: 0, wallMs: 0, wallTrusted: false }, statuses: [status] }] }
  }
}

interface Box {
  readonly store: Store
  readonly time: FakeTime
  readonly queue: Queue
  rules: BoxRules
  restart(): Promise<void>
  soil(value: number, given?: Partial<Reading>): Promise<readonly { because: string; isDryRun: boolean }[]>
  pass(ms: number): Promise<void>
  tell(queueId: number, state: QueueItem['state']): Promise<void>
}

async function box(...stored: LocalRule[]): Promise<Box> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-rules-'))
  const store = openStore({ path: join(folder, 'box.db'), migrations: ruleMigrations, log: silentLog })
  const time = new FakeTime()
  const queue = new Queue()
  const make = (): BoxRules => new BoxRules({ store, actuators: queue, valueNames: (devEui) => (devEui === SOIL ? ['soil', 'door'] : devEui === PUMP ? [] : null), clock: time, timers: time, log: silentLog })
  onTestFinished(async () => {
    made.rules.stop()
    await made.rules.idle()
    await store.close()
    rmSync(folder, { recursive: true })
  })
  await store.turn((tx) => stored.forEach((one) => ruleTables.putRule(tx, one)))
  const made: Box = {
    store,
    time,
    queue,
    rules: make(),
    async restart() {
      made.rules.stop()
      await made.rules.idle()
      made.rules = make()
      await made.rules.start()
    },
    soil: (value, given = {}) => made.rules.take(reading({ devEui: SOIL, values: [{ name: 'soil', value, unit: '%' }], at: momentOf(time), ...given })),
    async tell(queueId, state) {
      made.rules.queueChanged(queue.become(queueId, state))
      await made.rules.idle()
    },
    async pass(ms) {
      time.advance(ms)
      await made.rules.idle()
    },
  }
  await made.rules.start()
  return made
}

const LIVE = { isLive: true, when: { forSeconds: 0 } } as const

describe('rules on the box', () => {
  it('begin as a dry run: they say what they would do, and do nothing', async () => {
    const { rules, queue, soil } = await box()
    await expect(rules.put(rule(LIVE))).rejects.toMatchObject({ kind: 'input', field: 'isLive' })
    await rules.put(rule({ when: { forSeconds: 0 } }))
    expect(await soil(18.5)).toMatchObject([{ rule: 'water', isDryRun: true, because: 'soil was 18.5, < 20', offAt: null, queueId: null }])
    expect(queue.items).toEqual([])
    await expect(rules.put(rule({ ...LIVE, then: { on: { valve: 4 } } }))).rejects.toMatchObject({ field: 'isLive' })
    expect(await rules.put(rule({ ...LIVE, name: 'Another name' }))).toMatchObject({ isLive: true })
    expect(await soil(18.5)).toMatchObject([{ isDryRun: false, queueId: 1 }])
    expect(rules.runs({ limit: 10 }).map(({ isDryRun }) => isDryRun)).toEqual([false, true])
    expect(() => rules.runs({ limit: 0 })).toThrow(expect.objectContaining({ field: 'limit' }))
  })

  it('are refused for a device or a value that is not there', async () => {
    const { rules } = await box()
    await expect(rules.put(rule({ when: { devEui: 'ffffffffffffffff' } }))).rejects.toMatchObject({ kind: 'not-found', field: 'when.devEui' })
    await expect(rules.put(rule({ then: { devEui: 'ffffffffffffffff' } }))).rejects.toMatchObject({ kind: 'not-found', field: 'then.devEui' })
    await expect(rules.put(rule({ when: { value: 'wind' } }))).rejects.toMatchObject({ kind: 'not-found', field: 'when.value' })
    for (let n = 0; n < 64; n++) await rules.put(rule({ id: `r${n}` }))
    await expect(rules.put(rule({ id: 'one-more' }))).rejects.toMatchObject({ kind: 'limit' })
    expect(await rules.remove('r5')).toBe(true)
    expect(await rules.remove('r5')).toBe(false)
    expect(rules.rules()).toHaveLength(63)
  })

  it('open the valve and shut it in its time, counted from when the order went out', async () => {
    const { queue, time, soil, pass, rules, tell } = await box(rule(LIVE))
    await soil(10)
    expect(queue.items[0]).toMatchObject({ devEui: PUMP, asker: 'rule:water', isConfirmed: true, expiresAt: { boottimeMs: time.boottimeMs() + 600_000 } })
    await pass(5 * MINUTE)
    await tell(1, 'sent')
    await pass(9 * MINUTE)
    await tell(1, 'acknowledged')
    await pass(0.9 * MINUTE)
    expect(queue.data).toEqual([{ valve: 3, open: true }])
    await pass(0.1 * MINUTE)
    expect(queue.data).toEqual([{ valve: 3, open: true }, { valve: 3, open: false }])
    expect(rules.runs({ limit: 1 })).toMatchObject([{ queueId: 1, offQueueId: 2, statuses: ['OK'] }])
    await pass(120 * MINUTE)
    expect(queue.items).toHaveLength(2)
  })

  it('have nothing to shut when the device never listened, or the queue refused', async () => {
    const { queue, soil, pass, tell } = await box(rule({ ...LIVE, coolDownSeconds: 60 }))
    await soil(10)
    await tell(1, 'expired')
    await pass(20 * MINUTE)
    expect(queue.items).toHaveLength(1)
    queue.refuses = 'the queue is full'
    expect(await soil(10)).toMatchObject([{ isDryRun: false, queueId: null, offAt: null, because: expect.stringContaining('the queue is full') }])
    queue.refuses = null
    await pass(20 * MINUTE)
    expect(queue.items).toHaveLength(1)
  })

  it('try the way back again while it is refused or not acknowledged, later each time, and give up at last', async () => {
    const { queue, soil, pass, rules, tell } = await box(rule(LIVE))
    await soil(10)
    queue.refuses = 'the queue is full'
    await pass(10 * MINUTE)
    queue.refuses = null
    await pass(1 * MINUTE)
    expect(queue.items).toHaveLength(2)
    for (let n = 0; n < 30; n++) {
      await tell(queue.items.length, 'failed')
      await pass(61 * MINUTE)
    }
    expect(queue.items).toHaveLength(20)
    expect(queue.data.slice(1).every((data) => JSON.stringify(data) === '{"valve":3,"open":false}')).toBe(true)
    expect(rules.runs({ limit: 1 })[0]?.because).toContain('the way back failed 20 times')
  })

  it('shut what was open when the service stopped: in its time, or at once after a reboot without a clock', async () => {
    const same = await box(rule(LIVE))
    await same.soil(10)
    await same.pass(4 * MINUTE)
    await same.restart()
    await same.pass(5.9 * MINUTE)
    expect(same.queue.items).toHaveLength(1)
    await same.pass(0.1 * MINUTE)
    expect(same.queue.items).toHaveLength(2)

    const other = await box(rule(LIVE))
    await other.soil(10)
    other.time.reboot('22222222-2222-4333-8444-555555555555')
    await other.restart()
    await other.pass(0)
    expect(other.queue.items).toHaveLength(2)
  })

  it('keep their cool-down over restarts and reboots', async () => {
    for (const [isTrusted, quietMinutes] of [[true, 70], [false, 100]] as const) {
      const { time, queue, soil, pass, restart } = await box(rule({ ...LIVE, then: { off: null, durationSeconds: null } }))
      time.trusted = isTrusted
      await soil(10)
      await pass(20 * MINUTE)
      await restart()
      await soil(10)
      await pass(20 * MINUTE)
      time.reboot('22222222-2222-4333-8444-555555555555')
      await restart()
      for (let minutes = 40; minutes < quietMinutes - 10; minutes += 10) {
        await soil(10)
        await pass(10 * MINUTE)
      }
      expect(queue.items).toHaveLength(1)
      await pass(10 * MINUTE)
      await soil(10)
      expect(queue.items).toHaveLength(2)
    }
  })

  it('shut what they opened before they are removed, and as they were when they opened it', async () => {
    const { queue, soil, pass, rules } = await box(rule(LIVE), rule({ ...LIVE, id: 'other' }))
    await soil(10)
    expect(queue.items).toHaveLength(2)
    await rules.remove('water')
    expect(queue.data[2]).toEqual({ valve: 3, open: false })
    await rules.put(rule({ id: 'other', then: { off: { never: true } } }))
    await pass(10 * MINUTE)
    expect(queue.data.slice(3)).toEqual([{ valve: 3, open: false }])
  })

  it('are moved by nothing that is late, unread, of another device, or paused', async () => {
    const { queue, soil, rules } = await box(rule({ ...LIVE, id: 'paused', isPaused: true }), rule(LIVE))
    expect(await soil(10, { isLate: true })).toEqual([])
    expect(await soil(10, { values: null, problem: 'the codec threw' })).toEqual([])
    expect(await soil(10, { devEui: PUMP })).toEqual([])
    expect(await soil(10, { values: [{ name: 'soil_2', value: 10, unit: null }] })).toEqual([])
    expect(queue.items).toEqual([])
    expect(await soil(10)).toHaveLength(1)
    expect(rules.runs({ rule: 'paused', limit: 5 })).toEqual([])
  })

  it('that call each other are bounded by their cool-downs', async () => {
    const { queue, rules, pass, time } = await box(
      rule({ id: 'ping', isLive: true, when: { forSeconds: 0 }, then: { off: null, durationSeconds: null, on: 'ping' }, coolDownSeconds: 10 }),
      rule({ id: 'pong', isLive: true, when: { devEui: PUMP, forSeconds: 0 }, then: { devEui: SOIL, off: null, durationSeconds: null, on: 'pong' }, coolDownSeconds: 10 }),
    )
    let answered = 0
    for (let second = 0; second < 3_600; second++) {
      const due = queue.items.slice(answered)
      answered = queue.items.length
      for (const devEui of second === 0 ? [SOIL] : due.map((item) => item.devEui)) await rules.take(reading({ devEui, values: [{ name: 'soil', value: 1, unit: null }], at: momentOf(time) }))
      if (second % 20 === 0) await rules.take(reading({ devEui: SOIL, values: [{ name: 'soil', value: 1, unit: null }], at: momentOf(time) }))
      await pass(1_000)
    }
    expect(queue.items.length).toBeGreaterThan(40)
    expect(queue.items.length).toBeLessThanOrEqual(60)
  })
})

/** Weeks of weather, refusals, lost orders, restarts and reboots. */
describe.each([1, 2, 3])('a season, seed %i', (seed) => {
  it('leaves no valve open, opens none in a dry run, and none too often or too long', async () => {
    const random = seededRandom(seed)
    const rules = [
      rule({ isLive: true, when: { forSeconds: 600 }, hysteresis: 2 }),
      rule({ id: 'dry', when: { than: 50, forSeconds: 0 }, then: { on: { dry: true } } }),
    ]
    const { time, queue, soil, pass, restart, tell, ...made } = await box(...rules)
    let soilNow = 30
    let openSince: number | null = null
    let told = 0
    let boots = 0
    const opened: number[] = []
    for (let step = 0; step < 250; step++) {
      soilNow = Math.min(60, Math.max(5, soilNow + (openSince === null ? -2 : 3) * random.next()))
      queue.refuses = random.next() < 0.1 ? 'the queue is full' : null
      await soil(soilNow)
      await pass(Math.floor(random.next() * 8 * MINUTE))
      // The device: takes most of what it is sent, and acknowledges most of what it takes.
      for (; told < queue.items.length; told++) {
        const data = queue.data[told] as { open?: boolean; dry?: boolean }
        expect(data.dry).toBe(undefined)
        const isTaken = random.next() < 0.8
        if (isTaken && data.open === true) {
          opened.push(time.wallMs())
          openSince ??= time.wallMs()
        }
        if (isTaken && data.open === false) openSince = null
        await tell(told + 1, isTaken ? 'acknowledged' : data.open === true ? 'expired' : 'failed')
      }
      if (random.next() < 0.03) {
        boots++
        time.trusted = random.next() < 0.5
        time.reboot(`${String(boots).padStart(8, '0')}-2222-4333-8444-555555555555`)
        await restart()
      } else if (random.next() < 0.05) await restart()
      await made.rules.idle()
      if (openSince !== null) expect(time.wallMs() - openSince).toBeLessThan(3 * 3_600_000)
    }
    queue.refuses = null
    for (let n = 0; n < 40 && openSince !== null; n++) {
      await pass(61 * MINUTE)
      for (; told < queue.items.length; told++) {
        await tell(told + 1, 'acknowledged')
        openSince = null
      }
    }
    expect(openSince).toBe(null)
    expect(opened.length).toBeGreaterThan(2)
    for (let n = 1; n < opened.length; n++) expect(opened[n]! - opened[n - 1]!).toBeGreaterThan(3_600_000)
    expect(made.rules.runs({ rule: 'dry', limit: 500 }).every(({ isDryRun }) => isDryRun)).toBe(true)
  })
})
