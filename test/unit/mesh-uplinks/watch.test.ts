/** The ways out together: switching within 3 s, what the kernel is told, and what guests hear. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Reach, UplinkProbe } from '../../../src/mesh/ports.ts'
import { UplinkWatch, UpstreamPurse } from '../../../src/mesh/uplinks/index.ts'
import type { LinkSight, UplinkRouting, UplinkSetting } from '../../../src/mesh/uplinks/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'

const setting = (name: string, unitsPerMiB = 0n, kind: UplinkSetting['kind'] = 'ethernet'): UplinkSetting => ({ name, kind, interfaceName: `${name}0`, unitsPerMiB, downKbit: 1000, upKbit: 100, targets: ['192.0.2.1', '192.0.2.2'] })

class Place implements UplinkRouting, UplinkProbe {
  readonly time = new FakeTime()
  readonly dead = new Set<string>()
  readonly unplugged = new Set<string>()
  readonly told: string[] = []
  refreshedAfterDown: string[] = []
  kernelRefuses = false
  sentBytes = 0

  async probe(interfaceName: string, _: string, timeoutMs: number): Promise<{ ok: boolean; roundTripMs: number; reason: string }> {
    const ok = !this.dead.has(interfaceName)
    await new Promise<void>((resolve) => this.time.after(ok ? 20 : timeoutMs, resolve))
    return { ok, roundTripMs: 20, reason: ok ? 'answers' : 'silent' }
  }
  async choose(interfaceName: string | null): Promise<void> {
    if (this.kernelRefuses) throw new Error('the kernel is busy')
    this.told.push(`${interfaceName}`)
  }
  async announceGateway(mode: { readonly kind: string }): Promise<void> {
    this.told.push(mode.kind)
  }
  async refresh(wereDown: readonly string[]): Promise<void> {
    this.refreshedAfterDown.push(...wereDown)
  }
  see(interfaceName: string): LinkSight {
    this.sentBytes += 5000
    return { trouble: this.unplugged.has(interfaceName) ? 'the link is down' : null, sentBytes: this.sentBytes }
  }
  places(): null[] {
    return []
  }
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.time.advance(10)
      for (let turn = 0; turn < 4; turn++) await Promise.resolve()
      if (passed % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

async function running(...settings: UplinkSetting[]): Promise<{ place: Place; watch: UplinkWatch; heard: (Reach | string | null)[][] }> {
  const place = new Place()
  const watch = new UplinkWatch({ settings, probe: place, links: place, routes: place, purses: new Map(), clock: place.time, timers: place.time, log: silentLog })
  const heard: (Reach | string | null)[][] = []
  watch.on((chosen, reach) => heard.push([chosen?.name ?? null, reach]))
  watch.start()
  await place.run(1000)
  return { place, watch, heard }
}

describe('ways out', () => {
  it('no gateway at first; the first way that answers is taken, and the mesh is told', async () => {
    const { place, watch, heard } = await running(setting('eth'), setting('lte', 5n, 'lte'))
    expect(watch.states().map(({ name, isChosen, health }) => [name, isChosen, health])).toEqual([['eth', true, 'good'], ['lte', false, 'good']])
    expect(place.told).toEqual(['null', 'client', 'eth0', 'server'])
    expect(heard.at(-1)).toEqual(['eth', 'internet'])
    await watch.stop()
  })

  it('traffic is over another 3 s after a silent loss, and at once after a pulled cable', async () => {
    for (const how of ['dead', 'unplugged'] as const) {
      const { place, watch } = await running(setting('eth'), setting('lte', 5n, 'lte'))
      await place.run(5370)
      place[how].add('eth0')
      await place.run(how === 'dead' ? 2990 : 600)
      expect(place.told).toEqual(['null', 'client', 'eth0', 'server', 'lte0', 'server'])
      await watch.stop()
    }
  })

  it('with none left, guests hear so, the gateway mode goes, and the way is taken again when it is back', async () => {
    const { place, watch, heard } = await running(setting('eth'))
    place.unplugged.add('eth0')
    await place.run(1000)
    expect(heard.at(-1)).toEqual([null, 'none'])
    expect(place.told.slice(4)).toEqual(['null', 'client'])
    expect(watch.reason()).toContain('eth is down')
    expect(watch.states()[0]?.reason).toBe('the link is down')
    place.unplugged.delete('eth0')
    await place.run(8000)
    expect(heard.at(-1)).toEqual(['eth', 'internet'])
    expect(place.refreshedAfterDown).toEqual(['eth0'])
    await watch.stop()
  })

  it("a neighbour's way is not announced as one's own", async () => {
    const { place, watch } = await running(setting('mesh', 0n, 'neighbour'))
    expect(place.told).toEqual(['null', 'client', 'mesh0', 'client'])
    await watch.stop()
  })

  it('a kernel that refuses is told again, and hears what holds by then', async () => {
    const place = new Place()
    place.kernelRefuses = true
    const watch = new UplinkWatch({ settings: [setting('eth'), setting('lte', 5n, 'lte')], probe: place, links: place, routes: place, purses: new Map(), clock: place.time, timers: place.time, log: silentLog })
    watch.start()
    await place.run(2000)
    place.unplugged.add('eth0')
    await place.run(1000)
    expect(watch.trouble()).toBe('the kernel is busy')
    place.kernelRefuses = false
    await place.run(2000)
    expect(place.told).toEqual(['lte0', 'server'])
    expect(watch.trouble()).toBeNull()
    await watch.stop()
  })

  it('time upstream is bought only when all else was tried and is down, at one seller, and used at once', async () => {
    const place = new Place()
    const bought: string[] = []
    const upstream = (name: string): UpstreamPurse =>
      new UpstreamPurse({
        uplink: name,
        interfaceName: `${name}0`,
        limits: () => ({ cap: 1000n, maxUnitsPerMinute: 7n }),
        seller: {
          offer: async () => ({ payee: `0x${'11'.repeat(20)}`, token: `0x${'22'.repeat(20)}`, unitsPerMinute: 7n, minSeconds: 60, maxSeconds: 3600, leftSeconds: 0 }),
          buy: async (interfaceName) => {
            bought.push(interfaceName)
            place.dead.delete(interfaceName)
            return { leftSeconds: 600 }
          },
        },
        book: { read: () => null, write: async () => undefined },
        clock: place.time,
        randomness: seededRandom(3),
        log: silentLog,
      })
    for (const name of ['cafe0', 'bar0']) place.dead.add(name)
    const settings = [setting('eth'), setting('cafe', 9n, 'wifi'), setting('bar', 9n, 'wifi')]
    const purses = new Map(['cafe', 'bar'].map((name) => [name, upstream(name)]))
    const watch = new UplinkWatch({ settings, probe: place, links: place, routes: place, purses, clock: place.time, timers: place.time, log: silentLog })
    watch.start()
    await place.run(10_000)
    expect(bought).toEqual([])
    place.dead.add('eth0')
    await place.run(10_000)
    expect(bought).toEqual(['cafe0'])
    expect(watch.states().find(({ isChosen }) => isChosen)?.name).toBe('cafe')
    expect(watch.details()[1]?.purchase).toMatchObject({ spentInDay: 70n, cap: 1000n, reason: 'paid' })
    // It is bought on while it is in use, and not when the own way is back.
    await place.run(560_000)
    expect(bought).toEqual(['cafe0', 'cafe0'])
    place.dead.delete('eth0')
    await place.run(620_000)
    expect(bought).toEqual(['cafe0', 'cafe0'])
    expect(watch.states().find(({ isChosen }) => isChosen)?.name).toBe('eth')
    await watch.stop()
  })
})
