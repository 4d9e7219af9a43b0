/** A broker that acknowledges slowly, over the client that the box has: no more wait for it than may; what it cannot take at once it gets later, once, and is paid for once. */
import { afterEach, expect, it } from 'vitest'
import { momentOf, silentLog } from '../../../src/base/index.ts'
import { ChirpstackDelivery } from '../../../src/iot/mqtt/chirpstack/delivery.ts'
import type { MqttConnection } from '../../../src/iot/mqtt/connection.ts'
import type { Delivery, Gateway } from '../../../src/iot/ports.ts'
import { Ear, brokerAt, client, message } from '../iot-mqtt/broker-town.ts'
import { heardOf, opened, tenant, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

const GATEWAY = '0102030405060708'
/** Far fewer than the frames that come at once. */
const MAX_WAITING = 8
const [FRAMES, MORE] = [40, 20]

let box: TenantBox
afterEach(() => box.close())

it('takes a few at a time, then none for a minute: each frame arrives once, live or late, and is one unit', async () => {
  const { aedes, port } = await brokerAt()
  const ear = await Ear.of(client(port, { clientId: 'watcher' }))
  const links: MqttConnection[] = []
  let isSlow = false
  const waiting: (() => void)[] = []
  aedes.authorizePublish = (_client, _packet, done) => (isSlow ? void waiting.push(() => done(null)) : done(null))
  const goOn = (): void => {
    isSlow = false
    for (const one of waiting.splice(0)) one()
  }

  let underWay = 0
  let server: ChirpstackDelivery | null = null
  const openDelivery = (): Delivery => {
    const made = new ChirpstackDelivery({ topicPrefix: 'eu868', encoding: 'json', connect: ({ clientId, will }) => (links[0] ??= client(port, { clientId, will, maxWaiting: MAX_WAITING })), clock: box.time, log: silentLog, nextDownlinkId: () => 1 }, 0)
    server = made
    return {
      get isOnline() {
        return made.isOnline
      },
      takesLate: made.takesLate,
      isAwaited: (heard) => made.isAwaited(heard),
      deliver(heard) {
        underWay++
        return made.deliver(heard).finally(() => underWay--)
      },
      onDownlink: (listener) => made.onDownlink(listener),
      close: () => made.close(),
    }
  }
  box = await opened({ deps: { openDelivery } }, [])
  await box.run(box.house.admin.put(tenant({ creditWindow: 1_000_000n }))) // now: the delivery asks the box for its clock
  const gateway: Gateway = { id: GATEWAY, door: 'gwmp', region: 'EU868', isOnline: true, lastSeen: momentOf(box.time), dutyModel: 'window', minLeadMs: 50, maxLeadMs: 500_000 }
  ;(server as ChirpstackDelivery | null)?.gateway(gateway)
  await ear.next(`eu868/gateway/${GATEWAY}/state/conn`)
  const [own] = links
  if (own === undefined) throw new Error('the delivery has no connection')
  // Its state is acknowledged when this is.
  await own.publish(message('first', 'one'))

  /** The box's time stands still while the broker and the disk, which have their own, do what they can. */
  const pass = async (ms: number, isOver: () => boolean, left: () => number): Promise<void> => {
    for (let passed = 0; passed < ms && !isOver(); passed += 250) {
      box.time.advance(250)
      for (let calm = 0; calm < 8; calm++) {
        await box.store.turn(() => undefined) // what was begun before is on disk
        await new Promise((resolve) => setImmediate(resolve))
        if (underWay > left()) calm = 0
      }
    }
  }
  const took = (from: number, count: number): { readonly ends: (string | undefined)[] } => {
    const ends: (string | undefined)[] = []
    for (let n = from; n < from + count; n++) void box.house.take(heardOf(uplink(n)), ['farm']).then((outcomes) => ends.push(outcomes.get('farm')))
    return { ends }
  }
  const phys = async (event: string, count: number): Promise<Set<string>> => {
    const got = new Set<string>()
    for (let n = 0; n < count; n++) got.add(((await ear.json(`eu868/gateway/${GATEWAY}/event/${event}`)) as { phyPayload: string }).phyPayload)
    return got
  }

  isSlow = true
  const first = took(1, FRAMES)
  await pass(3_000, () => false, () => MAX_WAITING)
  expect([underWay, first.ends.length, box.units().length]).toEqual([MAX_WAITING, 0, 0])
  goOn()
  await pass(50_000, () => first.ends.length === FRAMES, () => 0)
  expect(first.ends).toEqual(Array.from({ length: FRAMES }, () => 'sold'))
  expect((await phys('up', FRAMES)).size).toBe(FRAMES)
  expect(box.units().map(({ kind, units }) => [kind, units])).toEqual(Array.from({ length: FRAMES }, () => ['uplink', 1]))
  expect(new Set(box.units().map(({ frame }) => frame)).size).toBe(FRAMES)

  isSlow = true
  const second = took(FRAMES + 1, MORE)
  await pass(70_000, () => second.ends.length === MORE, () => MAX_WAITING)
  expect(second.ends).toEqual(Array.from({ length: MORE }, () => 'late'))
  expect(box.units()).toHaveLength(FRAMES)
  goOn()
  await pass(120_000, () => box.units().length === FRAMES + MORE, () => 0)
  expect((await phys('late', MORE)).size).toBe(MORE)
  const late = box.units().slice(FRAMES)
  expect(late.map(({ kind }) => kind)).toEqual(Array.from({ length: MORE }, () => 'late'))
  expect(box.house.admin.tenants()[0]).toMatchObject({ owed: BigInt(FRAMES) * 10n + BigInt(MORE) * 4n, lateFrames: 0 })
})
