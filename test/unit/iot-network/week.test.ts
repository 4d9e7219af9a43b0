/**
 * Fifty devices, three gateways, a week: frames lost both ways, heard twice, repeated and recorded; gateways that go away and start anew; the
 * box started again, in order and not. Seeded. What must hold: no counter ever carries two frames, nothing is taken twice, and nothing is
 * on the air where its device does not listen. More of it: MESHBOX_LORA_HOURS, MESHBOX_LORA_INTERVAL_MS, MESHBOX_LORA_SEED.
 */
import { expect, it } from 'vitest'
import { decodeFrame, isMicRight } from '../../../src/iot/lorawan/index.ts'
import type { SessionCiphers } from '../../../src/iot/lorawan/index.ts'
import type { Modulation } from '../../../src/iot/ports.ts'
import { seededRandom } from '../../support/fakes.ts'
import { Box, EU868, otaa } from './box.ts'
import type { OnAir } from './box.ts'
import { Sensor } from './sensor.ts'

const HOURS = Number(process.env.MESHBOX_LORA_HOURS ?? 168)
const SEED = Number(process.env.MESHBOX_LORA_SEED ?? 20_261_122)
const DEVICES = 50
const HOUR_MS = 3_600_000
/** Each device speaks so often; shorter: more frames in the same time. */
const INTERVAL_MS = Number(process.env.MESHBOX_LORA_INTERVAL_MS ?? 12 * HOUR_MS)
const LOST_UP = 0.1
const LOST_DOWN = 0.1

interface Said {
  readonly upMs: number
  readonly up: { readonly frequencyHz: number; readonly dataRate: number }
  readonly delays: Sensor['delays']
  readonly isJoin: boolean
}

interface Life {
  readonly devAddr: number
  readonly ciphers: SessionCiphers
}

const JOIN_DELAYS: Sensor['delays'] = { rx1: 5, rx2: 6, offset: 0, rx2At: { frequencyHz: 869_525_000, dataRate: 0 } }
const HEARD_KEPT = 40
/** What the owner may change his plan to, at a restart. */
const PLANS = [1, 2].flatMap((rxDelaySeconds) => [0, 3].map((dataRate) => ({ rxDelaySeconds, rx2: { frequencyHz: 869_525_000, dataRate } })))

class Week {
  readonly box = new Box({ gateways: 3, seed: SEED, wishes: { extraChannelsHz: [867_100_000, 867_300_000] } })
  readonly dice = seededRandom(SEED)
  readonly sensors: Sensor[] = []
  /** What it said last itself: then it listens. */
  readonly said = new Map<Sensor, Said>()
  /** What the box heard in its name, its own or played back. */
  readonly heard = new Map<Sensor, Said[]>()
  readonly lives = new Map<Sensor, Life[]>()
  readonly recorded: { readonly sensor: Sensor; readonly phy: Uint8Array; readonly isJoin: boolean }[] = []
  readonly taken = new Set<string>()
  readonly twice: string[] = []
  /** By address and 32-bit counter, of all that was on the air. */
  readonly onAir = new Set<string>()
  readonly counts = { up: 0, down: 0, hearings: 0, joins: 0, replays: 0, restarts: 0 }
  #seen = 0

  roll(share: number): boolean {
    return this.dice.next() < share
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.dice.next() * from.length)] as T
  }

  /** One frame of a device, with its windows; repeated until it hears something, as often as it may. */
  async speak(sensor: Sensor): Promise<void> {
    const isJoin = sensor.ciphers === null || this.roll(0.02)
    if (isJoin) sensor.ciphers = null
    const frequencyHz = this.pick(isJoin ? [868_100_000, 868_300_000, 868_500_000] : sensor.frequencies.filter((_, index) => sensor.isOn[index] === true))
    const isConfirmed = this.roll(0.3)
    const phy = isJoin ? sensor.joinRequest() : sensor.frame(this.dice.bytes(1 + Math.floor(this.dice.next() * 20)), { isConfirmed })
    this.recorded.push({ sensor, phy, isJoin })
    if (this.recorded.length > 500) this.recorded.splice(Math.floor(this.dice.next() * 500), 1)
    const before = sensor.received.length
    const times = isJoin ? 1 : Math.max(sensor.nbTrans, isConfirmed ? 3 : 1)
    for (let again = 0; again < times && sensor.received.length === before; again++) await this.transmit(sensor, phy, { frequencyHz, dataRate: sensor.dataRate }, isJoin)
  }

  async transmit(sensor: Sensor, phy: Uint8Array, up: Said['up'], isJoin: boolean): Promise<void> {
    this.counts.up++
    if (isJoin) this.counts.joins++
    this.said.set(sensor, { upMs: this.box.time.boottimeMs(), up, delays: isJoin ? JOIN_DELAYS : sensor.delays, isJoin })
    const gateways = this.roll(LOST_UP) ? [] : [0, 1, 2].filter(() => this.roll(0.6))
    if (gateways.length > 0) this.reach(sensor, phy, up, isJoin, gateways)
    await this.box.pass(isJoin ? 7_000 : 4_000, 250)
    this.listen()
  }

  /** A frame comes to the box; sometimes with a copy after the time in which copies are collected. */
  reach(sensor: Sensor, phy: Uint8Array, up: Said['up'], isJoin: boolean, gateways: readonly number[], isRecording = false): void {
    const { box } = this
    const upMs = box.time.boottimeMs()
    // A recording is answered as the device was last known to listen, which may not be how it listens now.
    const delays = isJoin ? [JOIN_DELAYS] : isRecording ? PLANS.map(({ rxDelaySeconds, rx2 }) => ({ rx1: rxDelaySeconds, rx2: rxDelaySeconds + 1, offset: 0, rx2At: rx2 })) : [sensor.delays]
    this.heard.set(sensor, [...(this.heard.get(sensor) ?? []), ...delays.map((one) => ({ upMs, up, delays: one, isJoin }))].slice(-HEARD_KEPT))
    const modulation = EU868.dataRates[up.dataRate]?.modulation as Modulation
    const heard = box.heard(phy, { gateways, frequencyHz: up.frequencyHz, modulation, snrDb: Math.round(this.dice.next() * 25 - 12 - 2 * sensor.txPower) })
    void box.network.server.take(heard)
    if (this.roll(0.05)) void box.network.server.take({ ...heard, copies: heard.copies.slice(-1) })
  }

  /** Somebody plays back what he recorded. */
  async playBack(): Promise<void> {
    for (let count = 0; count < 5; count++) {
      const { sensor, phy, isJoin } = this.pick(this.recorded)
      this.counts.replays++
      this.reach(sensor, phy, { frequencyHz: 868_300_000, dataRate: 4 }, isJoin, [this.pick([0, 1, 2])], true)
    }
    await this.box.pass(8_000, 250)
    this.listen()
  }

  /** Everything new on the air: is it in a window after a frame of its device, under a counter that was never used? */
  listen(): void {
    for (const sent of this.box.air.sent.slice(this.#seen)) {
      const frame = decodeFrame(sent.window.phy)
      if (frame.type === 'join-accept') {
        expect(this.sensors.some((sensor) => this.heard.get(sensor)?.some((said) => said.isJoin && isIn(sensor, sent, said))), `an accept at ${sent.startMs}`).toBe(true)
      } else if (frame.type === 'data') {
        const whose = this.sensors.flatMap((sensor) => this.counterFor(sensor, sent, frame.devAddr, frame.fCnt16))
        expect(whose).toHaveLength(1)
        const { sensor, fCnt } = whose[0] as { sensor: Sensor; fCnt: number }
        expect(this.heard.get(sensor)?.some((said) => !said.isJoin && isIn(sensor, sent, said)), `a frame at ${sent.startMs} outside every window`).toBe(true)
        const name = `${frame.devAddr}/${fCnt}`
        expect(this.onAir.has(name), `counter ${name} twice`).toBe(false)
        this.onAir.add(name)
      }
      this.counts.down++
      if (!this.roll(LOST_DOWN)) this.receive(sent, frame.type === 'join-accept')
    }
    this.#seen = this.box.air.sent.length
  }

  /** Only who is listening hears it. */
  receive(sent: OnAir, isAccept: boolean): void {
    for (const sensor of this.sensors) {
      const said = this.said.get(sensor)
      if (said === undefined || said.isJoin !== isAccept || !isIn(sensor, sent, said)) continue
      if (!isAccept) this.counts.hearings += sensor.hear(sent.window.phy) === null ? 0 : 1
      else if (sensor.accept(sent.window.phy)) this.lives.set(sensor, [...(this.lives.get(sensor) ?? []), { devAddr: sensor.devAddr, ciphers: sensor.ciphers as SessionCiphers }])
    }
  }

  counterFor(sensor: Sensor, sent: OnAir, devAddr: number, fCnt16: number): { sensor: Sensor; fCnt: number }[] {
    for (const life of this.lives.get(sensor) ?? [])
      if (life.devAddr === devAddr) for (const round of [0, 65_536]) if (isMicRight(life.ciphers, sent.window.phy, 'down', fCnt16 + round)) return [{ sensor, fCnt: fCnt16 + round }]
    return []
  }
}

function isIn(sensor: Sensor, sent: OnAir, said: Said): boolean {
  return sensor.windowOf(sent, said.upMs, said.up, said.delays) !== null
}

it(`${DEVICES} devices for ${HOURS} hours`, { timeout: 3_600_000 }, async () => {
  const week = new Week()
  const { box } = week
  const onReading = (): void => {
    box.network.server.onReading((reading) => {
      const name = `${reading.devAddr}/${reading.fCnt}`
      if (week.taken.has(name)) week.twice.push(name)
      week.taken.add(name)
    })
  }
  await box.open()
  onReading()
  for (let index = 0; index < DEVICES; index++) {
    const sensor = new Sensor((0x0200_0000 + index).toString(16).padStart(16, '0'), week.dice.bytes(16))
    sensor.dataRate = Math.floor(week.dice.next() * 6)
    week.sensors.push(sensor)
    await box.network.devices.put(otaa(sensor.devEui, sensor.key, { macVersion: index % 2 === 0 ? '1.0.4' : '1.0.3' }), null)
  }
  const startMs = box.time.boottimeMs()
  const due = week.sensors.map((sensor) => ({ sensor, atMs: startMs + week.dice.next() * INTERVAL_MS }))
  for (;;) {
    const next = due.reduce((first, one) => (one.atMs < first.atMs ? one : first))
    if (next.atMs - startMs > HOURS * HOUR_MS) break
    if (next.atMs > box.time.boottimeMs()) box.time.advance(next.atMs - box.time.boottimeMs())
    await box.settle()
    week.listen()
    if (week.roll(0.3)) {
      void box.network.server
        .enqueue({ devEui: next.sensor.devEui, fPort: 5, payload: week.dice.bytes(4), isConfirmed: week.roll(0.5), asker: 'test', expiresAt: null })
        .catch((error: unknown) => expect(error).toMatchObject({ kind: 'limit' }))
    }
    await week.speak(next.sensor)
    next.atMs += INTERVAL_MS * (0.5 + week.dice.next())
    if (week.roll(0.02)) await week.playBack()
    if (week.roll(0.01)) week.pick(box.air.concentrators).offsetUs = Math.floor(week.dice.next() * 2 ** 32)
    if (week.roll(0.02)) box.air.online(week.pick([0, 1, 2]), week.roll(0.7))
    if (week.roll(0.02)) {
      week.counts.restarts++
      box.wishes = { ...box.wishes, ...week.pick(PLANS) }
      await box.restart(week.roll(0.5))
      onReading()
    }
  }
  expect(week.twice).toEqual([])
  for (const sensor of week.sensors) expect(sensor.refused).toEqual([])
  const { counts } = week
  // It was a week in which something happened.
  const least = (HOURS * HOUR_MS * DEVICES) / INTERVAL_MS
  expect(counts.up).toBeGreaterThan(least * 0.8)
  expect(week.taken.size).toBeGreaterThan(least * 0.6)
  expect(counts.hearings).toBeGreaterThan(least * 0.2)
  expect(Math.min(counts.replays, counts.restarts, counts.joins)).toBeGreaterThan(3)
  await box.close()
})
