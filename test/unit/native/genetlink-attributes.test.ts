/** Attributes and messages as bytes: what is written is read again, and no bytes break the reader. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, toHex } from '../../../src/base/index.ts'
import { attribute, u32Attribute } from '../../../src/native/index.ts'
import { listAttributes, nestedAttribute, readAttributes, textAttribute } from '../../../src/native/genetlink-attributes.ts'
import { decodeFamily, splitMessages } from '../../../src/native/genetlink-controller.ts'

const anyAttribute = fc.record({ type: fc.integer({ min: 0, max: 0x3fff }), value: fc.uint8Array({ maxLength: 40 }) })

describe('attributes', () => {
  it('have the layout of the kernel', () => {
    expect(toHex(u32Attribute(3, 7))).toBe('0800030007000000')
    expect(toHex(textAttribute(2, 'lo'))).toBe('070002006c6f0000')
    expect(toHex(attribute(9, fromHex('0102030405')))).toBe('090009000102030405000000')
    expect(toHex(nestedAttribute(1, u32Attribute(2, 1)))).toBe('0c0001800800020001000000')
  })

  it('are read as they were written, in their order', () => {
    fc.assert(
      fc.property(fc.array(anyAttribute), (list) => {
        const bytes = concatBytes(...list.map(({ type, value }) => attribute(type, value)))
        expect(listAttributes(bytes).map(({ type, value }) => [type, toHex(value)])).toEqual(list.map(({ type, value }) => [type, toHex(value)]))
      }),
    )
  })

  it('of any bytes are read without error, inside their bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const total = listAttributes(bytes).reduce((sum, { value }) => sum + value.length + 4, 0)
        expect(total).toBeLessThanOrEqual(bytes.length)
        const read = readAttributes(bytes)
        for (let type = 0; type < 70; type++) void [read.u8(type), read.i8(type), read.u16(type), read.u32(type), read.u64(type), read.text(type), read.mac(type), read.nested(type)?.u32(1)]
      }),
    )
  })

  it('end at the first length that cannot be; what came before counts', () => {
    const good = u32Attribute(3, 7)
    for (const bad of ['0300040000000000', '0900040000000000', 'ffff0400', '000004000000', '0800'])
      expect(listAttributes(concatBytes(good, fromHex(bad))).map(({ type }) => type), bad).toEqual([3])
  })

  it('of another length than asked for are null', () => {
    const read = readAttributes(concatBytes(u32Attribute(1, 0xffff_fffe), attribute(2, new Uint8Array(0)), attribute(3, fromHex('80')), attribute(4, fromHex('ffffffffffffff7f')), attribute(5, fromHex('020000000aff'))))
    expect([read.u32(1), read.u16(1), read.u8(1), read.u64(1), read.mac(1)]).toEqual([0xffff_fffe, null, null, null, null])
    expect([read.flag(2), read.flag(9), read.u32(2), read.bytes(9)]).toEqual([true, false, null, null])
    expect([read.u8(3), read.i8(3)]).toEqual([128, -128])
    expect(read.u64(4)).toBe(Number(0x7fff_ffff_ffff_ffffn))
    expect(read.mac(5)).toBe('02:00:00:00:0a:ff')
  })

  it('as text end at the first zero byte', () => {
    const read = readAttributes(concatBytes(attribute(1, fromHex('616200ff')), attribute(2, fromHex('6162')), attribute(3, fromHex('61ff'))))
    expect([read.text(1), read.text(2), read.text(3)]).toEqual(['ab', 'ab', 'a\ufffd'])
  })
})

describe('messages', () => {
  const message = (type: number, command: number, attributes: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(20 + ((attributes.length + 3) & ~3))
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 20 + attributes.length, true)
    view.setUint16(4, type, true)
    bytes[16] = command
    bytes[17] = 2
    bytes.set(attributes, 20)
    return bytes
  }

  it('are taken apart', () => {
    const found = splitMessages(concatBytes(message(16, 1, fromHex('0102')), message(31, 8, u32Attribute(3, 7)), message(31, 9, new Uint8Array(0))))
    expect(found.map(({ type, message: { command, version, attributes } }) => [type, command, version, toHex(attributes)])).toEqual([
      [16, 1, 2, '0102'],
      [31, 8, 2, '0800030007000000'],
      [31, 9, 2, ''],
    ])
  })

  it('of any bytes are read without error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => splitMessages(bytes).every(({ message: { attributes } }) => attributes.length <= bytes.length)))
    const whole = message(16, 1, u32Attribute(1, 1))
    for (let length = 0; length < whole.length; length++) expect(splitMessages(whole.subarray(0, length))).toEqual([])
  })

  it('of the controller tell a family with its groups; damaged groups are left out', () => {
    const group = (index: number, ...inner: Uint8Array[]): Uint8Array => nestedAttribute(index, ...inner)
    const attributes = concatBytes(
      textAttribute(2, 'batadv'),
      attribute(1, fromHex('1f00')),
      u32Attribute(3, 1),
      nestedAttribute(7, group(1, u32Attribute(2, 11), textAttribute(1, 'config')), group(2, textAttribute(1, 'nameless')), group(3, u32Attribute(2, 12), textAttribute(1, 'tpmeter'))),
    )
    expect(decodeFamily({ command: 1, version: 2, attributes })).toEqual({ id: 31, name: 'batadv', version: 1, groups: new Map([['config', 11], ['tpmeter', 12]]) })
    expect(decodeFamily({ command: 1, version: 2, attributes: textAttribute(2, 'batadv') })).toBeNull()
    expect(decodeFamily({ command: 1, version: 2, attributes: concatBytes(textAttribute(2, 'x'), attribute(1, fromHex('1f00'))) })).toEqual({ id: 31, name: 'x', version: 1, groups: new Map() })
  })
})
