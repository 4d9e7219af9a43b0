/** Texts and bytes from outside: targets, DNS answers, the kernel's route tables; and the lines that ip is told. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setMeshAttributes } from '../../../src/mesh/uplinks/io/gateway-mode.ts'
import { defaultRoutes4, defaultRoutes6 } from '../../../src/mesh/uplinks/default-routes.ts'
import { rootQuestion, wrongWithAnswer } from '../../../src/mesh/uplinks/dns-question.ts'
import { choicePlan, clearPlan, placePlan } from '../../../src/mesh/uplinks/route-plan.ts'
import { readTarget } from '../../../src/mesh/uplinks/targets.ts'
import { readAttributes } from '../../../src/native/genetlink-attributes.ts'

describe('targets', () => {
  it.each([
    ['1.1.1.1', 'dns', '1.1.1.1', 53, 4],
    ['2606:4700::1111', 'dns', '2606:4700::1111', 53, 6],
    ['[2606:4700::1111]:443', 'tcp', '2606:4700::1111', 443, 6],
    ['9.9.9.9:853', 'tcp', '9.9.9.9', 853, 4],
    ['example.org:443', 'tcp', 'example.org', 443, null],
  ])('%s', (text, protocol, host, port, family) => {
    expect(readTarget(text)).toEqual({ protocol, host, port, family })
  })

  it.each(['', 'example.org', 'example.org:0', '1.1.1.1:70000', ':443', '1.1.1.1:x'])('%j is none', (text) => {
    expect(() => readTarget(text)).toThrow(expect.objectContaining({ field: 'target' }))
  })
})

describe('the root question', () => {
  // RFC 1035: id, flags RD, one question; root, SOA, IN.
  it('has the standard form', () => {
    expect(Buffer.from(rootQuestion(0xabcd)).toString('hex')).toBe('abcd01000001000000000000' + '0000060001')
  })

  const answer = (change: (bytes: Uint8Array) => void = () => undefined): Uint8Array => {
    const bytes = new Uint8Array(60)
    bytes.set(rootQuestion(7))
    bytes[2] = 0x81
    bytes[7] = 1
    change(bytes)
    return bytes
  }

  it('is answered by its id, its question, no error, and something in it', () => {
    expect(wrongWithAnswer(answer(), 7)).toBeNull()
    expect(wrongWithAnswer(answer(), 8)).toContain('another question')
    expect(wrongWithAnswer(answer((bytes) => (bytes[2] = 0x01)), 7)).toContain('another question')
    expect(wrongWithAnswer(answer((bytes) => (bytes[14] = 1)), 7)).toContain('another question')
    expect(wrongWithAnswer(answer((bytes) => (bytes[3] = 0x83)), 7)).toBe('DNS error 3')
    expect(wrongWithAnswer(answer((bytes) => (bytes[7] = 0)), 7)).toContain('nothing in it')
  })

  it('is answered by no other bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(wrongWithAnswer(bytes, 70_000)).toBeTypeOf('string')
      }),
    )
  })
})

describe("the kernel's default routes", () => {
  const four = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wwan0\t00000000\t00000000\t0001\t0\t0\t20\t00000000\t0\t0\t0
eth1\t00000000\t010200C0\t0003\t0\t0\t30\t00000000\t0\t0\t0
eth1\t00000000\tFE0200C0\t0003\t0\t0\t10\t00000000\t0\t0\t0
eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
lo\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
`
  const six = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00450003     eth1
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`

  it('are the best of each interface', () => {
    expect(defaultRoutes4(four)).toEqual([
      { family: 4, interfaceName: 'eth1', gateway: '192.0.2.254' },
      { family: 4, interfaceName: 'wwan0', gateway: null },
    ])
    expect(defaultRoutes6(six)).toEqual([{ family: 6, interfaceName: 'eth1', gateway: 'fe80:0000:0000:0000:0000:0000:0000:0001' }])
  })

  it('are none in any other text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        expect(defaultRoutes4(text)).toEqual([])
        expect(defaultRoutes6(text)).toEqual([])
      }),
    )
  })
})

describe('the lines for ip', () => {
  const place = { interfaceName: 'eth1', addresses: [{ family: 4 as const, address: '192.0.2.7' }], routes: [{ family: 4 as const, interfaceName: 'eth1', gateway: '192.0.2.254' }] }
  const linesOf = (commands: readonly { readonly family: number; readonly line: string }[]): string[] => commands.map(({ family, line }) => `${family} ${line}`)

  it('make a table and a rule for each way, and nothing where nothing changed', () => {
    expect(linesOf(placePlan([null, null], [null, place])).filter((line) => line.startsWith('4'))).toEqual([
      '4 route replace unreachable default metric 4294967294 table 5201',
      '4 route replace default via 192.0.2.254 dev eth1 onlink metric 1 table 5201',
      '4 rule add pref 5201 from 192.0.2.7 lookup 5201',
    ])
    expect(placePlan([null, place], [null, { ...place }])).toEqual([])
    expect(linesOf(placePlan([place], [null]))).toContain('4 rule del pref 5200 from 192.0.2.7')
  })

  it('put the new way in before the old one goes, and leave the firmware its own where there is none', () => {
    expect(linesOf(choicePlan(0, 1)).slice(0, 2)).toEqual(['4 rule add pref 5291 lookup 5201', '4 rule del pref 5291 lookup 5200'])
    expect(linesOf(choicePlan(1, null))).toEqual(['4 rule del pref 5291 lookup 5201', '4 rule del pref 5290', '6 rule del pref 5291 lookup 5201', '6 rule del pref 5290'])
    expect(choicePlan(1, 1)).toEqual([])
    expect(linesOf(clearPlan(1))).toContain('6 rule del pref 5291')
  })

  it('take no name or address with other signs in it', () => {
    expect(() => placePlan([null], [{ ...place, interfaceName: 'eth1; reboot' }])).toThrow(TypeError)
    expect(() => placePlan([null], [{ ...place, addresses: [{ family: 4, address: '1.2.3.4\nroute flush table main' }] }])).toThrow(TypeError)
  })
})

it("batman-adv's gateway mode has the kernel's attributes", () => {
  const server = readAttributes(setMeshAttributes(9, { kind: 'server', downKbit: 20_000, upKbit: 30 }))
  expect([server.u32(3), server.u32(49), server.u32(50), server.u8(51)]).toEqual([9, 200, 1, 2])
  const client = readAttributes(setMeshAttributes(9, { kind: 'client' }))
  expect([client.u32(3), client.u32(49), client.u8(51)]).toEqual([9, null, 1])
})
