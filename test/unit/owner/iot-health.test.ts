/** The health line of IoT: the worst of what there is to say, and what to do. */
import { describe, expect, it } from 'vitest'
import type { IotOverview, IotRoomDesk } from '../../../src/iot/index.ts'
import { IotVerbs } from '../../../src/owner/iot.ts'
import { FakeTime } from '../../support/fakes.ts'

const FINE: IotOverview = {
  region: 'EU868', doors: { gwmp: null, station: null }, broker: { kind: 'off', isConnected: false, problem: null, unpublished: 0 }, isBrokerConnected: false, brokerProblem: null,
  gateways: { online: 1, known: 1 }, devices: { online: 2, known: 3, joined: 3 }, tenants: { served: 1, known: 1, expired: [], expiring: [] }, rules: { live: 0, known: 0 },
  uplinks: 0, refusedPackets: 0, downlinksSent: 0, downlinksFailed: 0, late: { frames: 0, bytes: 0, lost: 0n },
}
const healthOf = (change: Partial<IotOverview>): unknown => {
  const desk = { overview: () => ({ ...FINE, ...change }) } as unknown as IotRoomDesk
  return new IotVerbs({ desk, tokens: () => [] }, new FakeTime()).health()
}
const tenants = (expired: readonly string[], expiring: readonly string[]): Partial<IotOverview> => ({ tenants: { served: 1, known: 9, expired, expiring } })

describe('certificates on the way to tenants', () => {
  it('are not spoken of while they last', () => {
    expect(healthOf({})).toEqual({ part: 'iot', level: 'ok', text: 'IoT: 1 concentrator, 2 of 3 devices online' })
  })

  it('warn when their time is over, with whose they are and what to do', () => {
    expect(healthOf(tenants(['acme'], ['hill']))).toEqual({ part: 'iot', level: 'warn', text: 'IoT: a certificate on the way to acme has expired', advice: expect.stringMatching(/page Sensors.*meshbox tenant set ID --ca FILE/) })
    expect(healthOf(tenants(['a', 'b', 'c', 'd', 'e'], []))).toMatchObject({ text: 'IoT: a certificate on the way to a, b, c and 2 more has expired' })
  })

  it('warn 14 days before', () => {
    expect(healthOf(tenants([], ['hill', 'vale']))).toEqual({ part: 'iot', level: 'warn', text: 'IoT: a certificate on the way to hill, vale expires within 14 days', advice: expect.stringContaining('meshbox tenant show ID') })
  })

  it('say nothing over what is worse', () => {
    expect(healthOf({ ...tenants(['acme'], []), gateways: { online: 0, known: 1 } })).toMatchObject({ text: 'IoT: no concentrator is online' })
  })
})
