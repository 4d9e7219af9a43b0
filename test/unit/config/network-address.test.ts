/** Addresses and names, against Node's own parser and fixed cases. */
import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAddressOrPrefix, isHostName, isSameAddress, isWildcard, parseIp } from '../../../src/config/network-address.ts'

describe('parseIp', () => {
  it('accepts just what Node accepts, zones left out', () => {
    const rough = fc.string({ unit: fc.constantFrom('0', '1', '9', 'f', 'G', ':', '::', '.', '25', '/'), maxLength: 14 })
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), rough), (text) => {
        expect(parseIp(text) !== null).toBe(isIP(text) !== 0)
      }),
      { numRuns: 3000 },
    )
  })

  it('gives bytes; a mapped IPv4 address is that address', () => {
    expect(parseIp('10.0.200.255')).toEqual(Uint8Array.of(10, 0, 200, 255))
    expect(parseIp('::ffff:10.0.200.255')).toEqual(Uint8Array.of(10, 0, 200, 255))
    expect(parseIp('2001:db8::a:1')).toEqual(Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 1))
    expect(parseIp('01.2.3.4')).toBeNull()
  })

  it('compares addresses, not texts', () => {
    expect(isSameAddress('fd00::1', 'FD00:0::0:1')).toBe(true)
    expect(isSameAddress('::1', '0.0.0.1')).toBe(false)
    expect(isSameAddress('x', 'x')).toBe(false)
    expect(['0.0.0.0', '::', '::ffff:0:0'].map(isWildcard)).toEqual([true, true, true])
    expect(isWildcard('127.0.0.1')).toBe(false)
  })
})

it.each([
  ['10.0.0.1', true],
  ['10.0.0.0/8', true],
  ['10.0.0.0/08', false],
  ['0.0.0.0/0', true],
  ['10.128.0.0/9', true],
  ['10.192.0.0/9', false],
  ['2001:db8::/32', true],
  ['2001:db8::/31', true],
  ['2001:db9::/31', false],
  ['::1/128', true],
  ['::1/129', false],
  ['::ffff:10.0.0.0/104', true],
  ['10.0.0.0/8/8', false],
  ['/8', false],
  ['10.0.0.0/', false],
])('prefix %s: %s', (text, isGood) => {
  expect(isAddressOrPrefix(text)).toBe(isGood)
})

it.each([
  ['a.b', 2, true],
  ['a', 2, false],
  ['a', 1, true],
  ['a-b.c', 2, true],
  ['-a.b', 2, false],
  ['a-.b', 2, false],
  ['a..b', 2, false],
  ['a.b.', 2, false],
  [`${'a'.repeat(63)}.b`, 2, true],
  [`${'a'.repeat(64)}.b`, 2, false],
  [`${'a.'.repeat(126)}aa`, 2, false],
  ['1.2.3.4', 2, false],
  ['ä.b', 2, false],
])('host name %s (%i labels): %s', (text, labels, isGood) => {
  expect(isHostName(text, labels)).toBe(isGood)
})
