/** Bytes are charged to the session that had them, however its devices come and go. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guest, halfHour, settle, startBox } from '../../support/hotspot-box.ts'
import type { TestBox } from '../../support/hotspot-box.ts'

const ann = guest(1)
const ben = guest(2)
const MIB = 1_048_576
let box: TestBox
beforeEach(async () => {
  box = await startBox({ changes: { config: { packages: [halfHour, { ...halfHour, id: 'mib', slot: 2, seconds: null, bytes: 100 * MIB }] } } })
})
afterEach(() => box.dispose())

const view = (client: typeof ann) => box.hotspot.guests.view(client).session

describe('two devices that take turns', () => {
  it('get from 100 MiB, followed by 30 minutes, not a byte more than 100 MiB before the minutes begin', async () => {
    const { code } = await box.voucher('mib')
    await box.hotspot.guests.redeem(ann, code)
    await box.hotspot.guests.redeem(ann, (await box.voucher('half-hour')).code)
    let [online, next] = [ann, ben]
    let passed = 0
    for (let second = 0; second < 400 && view(online)?.bytesLeft !== null; second++) {
      box.time.advance(1000)
      if (box.kernel.traffic(online.mac, 0, MIB / 2)) passed += MIB / 2
      await settle(3)
      if (view(online)?.bytesLeft === null) break
      // Refused once its bytes are used up: whoever is online then stays it.
      if ((await box.hotspot.guests.redeem(next, code).catch(() => null)) === null) break
      ;[online, next] = [next, online]
    }
    expect(passed).toBe(100 * MIB)
    expect(view(online)).toMatchObject({ state: 'active', bytesLeft: null, label: '30 minutes', downBytes: 100 * MIB })
  })

  it('are charged for what passed between the last reading and the moment the gate closed them', async () => {
    const { code } = await box.voucher('mib')
    await box.hotspot.guests.redeem(ann, code)
    let open = (): void => undefined
    box.gate.hold = new Promise((resolve) => {
      open = resolve
    })
    const joined = box.hotspot.guests.redeem(ben, code)
    await settle()
    box.kernel.traffic(ann.mac, MIB, 2 * MIB)
    open()
    expect(await joined).toMatchObject({ bytesLeft: 97 * MIB, upBytes: MIB, downBytes: 2 * MIB })
  })

  it('carry nothing over to the next session of a device', async () => {
    const { code } = await box.voucher('mib')
    await box.hotspot.guests.redeem(ann, code)
    const other = await box.voucher('half-hour')
    await box.hotspot.guests.redeem(ben, other.code)
    box.kernel.traffic(ben.mac, MIB, 0)
    const joined = await box.hotspot.guests.redeem(ben, code)
    expect(joined.bytesLeft).toBe(100 * MIB)
    expect(box.hotspot.owner.sessions({ state: 'all' }).find((each) => each.label === '30 minutes' && each.upBytes === MIB)).toBeDefined()
  })
})

describe('a session somebody works on at every reading', () => {
  it('is charged all the same', async () => {
    const { code } = await box.voucher('mib')
    await box.hotspot.guests.redeem(ann, code)
    let open = (): void => undefined
    box.gate.hold = new Promise((resolve) => {
      open = resolve
    })
    box.neighbours.move(ann.mac, '10.9.9.9')
    await settle()
    box.kernel.traffic(ann.mac, 0, 5 * MIB)
    box.time.advance(2000)
    await settle()
    open()
    await settle()
    expect(view(ann)).toMatchObject({ bytesLeft: 95 * MIB })
  })
})

describe('a voucher taken back', () => {
  it('has first been charged what it gave', async () => {
    const taken = await box.voucher('mib')
    await box.hotspot.guests.redeem(ann, taken.code)
    await box.hotspot.guests.redeem(ann, (await box.voucher('half-hour')).code)
    box.kernel.traffic(ann.mac, 0, 7 * MIB)
    await box.hotspot.owner.revokeVouchers({ id: taken.id })
    expect(view(ann)).toMatchObject({ downBytes: 7 * MIB, label: '30 minutes' })
  })
})

describe('the kernel says that the bytes are used up', () => {
  it('goes on with the minutes that follow, also when the books are behind', async () => {
    await box.hotspot.guests.redeem(ann, (await box.voucher('mib')).code)
    await box.hotspot.guests.redeem(ann, (await box.voucher('half-hour')).code)
    expect(box.kernel.grantOf(ann.mac)?.quotaBytes).toBe(100 * MIB)
    box.hotspot.onSpent(view(ann)?.id ?? '')
    await settle()
    expect(view(ann)).toMatchObject({ state: 'active', bytesLeft: null, secondsLeft: 1800 })
    expect(box.kernel.grantOf(ann.mac)?.quotaBytes).toBeNull()
  })

  it('ends a session that has nothing else, and does not tell the gate again', async () => {
    await box.hotspot.guests.redeem(ann, (await box.voucher('mib')).code)
    box.hotspot.onSpent(view(ann)?.id ?? '')
    await settle()
    expect(view(ann)).toMatchObject({ state: 'ended', endReason: 'bytes-used' })
    const changes = box.gate.changes.length
    await box.advance(60_000)
    expect(box.gate.changes.length).toBe(changes)
  })
})

describe('a gate that does not answer', () => {
  it('about its counters does not keep a guest waiting for ever', async () => {
    const { code } = await box.voucher('mib')
    await box.hotspot.guests.redeem(ann, code)
    box.gate.counters = () => new Promise(() => undefined)
    const paused = box.hotspot.guests.pause(ann)
    await box.advance(6000)
    expect(await paused).toMatchObject({ state: 'paused' })
  })
})
