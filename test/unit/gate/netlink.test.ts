/** Changes of sets in netlink's bytes, dumped elements back in nft's words, and netlink's events. */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { dumpedElement, keyBytes, keyText, netlinkChanges, readHandle } from '../../../src/hotspot/gate/netlink-elements.ts'
import { NetlinkEventReader } from '../../../src/hotspot/gate/netlink-events.ts'
import type { NetlinkEvent } from '../../../src/hotspot/gate/netlink.ts'
import { readClassid } from '../../../src/hotspot/gate/names.ts'
import { nftCommands } from '../../../src/hotspot/gate/nft-text.ts'
import { SETS, shapeOf, type Field, type FieldKind, type SetChange, type SetElement, type SetName } from '../../../src/hotspot/gate/set-changes.ts'
import { readIp } from '../../../src/hotspot/gate/address.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const keyOf = (set: SetName, ...key: Field[]): string => hexOf(keyBytes(shapeOf(set), key))

const macArb = fc.integer({ min: 1, max: 0xffff_ffff }).map((n) => `02:00:${n.toString(16).padStart(8, '0').replace(/(..)(?=.)/g, '$1:')}`)
const FIELDS: Readonly<Record<FieldKind, fc.Arbitrary<Field>>> = {
  mac: macArb,
  ip4: fc.ipV4(),
  ip6: fc.ipV6().map((text) => readIp(text) ?? '::').filter((text) => text.includes(':')),
  raw6: fc.ipV6().map((text) => readIp(text) ?? '::').filter((text) => text.includes(':')),
  handle: fc.integer({ min: 1, max: 0xffff_ffff }),
  port: fc.stringMatching(/^[a-z][a-z0-9.-]{0,14}$/),
}
const SET_NAMES = (Object.keys(SETS) as SetName[]).filter((set) => shapeOf(set).key.length > 0)
const quotaName = fc.stringMatching(/^q[0-9a-f]{24}$/)

const elementArb = (set: SetName): fc.Arbitrary<SetElement> => {
  const { key, value } = shapeOf(set)
  return fc.record({
    key: fc.tuple(...key.map((kind) => FIELDS[kind])),
    ...(value === null ? {} : { value: value === 'quota' ? quotaName : FIELDS.handle }),
    ...(set === 'paid' ? { timeoutMs: fc.integer({ min: 1, max: 2 ** 31 }) } : {}),
    ...(set.startsWith('bytes') ? { count: fc.record({ packets: fc.nat(), bytes: fc.nat() }) } : {}),
  }) as fc.Arbitrary<SetElement>
}
const changeArb: fc.Arbitrary<SetChange> = fc.oneof(
  ...SET_NAMES.flatMap((set) => (['add', 'delete'] as const).map((verb) => fc.record({ do: fc.constant(verb), set: fc.constant(set), elements: fc.array(elementArb(set), { minLength: 1, maxLength: 4 }) }))),
  fc.constantFrom(...SET_NAMES).map((set) => ({ do: 'flush', set }) as const),
  fc.record({ do: fc.constant('add-quota' as const), quota: quotaName, totalBytes: fc.nat(), usedBytes: fc.nat() }),
  fc.record({ do: fc.constant('delete-quota' as const), quota: quotaName }),
)

describe('netlink elements', () => {
  it('keys are the bytes the kernel compares', () => {
    const handle = new Uint8Array(new Uint32Array([0x0010_0001]).buffer) // the machine's own order
    expect(keyOf('paid', 0x0010_0001)).toBe(hexOf(handle))
    expect(keyOf('upmac', '02:00:00:00:00:01')).toBe('020000000001')
    expect(keyOf('up4', '02:00:00:00:00:01', '10.77.1.200')).toBe('020000000001' + '0000' + '0a4d01c8')
    expect(keyOf('devmac', '02:00:00:00:00:01', 0x0010_0001)).toBe(`0200000000010000${hexOf(handle)}`)
    expect(keyOf('garden6', '2001:db8::1')).toBe('20010db8000000000000000000000001')
    expect(keyOf('guest_ports', 'wlan0')).toBe(`${Buffer.from('wlan0').toString('hex')}${'00'.repeat(11)}`)
    expect(keyOf('doubled', '02:00:00:00:00:01', 'wlan0')).toBe(`0200000000010000${Buffer.from('wlan0').toString('hex')}${'00'.repeat(11)}`)
  })

  it('are read back as nft writes them, for every set', () => {
    fc.assert(fc.property(fc.constantFrom(...SET_NAMES).chain((set) => elementArb(set).map((element) => ({ set, element }))), ({ set, element }) => {
      const texts = keyText(set, keyBytes(shapeOf(set), element.key)).split(' . ')
      expect(texts.map((text, index) => (shapeOf(set).key[index] === 'handle' ? readClassid(text) : text))).toEqual(element.key)
    }))
    expect(() => keyText('paid', new Uint8Array(6))).toThrow(/paid/)
  })

  it('say the same as nft, change by change', () => {
    const words = (text: string): string => text.replace(/0x([0-9a-f]{4})([0-9a-f]{4})(?![0-9a-f])/g, (_all, high: string, low: string) => `${Number.parseInt(high, 16).toString(16)}:${Number.parseInt(low, 16).toString(16)}`)
    fc.assert(fc.property(fc.array(changeArb, { maxLength: 6 }), (changes) => {
      const said = netlinkChanges(changes).map((change) => {
        if (change.op === 'add-quota') return `add quota ${change.family} ${change.table} ${change.quota.name} { over ${change.quota.bytes} bytes used ${change.quota.usedBytes} bytes }`
        if (change.op === 'delete-quota') return `delete quota ${change.family} ${change.table} ${change.name}`
        if (change.op === 'flush-set') return `flush ${shapeOf(change.set as SetName).value === null ? 'set' : 'map'} ${change.family} ${change.table} ${change.set}`
        const set = change.set as SetName
        const key = (bytes: Uint8Array): string => keyText(set, bytes).split(' . ').map((text, index) => {
          const kind = shapeOf(set).key[index]
          return kind === 'port' ? `"${text}"` : kind === 'raw6' ? `0x${hexOf(bytes.subarray(-16))}` : text
        }).join(' . ')
        const texts = change.op === 'delete-elements' ? change.elements.map((element) => key(element.key)) : change.elements.map((element) => {
          const read = dumpedElement(set, { key: element.key, value: element.value ?? null, object: element.object ?? null, expiresMs: element.timeoutMs ?? null, counter: element.counter ?? null })
          const timeout = element.timeoutMs === undefined ? '' : ` timeout ${element.timeoutMs}ms`
          const counter = element.counter === undefined ? '' : ` counter packets ${read.packets} bytes ${read.bytes}`
          return `${key(element.key)}${timeout}${counter}${read.value === null ? '' : element.object === undefined ? ` : ${read.value}` : ` : "${read.value}"`}`
        })
        return `${change.op === 'add-elements' ? 'add' : 'delete'} element ${change.family} ${change.table} ${set} { ${texts.join(', ')} }`
      })
      expect(said).toEqual(nftCommands(changes).map(words))
    }))
  })

  it('handles come whole out of a view into a larger buffer', () => {
    const bytes = new Uint8Array([9, 9, ...keyBytes(shapeOf('paid'), [0xfff0_0000]), 9])
    expect(readHandle(bytes.subarray(2, 6))).toBe(0xfff0_0000)
  })
})

describe("netlink's events", () => {
  const own = new Set([10])
  const change = (kind: 'element' | 'table' | 'rule' | 'flowtable', more: Partial<Extract<NetlinkEvent, { change: string }>> = {}): NetlinkEvent => ({ kind, change: 'new', family: 'inet', table: 'meshbox', name: 'paid', isOwn: false, ...more })
  const end = (pid: number, isOwn = false): NetlinkEvent => ({ kind: 'generation', pid, isOwn })
  const read = (events: readonly NetlinkEvent[]) => {
    const reader = new NetlinkEventReader()
    return events.map((event) => reader.read(event, own)).filter((event) => event !== null)
  }
  it('tell a stranger from ourselves', () => {
    expect(read([change('element', { isOwn: true }), end(7, true)])).toEqual([])
    expect(read([change('element'), end(10)])).toEqual([]) // an nft process of ours
    expect(read([change('rule', { change: 'deleted', name: 'passage' }), change('table', { change: 'deleted', name: '' }), end(11)])).toEqual([{ kind: 'tampered', what: 'deleted rule in inet meshbox passage' }])
    expect(read([change('table', { table: 'fw4' }), end(11)])).toEqual([])
    expect(read([change('table', { family: 'ip' }), end(11)])).toEqual([])
    expect(read([change('rule', { family: 'bridge' }), end(11), end(12)])).toHaveLength(1)
  })
  it("know dnsmasq's additions to the garden, and nothing else of its kind", () => {
    expect(read([change('element', { name: 'garden4' }), end(12)])).toEqual([])
    expect(read([change('element', { name: 'garden4', change: 'deleted' }), end(12)])).toHaveLength(1)
    expect(read([change('element', { name: 'garden4' }), change('element'), end(12)])).toHaveLength(1)
  })
  it('tell of quotas used up and of flow tables', () => {
    const quota = { name: 'qabc', bytes: 1000, usedBytes: 1000 }
    expect(read([{ kind: 'quota-used-up', table: 'meshbox', quota }])).toEqual([{ kind: 'quota-used', quota: 'qabc', totalBytes: 1000 }])
    expect(read([{ kind: 'quota-used-up', table: 'other', quota }])).toEqual([])
    expect(read([change('flowtable', { table: 'fw4' }), end(11)])).toEqual([{ kind: 'flowtable' }])
  })
  it('counts the transactions of others, for the account', () => {
    const reader = new NetlinkEventReader()
    for (const event of [end(1), change('table'), end(2), end(3, true)]) reader.read(event, own)
    expect(reader.transactions).toBe(2)
  })
})
