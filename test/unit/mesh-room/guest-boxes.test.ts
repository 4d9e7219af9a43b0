/** The node for boxes on a guest network: when it begins, whom it dials, and that nothing of it is left. The wire is the test's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { GuestBoxes, guestBoxesOf } from '../../../src/main/guest-boxes.ts'
import type { GuestBoxesParts } from '../../../src/main/guest-boxes.ts'
import { FakeTime } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'

/** Keeps what it was asked for where the test finds it. */
const PEER_FILE = `
const asked = (globalThis.guestBoxesAsked ??= { starts: 0, stops: 0, dials: [], refusals: 0 })
exports.Libp2pWire = class {
  constructor(options) { this.options = options; this.peerId = new Uint8Array(38).fill(5) }
  async start() { asked.starts++; asked.listen = [...this.options.listen]; if (asked.refusals-- > 0) throw new Error('the port is taken') }
  async stop() { asked.stops++ }
  addresses() { return [] }
  async dial(address) { asked.dials.push(address); throw new Error('nobody is there') }
}`

interface Asked {
  starts: number
  stops: number
  dials: string[]
  refusals: number
  listen?: string[]
}

const ADDRESS = '0x1111111111111111111111111111111111111111'
const world = globalThis as typeof globalThis & { guestBoxesAsked?: Asked }
let folder: string
let time: FakeTime
let asked: Asked
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-guest-boxes-'))
  writeFileSync(join(folder, 'peer.cjs'), PEER_FILE)
  time = new FakeTime()
  asked = { starts: 0, stops: 0, dials: [], refusals: 0 }
  world.guestBoxesAsked = asked
})
afterEach(() => {
  delete world.guestBoxesAsked
  rmSync(folder, { recursive: true, force: true })
})

const turns = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Its guests are on the loopback, which has an address everywhere. */
function partsOf(more: { readonly roles?: readonly string[]; readonly hotspot?: 'on' | 'off'; readonly price?: string } = {}): GuestBoxesParts {
  const { roles = ['hotspot', 'relay', 'light', 'photon'], hotspot = 'on', price = '1' } = more
  const loaded = loadConfig(`config meshbox 'main'\n`, 'test')
  const config = {
    ...loaded,
    main: { ...loaded.main, roles: roles as typeof loaded.main.roles },
    hotspot: { ...loaded.hotspot, guestInterface: 'lo', gate: 'nft' as const, boxesPort: hotspot === 'off' ? 0 : 2081 },
    photon: { ...loaded.photon, streamToken: ADDRESS },
    uplinks: price === '0' ? [] : [{ maxPricePerMinute: 1n } as (typeof loaded.uplinks)[number]],
  }
  return {
    config,
    identity: { address: ADDRESS, addressFor: () => ADDRESS, deriveSecret: () => new Uint8Array(32).fill(3), signDigest: () => new Uint8Array(65) } as unknown as GuestBoxesParts['identity'],
    curve: native,
    spectrum: { neighbour: () => Promise.resolve(true), serve: () => undefined },
    clock: time,
    timers: time,
    randomness: { bytes: (length) => new Uint8Array(length).fill(9) },
    log: silentLog,
    folder,
  }
}

describe('boxes among the guests', () => {
  it.each([
    ['sells to boxes and buys of none', { price: '0' }, 1],
    ['buys of a hotspot and has no port of its own', { hotspot: 'off' }, 1],
    ['does both: a node each', {}, 2],
    ['does neither', { hotspot: 'off', price: '0' }, 0],
    ['has no channels', { roles: ['hotspot', 'relay', 'light'] }, 0],
  ] as const)('of a box that %s', (_name, more, nodes) => {
    expect(guestBoxesOf(partsOf(more))).toHaveLength(nodes)
  })

  it('are not begun with by a hotspot that is named before payments are there, nor after the end', async () => {
    const boxes = new GuestBoxes(partsOf(), 'buyer')
    boxes.meet('10.9.0.1', 2081)
    await turns()
    expect(asked).toMatchObject({ starts: 0, dials: [] })
    boxes.start()
    await turns()
    expect(asked).toMatchObject({ starts: 1, listen: [], dials: ['/ip4/10.9.0.1/tcp/2081'] })
    await boxes.stop()
    boxes.meet('10.9.0.1', 2081)
    boxes.start()
    time.advance(60_000)
    await turns()
    expect([asked.starts, asked.stops, asked.dials.length]).toEqual([1, 1, 1])
  })

  it('are heard on the guests’ side alone, and its own node dials nobody', async () => {
    const boxes = new GuestBoxes(partsOf(), 'seller')
    boxes.start()
    boxes.meet('10.9.0.1', 2081)
    await turns()
    expect(asked).toMatchObject({ starts: 1, listen: ['/ip4/127.0.0.1/tcp/2081'], dials: [] })
    await boxes.stop()
  })

  it('that were never begun with leave nothing behind', async () => {
    const boxes = new GuestBoxes(partsOf(), 'seller')
    await boxes.stop()
    time.advance(60_000)
    await turns()
    expect([asked.starts, asked.dials]).toEqual([0, []])
  })

  it('are tried again where the port was taken, and the hotspot is dialled at the port that it named last', async () => {
    asked.refusals = 1
    const sold = new GuestBoxes(partsOf(), 'seller')
    sold.start()
    await turns()
    expect(asked.starts).toBe(1)
    time.advance(5_000)
    await turns()
    expect(asked.starts).toBe(2)
    await sold.stop()
    const boxes = new GuestBoxes(partsOf(), 'buyer')
    boxes.start()
    await turns()
    for (const port of [3001, 3002, 3003]) boxes.meet('10.9.0.1', port)
    await turns()
    const before = asked.dials.length
    time.advance(5_000)
    await turns()
    expect([asked.starts, asked.dials.length > before]).toEqual([3, true])
    expect(new Set(asked.dials.slice(before))).toEqual(new Set(['/ip4/10.9.0.1/tcp/3003']))
    await boxes.stop()
  })

  it('do not dial a hotspot for ever that was not named for a quarter of an hour', async () => {
    const boxes = new GuestBoxes(partsOf({ hotspot: 'off' }), 'buyer')
    boxes.start()
    boxes.meet('10.9.0.1', 2081)
    await turns()
    time.advance(15 * 60_000)
    await turns()
    const before = asked.dials.length
    time.advance(60_000)
    await turns()
    expect([before > 0, asked.dials.length]).toEqual([true, before])
    await boxes.stop()
  })
})
