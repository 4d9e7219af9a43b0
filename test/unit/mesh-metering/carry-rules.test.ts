/** The kernel's table as text: what it names, when it is another, what it refuses. That nft takes it: test/netns/mesh-carry.test.ts */
import { describe, expect, it } from 'vitest'
import { carryShape, carryTable } from '../../../src/mesh/metering/index.ts'
import type { CarryRules } from '../../../src/mesh/metering/index.ts'

const RULES: CarryRules = { interfaces: ['mesh0', 'lan2.7'], own: ['02:00:00:00:00:0a', '02:00:00:00:00:0b'], isGated: true }

describe('the table', () => {
  it("hooks both ways on all hard interfaces and looks at batman-adv's unicast frames alone", () => {
    const text = carryTable(RULES, 'table')
    expect(text).toContain('type filter hook ingress devices = { mesh0, lan2.7 } priority 0; policy accept;')
    expect(text).toContain('type filter hook egress devices = { mesh0, lan2.7 } priority 0; policy accept;')
    expect(text.match(/ether type != 0x4305 accept/g)).toHaveLength(2)
    expect(text.match(/@nh,0,8 != 0x40-0x42 accept/g)).toHaveLength(2)
  })

  it('leaves what is for this box before it counts as forwarded, and lets it in', () => {
    const text = carryTable(RULES, 'table')
    const order = ['ether saddr @in_all', '@nh,32,48 0x02000000000a goto ending', '@nh,32,48 0x02000000000b goto ending', 'ether saddr != @admitted drop', 'meta mark set 0x6d620001', 'ether saddr @in_carried']
    const places = order.map((line) => text.indexOf(line))
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places).not.toContain(-1)
    expect(text.slice(text.indexOf('chain ending'), text.indexOf('chain arriving'))).not.toContain('drop')
  })

  it('drops nothing where carrying is free', () => {
    const text = carryTable({ ...RULES, isGated: false }, 'table')
    expect(text).not.toMatch(/\bdrop\b|0x6d620002/)
    expect(text).toContain('ether saddr @in_ended')
  })

  it('leaves what leaves to filters where the kernel has no hook for it', () => {
    const text = carryTable(RULES, 'filters')
    expect(text).not.toMatch(/egress|out_all|out_carried/)
    expect(text).toContain('type filter hook ingress')
    expect(carryShape(RULES, 'filters')).not.toBe(carryShape(RULES, 'table'))
  })

  it('has a shape that changes with its rules and with nothing else', () => {
    expect(carryTable(RULES, 'table')).toContain(`set ${carryShape(RULES, 'table')} {`)
    expect(carryShape({ ...RULES }, 'table')).toBe(carryShape(RULES, 'table'))
    const others: CarryRules[] = [{ ...RULES, isGated: false }, { ...RULES, interfaces: ['mesh0'] }, { ...RULES, own: ['02:00:00:00:00:0a'] }]
    for (const other of others) expect(carryShape(other, 'table')).not.toBe(carryShape(RULES, 'table'))
  })

  it.each<[Partial<CarryRules>, RegExp]>([
    [{ interfaces: [] }, /^interfaces/],
    [{ interfaces: ['mesh0 } ; flush ruleset'] }, /^interfaces/],
    [{ interfaces: ['a-name-of-16-char'] }, /^interfaces/],
    [{ own: [] }, /^own/],
    [{ own: ['02:00:00:00:00:0A'] }, /^own/],
    [{ own: ['02:00:00:00:00:0a drop'] }, /^own/],
  ])('refuses %j', (parts, message) => {
    expect(() => carryTable({ ...RULES, ...parts }, 'table')).toThrow(message)
  })
})
