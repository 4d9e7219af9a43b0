/** Traffic control's counters as the kernel says them: bytes of a real answer, bytes that cannot be, and the door they come through. */
import { describe, expect, it } from 'vitest'
import { attribute, createTrafficActions, loadGenetlink } from '../../../src/native/index.ts'
import { nestedAttribute, textAttribute } from '../../../src/native/genetlink-attributes.ts'
import type { TrafficAction } from '../../../src/native/index.ts'
import { builtGenetlink } from './genetlink-built.ts'

/** Linux 6.18, `action mirred egress mirror … index 1835139073 cookie 6d6262000000030100`, bound by two filters, after 23 frames. */
const REAL =
  'c00000000b0001006d69727265640000440004001400010' +
  '07e290000000000001700000000000000140007000000000000000000000000000000000018000300000000000000000000000000000000000000000' +
  '00d0006006d62620000000301000000000c00090000000000030000000800' +
  '0a0000000000480002002000020001' +
  '00626d000000000300000003000000020000000200000004000000240001001400000000000000050000000000000000000000000000000500000000000000'

const list = async (...answers: readonly Uint8Array[]): Promise<TrafficAction[]> => createTrafficActions({ dump: () => Promise.resolve(answers.map((attributes) => ({ command: 0, version: 0, attributes }))) }).list('mirred')
const table = (...actions: readonly Uint8Array[]): Uint8Array => nestedAttribute(1, ...actions.map((action, at) => nestedAttribute(at, action)))
const numbers = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

function action(more: { readonly parameters?: Uint8Array; readonly basic?: Uint8Array; readonly packets?: bigint } = {}): Uint8Array {
  const { parameters = numbers(5, 0, 0, 2, 1), basic = numbers(1000, 0, 10, 0), packets } = more
  const many = packets === undefined ? [] : [attribute(8, new Uint8Array(BigUint64Array.of(packets).buffer))]
  return Buffer.concat([textAttribute(1, 'gact'), nestedAttribute(4, attribute(1, basic), ...many), nestedAttribute(2, attribute(2, parameters))])
}

describe("traffic control's counters", () => {
  it('are read as the kernel says them', async () => {
    const bytes = Uint8Array.from(Buffer.from(REAL, 'hex'))
    const [found] = await list(nestedAttribute(1, bytes))
    expect(found).toEqual({ index: 1835139073, cookie: Uint8Array.from(Buffer.from('6d6262000000030100', 'hex')), bytes: 10_622n, packets: 23n, filters: 2 })
  })

  it('may be beyond 32 bits, and without a cookie', async () => {
    expect(await list(table(action({ basic: numbers(0, 7, 1, 0), packets: 1n << 33n }), action()))).toEqual([
      { index: 5, cookie: null, bytes: 7n << 32n, packets: 1n << 33n, filters: 1 },
      { index: 5, cookie: null, bytes: 1000n, packets: 10n, filters: 1 },
    ])
  })

  it('are left out where they cannot be', async () => {
    expect(await list(new Uint8Array(0), table(), table(action({ parameters: numbers(5, 0) }), action({ basic: numbers(1) })))).toEqual([])
    const whole = table(action())
    for (let length = 0; length < whole.length; length++) expect((await list(whole.subarray(0, length))).length).toBeLessThanOrEqual(1)
  })

  it('come through a door over which nothing can be set', async () => {
    const netlink = await loadGenetlink(await builtGenetlink()).open({ protocol: 'route' })
    try {
      expect(await createTrafficActions(netlink).list('a kind that is none')).toEqual([])
      // New and gone links, filters and actions.
      for (const id of [16, 17, 44, 45, 48, 49]) await expect(netlink.request({ id, name: 'routes', version: 0, groups: new Map() }, 0, new Uint8Array(0))).rejects.toThrow(/^family/)
    } finally {
      netlink.close()
    }
  })
})
