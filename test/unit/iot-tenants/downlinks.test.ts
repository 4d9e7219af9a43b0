/** Downlinks of a tenant's server: paid by started milliseconds of what was on the air, and by nothing else. */
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Log } from '../../../src/base/index.ts'
import { timeOnAirUs } from '../../../src/iot/lorawan/index.ts'
import type { Downlink, TxWindow } from '../../../src/iot/ports.ts'
import { opened, tenant } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

let box: TenantBox
afterEach(() => box.close())

const lora = (spreadingFactor: number): TxWindow['modulation'] => ({ kind: 'lora', spreadingFactor, bandwidthHz: 125_000, codingRate: '4/5' })
const window = (spreadingFactor: number, frequencyHz = 868_100_000): TxWindow => ({ phy: Uint8Array.of(0x60, spreadingFactor, ...new Uint8Array(11)), frequencyHz, modulation: lora(spreadingFactor), powerDbm: 14, timing: { kind: 'now' }, isInverted: true, preambleSymbols: 8, hasCrc: false, board: 0, antenna: 0 })
const order = (id: number, windows: readonly TxWindow[] = [window(7), window(12, 869_525_000)]): Omit<Downlink, 'tenant'> => ({ id, gateway: '0102030405060708', windows, purpose: 'data', priority: 0, devEui: null, expiresMs: 1e12 })
const RX2_MS = Math.ceil(timeOnAirUs(lora(12), 13, { hasCrc: false }) / 1_000)

describe('a downlink', () => {
  it('costs the window that was sent, at the price of its sub-band', async () => {
    box = await opened({}, [tenant({ prices: { ...tenant().prices, perDownlinkMs: { P: 2n, '*': 3n } }, creditWindow: 10_000n })])
    await box.run(box.house.order('farm', order(1)))
    expect(box.units()).toMatchObject([{ kind: 'downlink', units: 42, amount: 126n, tmstUs: 0 }])
    box.air.answer = ({ id, gateway }) => ({ id, gateway, statuses: ['TOO_LATE', 'OK'], sent: 1, onAirUs: RX2_MS * 1_000 - 10 })
    await box.run(box.house.order('farm', order(2)))
    expect(box.units()[1]).toMatchObject({ units: RX2_MS, amount: BigInt(2 * RX2_MS) })
    expect(box.units()[0]?.frame).not.toBe(box.units()[1]?.frame)
    expect(box.house.admin.tenants()[0]?.account).toMatchObject({ cumUplinks: 0n, cumUnits: 0n, cumDownlinkMs: BigInt(42 + RX2_MS) })
    expect(box.air.sent.map(({ tenant: id }) => id)).toEqual(['farm', 'farm'])
  })

  it('that is refused is answered each time, and in the log once a minute with how often it was since', async () => {
    const said: unknown[] = []
    const log: Log = { ...silentLog, warn: (message, fields) => void said.push([message, fields?.['unsaid']]) }
    box = await opened({ deps: { log } }, [tenant({ creditWindow: 0n })])
    for (let id = 0; id < 20; id++) expect(await box.run(box.server().order(order(id)))).toMatchObject({ statuses: ['INTERNAL_ERROR', 'INTERNAL_ERROR'], sent: null })
    await box.pass(60_000, 1_000)
    await box.run(box.server().order(order(20)))
    expect(said).toEqual([['a downlink of a tenant was refused', undefined], ['a downlink of a tenant was refused', 19]])
  })

  it('what his list leaves open costs what the air costs now', async () => {
    box = await opened({}, [tenant({ prices: { ...tenant().prices, perDownlinkMs: {} }, creditWindow: 100_000n })])
    box.air.answer = ({ id, gateway }) => ({ id, gateway, statuses: ['OK'], sent: 0, onAirUs: 1 })
    await box.run(box.house.order('farm', order(1, [window(12, 869_525_000)])))
    expect(box.units()).toMatchObject([{ units: 1, amount: 7n }])
  })

  it('costs nothing when nothing was on the air, or when nobody took the order', async () => {
    box = await opened({}, [tenant({ creditWindow: 10_000n })])
    box.air.answer = ({ id, gateway }) => ({ id, gateway, statuses: ['TOO_LATE', 'DUTY_CYCLE_OVERFLOW'], sent: null, onAirUs: 0 })
    await box.run(box.house.order('farm', order(1)))
    box.air.answer = () => Promise.reject(new Error('out of power'))
    await expect(box.run(box.house.order('farm', order(2)))).rejects.toThrow('out of power')
    expect(box.units()).toHaveLength(0)
    expect(box.house.admin.tenants()[0]?.owed).toBe(0n)
  })

  it('a gateway that says the frame took longer than it can is not believed', async () => {
    box = await opened({}, [tenant({ creditWindow: 10_000n })])
    box.air.answer = ({ id, gateway }) => ({ id, gateway, statuses: ['OK'], sent: 0, onAirUs: 60_000_000 })
    await box.run(box.house.order('farm', order(1)))
    expect(box.units()).toMatchObject([{ units: 42 }])
  })

  it('is refused without credit for its dearest window, before anything is sent', async () => {
    box = await opened({}, [tenant({ creditWindow: 1_000n })])
    await expect(box.run(box.house.order('farm', order(1)))).rejects.toMatchObject({ code: 'tenant-no-credit' })
    expect(box.air.sent).toHaveLength(0)
    await box.run(box.house.order('farm', order(2, [window(7)])))
    expect(box.air.sent).toHaveLength(1)
  })

  it('while it is in the air its price is held', async () => {
    box = await opened({}, [tenant({ creditWindow: 200n })])
    box.air.answer = () => new Promise(() => undefined)
    void box.house.order('farm', order(1, [window(7)]))
    await box.pass(100)
    await expect(box.run(box.house.order('farm', order(2, [window(7)])))).rejects.toMatchObject({ code: 'tenant-no-credit' })
    await box.restart()
    await box.pass(100)
    expect(box.house.admin.tenants()[0]?.owed, 'nobody knows whether it was sent: it costs nothing').toBe(0n)
  })

  it('comes from his server, which always gets an answer', async () => {
    box = await opened({ limits: { downlinkBurst: 2, downlinksPerSecond: 1 } }, [tenant({ creditWindow: 10_000n })])
    const acks = await box.run(Promise.all([1, 2, 3].map((id) => box.server().order(order(id, [window(7)])))))
    expect(acks.map((ack) => ack.statuses)).toEqual([['OK'], ['OK'], ['INTERNAL_ERROR']])
    expect(acks[2]).toMatchObject({ id: 3, sent: null, onAirUs: 0 })
    await expect(box.run(box.house.order('farm', order(4, [])))).rejects.toMatchObject({ kind: 'input' })
    await expect(box.run(box.house.order('nobody', order(4)))).rejects.toMatchObject({ kind: 'not-found' })
    await box.run(box.house.admin.pause('farm', true))
    await expect(box.run(box.house.order('farm', order(5)))).rejects.toMatchObject({ code: 'tenant-paused' })
  })
})
