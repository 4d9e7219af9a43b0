/** One frame upward: what is sold, what is not, and why. */
import { afterEach, describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { NWK_KEY, heardOf, opened, tenant, turns, uplink, uplink11 } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

let box: TenantBox
afterEach(() => box.close())

describe('a frame is billed', () => {
  it('by started 24 bytes, once it was delivered', async () => {
    box = await opened()
    for (const [fCnt, bytes] of [0, 24, 25, 242 - 20].entries()) expect(await box.take(uplink(fCnt, { bytes }))).toBe('sold')
    expect(await box.take(uplink(9, { bytes: 20, fOpts: new Uint8Array(5) }))).toBe('sold')
    expect(box.units().map(({ seq, units, amount }) => [seq, units, amount])).toEqual([[1n, 1, 10n], [2n, 1, 10n], [3n, 2, 20n], [4n, 10, 100n], [5n, 2, 20n]])
    expect(box.units()[0]?.tmstUs).toBe(4_000_000_123)
    expect(box.server().got).toHaveLength(5)
  })

  it('and told to who listens; one that fails harms nothing', async () => {
    box = await opened()
    const heard: bigint[] = []
    box.house.onBilled(() => {
      throw new Error('a listener')
    })
    const cancel = box.house.onBilled((unit) => heard.push(unit.seq))
    expect(await box.take(uplink(1))).toBe('sold')
    cancel()
    expect(await box.take(uplink(2))).toBe('sold')
    expect(heard).toEqual([1n])
  })

  it('not when it is the same transmission again, also after a restart', async () => {
    box = await opened()
    expect(await box.take(uplink(1))).toBe('sold')
    expect(await box.take(uplink(1))).toBe('repeated')
    await box.restart()
    expect(await box.take(uplink(1))).toBe('repeated')
    expect(box.units()).toHaveLength(1)
    expect(box.server().got).toHaveLength(1)
  })

  it('once, when two take it at the same time', async () => {
    box = await opened()
    const phy = uplink(1)
    const both = await box.run(Promise.all([box.house.take(heardOf(phy), ['farm']), box.house.take(heardOf(phy), ['farm'])]))
    expect(both.map((each) => each.get('farm')).sort()).toEqual(['repeated', 'sold'])
    expect(box.units()).toHaveLength(1)
  })

  it('after 24 hours a repetition is handed over again, and still not billed', async () => {
    box = await opened()
    await box.take(uplink(1))
    await box.pass(23.9 * 3_600_000, 60_000)
    expect(await box.take(uplink(1))).toBe('repeated')
    await box.pass(0.2 * 3_600_000, 10_000)
    expect(await box.take(uplink(1))).toBe('free')
    expect(box.units()).toHaveLength(1)
    expect(box.server().got).toHaveLength(2)
  })

  it('not when the service is paused, not his, or nobody knows him', async () => {
    box = await opened()
    await box.run(box.house.admin.pause('farm', true))
    expect(await box.take(uplink(1))).toBe('paused')
    await box.run(box.house.admin.pause('farm', false))
    expect(await box.take(uplink(1, { devAddr: 0x2702_0001 }))).toBe('not-ours')
    expect(await box.take(uplink(1), 'nobody')).toBe('not-ours')
    expect(await box.take(fromHex('ff00'))).toBe('not-ours')
    expect(box.server().got).toHaveLength(0)
  })

  it('joins at their own price, without a look at any code', async () => {
    const phy = fromHex('0039363463336913AA05693574323831330489C65B1304')
    const joinEui = [...phy.subarray(1, 9)].reverse().map((byte) => byte.toString(16).padStart(2, '0')).join('')
    box = await opened({}, [tenant({ routes: [{ kind: 'join', joinEui, devEui: null }], prices: { ...tenant().prices, perJoin: 5n } })])
    expect(box.house.route(phy)).toEqual(['farm'])
    expect(await box.take(phy)).toBe('sold')
    expect(box.units()).toMatchObject([{ kind: 'join', units: 1, amount: 5n }])
  })
})

describe('a gateway that lies', () => {
  it('about id, signal, time and number of copies sells a frame once', async () => {
    box = await opened()
    const phy = uplink(1)
    const [copy] = heardOf(phy).copies
    if (copy === undefined) throw new Error('no copy')
    const lies = [
      heardOf(phy, { id: 'ab'.repeat(32) }),
      heardOf(phy, { copies: Array.from({ length: 32 }, (_, i) => ({ ...copy, gateway: i.toString(16).padStart(16, '0'), snrDb: 30 })) }),
      heardOf(phy, { copies: [{ ...copy, time: { kind: 'counter', tmstUs: 7 } }], frequencyHz: 868_300_000 }),
      heardOf(phy, { copies: [] }),
      heardOf(phy, { isLate: true }),
    ]
    for (const lie of lies) await box.run(box.house.take(lie, ['farm']))
    expect(box.units().map(({ frame }) => frame)).toEqual([heardOf(phy).id])
    expect(box.server().got).toHaveLength(1)
    expect(box.house.admin.tenants()[0]?.outcomes).toMatchObject({ sold: 1, repeated: 3, 'not-ours': 1 })
  })

  it('and changes a bit, so that it is another frame, sells nothing to who gave keys', async () => {
    box = await opened()
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY }]))
    const phy = uplink(1)
    for (let bit = 8 * 5; bit < 8 * phy.length; bit += 3) {
      const other = Uint8Array.from(phy)
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(['bad-mic', 'not-ours']).toContain(await box.take(other))
    }
    expect(await box.take(phy)).toBe('sold')
    expect(box.units()).toHaveLength(1)
  })

  it('or floods: what a tenant has not paid for is bounded by his window, and his rate', async () => {
    box = await opened({ limits: { uplinkBurst: 50, uplinksPerSecond: 10 } }, [tenant({ creditWindow: 100n })])
    for (let fCnt = 0; fCnt < 100; fCnt++) await box.run(box.house.take(heardOf(uplink(fCnt)), ['farm']), 1)
    const [view] = box.house.admin.tenants()
    expect(view).toMatchObject({ owed: 100n, outcomes: { sold: 10 } })
    expect((view?.outcomes['no-credit'] ?? 0) + (view?.outcomes['over-limit'] ?? 0)).toBe(90)
  })
})

describe('the code is checked first', () => {
  it('of a tenant who gave keys: other devices, replays and forgeries cost nothing', async () => {
    box = await opened()
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY }]))
    expect(await box.take(uplink(5))).toBe('sold')
    expect(await box.take(uplink(5))).toBe('repeated')
    expect(await box.take(uplink(4))).toBe('bad-mic')
    expect(await box.take(uplink(6, { key: new Uint8Array(16) }))).toBe('bad-mic')
    expect(await box.take(uplink(6, { devAddr: 0x2601_0002 }))).toBe('bad-mic')
    const forged = uplink(6)
    forged[10] = (forged[10] ?? 0) ^ 1
    expect(await box.take(forged)).toBe('bad-mic')
    expect(await box.take(uplink(6))).toBe('sold')
    expect(box.units()).toHaveLength(2)
    await box.restart()
    expect(await box.take(uplink(4))).toBe('bad-mic')
    expect(await box.take(uplink(7))).toBe('sold')
  })

  it('with the whole counter, over its 16 bits', async () => {
    box = await opened()
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY, lastFCntUp: 0x4_fffe }]))
    expect(await box.take(uplink(0x4_ffff))).toBe('sold')
    expect(await box.take(uplink(0x5_0000))).toBe('sold')
    expect(await box.take(uplink(0x4_ffff))).toBe('bad-mic')
  })

  it('of several devices with one DevAddr, and never for more than 64 codes', async () => {
    box = await opened()
    const keys = Array.from({ length: 40 }, (_, i) => ({ devAddr: 0x2601_0001, key: new Uint8Array(16).fill(i + 1) }))
    await box.run(box.house.admin.putMicKeys('farm', keys))
    expect(await box.take(uplink(1, { key: new Uint8Array(16).fill(40) }))).toBe('sold')
    expect(await box.take(uplink(1, { key: new Uint8Array(16).fill(20) }))).toBe('sold')
    expect(await box.take(uplink(1, { key: new Uint8Array(16).fill(1) })), 'the oldest keys made room').toBe('bad-mic')
  })

  it('of a device of 1.1 by its FNwkSIntKey: forgeries, replays and what it repeats on another channel cost nothing', async () => {
    box = await opened()
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY, is11: true }]))
    expect(await box.take(uplink11(5))).toBe('sold')
    expect(await box.take(uplink11(5, { channel: 1 })), 'other bytes, the same counter').toBe('repeated')
    expect(await box.take(uplink11(6, { key: new Uint8Array(16) }))).toBe('bad-mic')
    expect(await box.take(uplink11(4))).toBe('bad-mic')
    const forged = uplink11(6)
    forged[10] = (forged[10] ?? 0) ^ 1
    expect(await box.take(forged)).toBe('bad-mic')
    expect(await box.take(uplink(6)), 'the code of 1.0 with that key').toBe('bad-mic')
    expect(await box.take(uplink11(6))).toBe('sold')
    await box.restart()
    expect(await box.take(uplink11(5))).toBe('bad-mic')
    expect(await box.take(uplink11(7))).toBe('sold')
    expect(box.units()).toHaveLength(3)
  })

  it('keys are sealed on disk and in no view', async () => {
    box = await opened()
    await box.run(box.house.admin.putMicKeys('farm', [{ devAddr: 0x2601_0001, key: NWK_KEY }]))
    const row = box.store.read((tx) => tx.get<{ sealed: Uint8Array }>('SELECT sealed FROM iot_mic_key'))
    expect(Buffer.from(row?.sealed ?? []).equals(Buffer.from(NWK_KEY))).toBe(false)
    const shown = JSON.stringify(box.house.admin.tenants(), (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
    expect(shown).not.toContain(Buffer.from(NWK_KEY).toString('hex'))
  })
})

describe('credit', () => {
  it('stops at the window, to the unit, and goes on when he pays', async () => {
    box = await opened({}, [tenant({ creditWindow: 35n })])
    const outcomes = []
    for (let fCnt = 0; fCnt < 5; fCnt++) outcomes.push(await box.take(uplink(fCnt)))
    expect(outcomes).toEqual(['sold', 'sold', 'sold', 'no-credit', 'no-credit'])
    expect(box.house.admin.tenants()[0]).toMatchObject({ owed: 30n, paid: 0n, isServed: false })
    box.payments.pay(10n)
    expect(await box.take(uplink(3)), 'a frame that was refused is not a repetition').toBe('sold')
    expect(await box.take(uplink(4))).toBe('no-credit')
    expect(box.server().got).toHaveLength(4)
  })

  it('prepaid: nothing without money, and to the last unit of it', async () => {
    box = await opened({}, [tenant({ creditWindow: 0n })])
    expect(await box.take(uplink(0))).toBe('no-credit')
    box.payments.pay(20n)
    expect([await box.take(uplink(1)), await box.take(uplink(2)), await box.take(uplink(3))]).toEqual(['sold', 'sold', 'no-credit'])
  })

  it('what is being delivered counts: never more than the window is out', async () => {
    box = await opened({}, [tenant({ creditWindow: 50n })])
    box.server().answer = () => new Promise<boolean>(() => undefined)
    const takes = Array.from({ length: 20 }, (_, fCnt) => box.house.take(heardOf(uplink(fCnt)), ['farm']))
    await turns(20)
    expect(box.server().got).toHaveLength(5)
    expect(box.house.admin.tenants()[0]?.owed).toBe(50n)
    const outcomes = await box.run(Promise.all(takes), 1_000)
    expect(outcomes.filter((each) => each.get('farm') === 'no-credit')).toHaveLength(15)
    expect(box.units()).toHaveLength(0)
  })
})

describe('limits', () => {
  it('frames per second', async () => {
    box = await opened({ limits: { uplinksPerSecond: 1, uplinkBurst: 3 } })
    const outcomes = []
    for (let fCnt = 0; fCnt < 4; fCnt++) outcomes.push((await box.run(box.house.take(heardOf(uplink(fCnt)), ['farm']), 1)).get('farm'))
    expect(outcomes).toEqual(['sold', 'sold', 'sold', 'over-limit'])
  })

  it('the contest between boxes: the loser neither delivers nor bills; one that fails sells', async () => {
    let isOurs: () => Promise<boolean> = async () => false
    box = await opened({ deps: { contest: { isOurs: () => isOurs() } } })
    expect(await box.take(uplink(1))).toBe('duplicate')
    expect(box.server().got).toHaveLength(0)
    isOurs = () => Promise.reject(new Error('no mesh'))
    expect(await box.take(uplink(2))).toBe('sold')
    isOurs = () => new Promise(() => undefined)
    expect(await box.take(uplink(3))).toBe('sold')
  })
})
