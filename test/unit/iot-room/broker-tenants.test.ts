/** As many tenants on the box's own broker as it has connections for; who is one too many is told so when he is let in, not when his frames get lost. */
import { afterEach, expect, it } from 'vitest'
import { brokerFiles, MAX_BROKER_GATEWAYS, MAX_BROKER_TENANTS } from '../../../src/iot/mqtt/mosquitto/configuration.ts'
import type { Tenant } from '../../../src/iot/ports.ts'
import { RoomDesk } from '../../../src/iot/room-desk.ts'
import type { RoomDeskParts } from '../../../src/iot/room-desk.ts'
import { opened, tenant } from '../iot-tenants/tenant-box.ts'
import type { TenantBox } from '../iot-tenants/tenant-box.ts'

let box: TenantBox
afterEach(() => box.close())

const numbered = (n: number, change: Partial<Tenant> = {}): Tenant => tenant({ id: `t${n}`, payer: `0x${(0xa000 + n).toString(16).padStart(40, '0')}`, routes: [{ kind: 'dev-addr', prefix: 0x2601_0000 + n * 0x100, prefixBits: 24 }], ...change })
const ELSEWHERE: Tenant['destination'] = { kind: 'gwmp', host: 'lns.example', port: 1700 }

/** The desk with the rooms that tenants need; the others are not asked. */
function deskOver(isOwnBroker: boolean): RoomDesk {
  return new RoomDesk({ radio: { onStats: () => () => undefined }, house: box.house, isOwnBroker, tokens: () => [] } as unknown as RoomDeskParts)
}

it('the one too many is refused with what is allowed; who is there stays, and one who goes makes room', async () => {
  box = await opened({}, [])
  const desk = deskOver(true)
  const put = (given: Tenant) => box.run(desk.putTenant(given))
  for (let n = 1; n <= MAX_BROKER_TENANTS; n++) await put(numbered(n))
  await expect(desk.putTenant(numbered(99))).rejects.toMatchObject({ kind: 'limit', code: 'broker-tenants-full', field: 'destination', allowed: expect.stringContaining(`at most ${MAX_BROKER_TENANTS}`) })
  expect(desk.tenant('t99')).toBeNull()
  await put(numbered(3, { creditWindow: 5n }))
  await put(numbered(100, { destination: ELSEWHERE }))
  await expect(desk.putTenant(numbered(100))).rejects.toMatchObject({ code: 'broker-tenants-full' })
  await put(numbered(3, { destination: ELSEWHERE }))
  await put(numbered(99))
  // A broker of somebody else's has its own bounds.
  const other = deskOver(false)
  await box.run(other.putTenant(numbered(100)))
})

it('all of them at once, with all gateways that may have a connection, fit on the loopback listener, and every name outside', async () => {
  box = await opened({}, [])
  const { configuration } = brokerFiles({ loopbackPort: 1884, listeners: [{ address: '192.168.1.1', port: 8883, tls: null }], users: [], topicPrefix: 'meshbox', systemUser: 'nobody' }, '/tmp/x')
  const most = [...configuration.matchAll(/^max_connections (\d+)$/gm)].map(([, count]) => Number(count))
  expect(most[0]).toBeGreaterThanOrEqual(MAX_BROKER_TENANTS * MAX_BROKER_GATEWAYS + 16)
  expect(most[1]).toBeGreaterThanOrEqual(256)
  expect((most[0] ?? 0) + (most[1] ?? 0)).toBeLessThan(1_000)
})
