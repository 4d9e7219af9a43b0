import { describe, expect, it } from 'vitest'
import { isInside, isLoopback, isUnspecified, parseAddress, parseCidr } from '../../../src/owner/ip-address.ts'
import { checkHost, checkListenAddress, checkSameOrigin, hostName, isFromGuests, isFromMesh, isFromOwnerNetwork } from '../../../src/owner/request-origin.ts'

const ADDRESSES = [
  { interface: 'lo', cidr: '127.0.0.1/8' },
  { interface: 'lo', cidr: '::1/128' },
  { interface: 'br-lan', cidr: '192.168.1.1/24' },
  { interface: 'br-lan', cidr: 'fd00:1::1/64' },
  { interface: 'br-guest', cidr: '10.77.0.1/16' },
  { interface: 'br-guest', cidr: 'fd00:77::1/64' },
]

describe('addresses', () => {
  it.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4:80', 'box', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '::1::2', 'g::', '1.2.3.4::', 'x'.repeat(100)])(
    'does not take %j for one',
    (text) => expect(parseAddress(text)).toBeNull(),
  )
  it('reads both kinds into one form', () => {
    expect(parseAddress('1.2.3.4')).toEqual(parseAddress('::ffff:1.2.3.4'))
    expect(parseAddress('1.2.3.4')).toEqual(parseAddress('::ffff:102:304'))
    expect(parseAddress('fe80::1%eth0')).toEqual(parseAddress('fe80:0:0:0:0:0:0:1'))
    expect(parseAddress('::')).toEqual(new Uint8Array(16))
  })
  it.each([
    ['192.168.1.200', '192.168.1.1/24', true],
    ['192.168.2.200', '192.168.1.1/24', false],
    ['10.1.2.3', '10.0.0.0/15', true],
    ['10.2.2.3', '10.0.0.0/15', false],
    ['fd00:1::abcd', 'fd00:1::1/64', true],
    ['fd00:1:0:1::abcd', 'fd00:1::1/64', false],
    ['1.2.3.4', '::/0', true],
    ['8.8.8.8', '0.0.0.0/0', true],
    ['fd00::1', '0.0.0.0/0', false],
  ])('%s in %s: %s', (address, cidr, inside) => {
    const [parsed, network] = [parseAddress(address), parseCidr(cidr)]
    expect(parsed !== null && network !== null && isInside(parsed, network)).toBe(inside)
  })
  it.each(['1.2.3.4', '1.2.3.4/33', '::/129', '/8', 'x/8'])('%j is no network', (text) => expect(parseCidr(text)).toBeNull())
  it('knows loopback and unspecified', () => {
    const is = (test: (address: Uint8Array) => boolean, text: string): boolean => test(parseAddress(text) ?? new Uint8Array())
    for (const text of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(is(isLoopback, text)).toBe(true)
    for (const text of ['128.0.0.1', '::2', '::', '0.0.0.0']) expect(is(isLoopback, text)).toBe(false)
    for (const text of ['0.0.0.0', '::', '::ffff:0.0.0.0']) expect(is(isUnspecified, text)).toBe(true)
    for (const text of ['0.0.0.1', '::1']) expect(is(isUnspecified, text)).toBe(false)
  })
})

describe('Host', () => {
  it.each(['192.168.1.1', '192.168.1.1:2090', 'localhost', 'LOCALHOST:9999', '127.0.0.1:2090', '[::1]:2090', 'box.lan', 'Box.Lan.:80'])('%s is ours', (host) =>
    expect(() => checkHost(host, ['192.168.1.1', 'box.lan'])).not.toThrow(),
  )
  it.each([undefined, '', 'evil.example', '192.168.1.1.evil.example', 'localhost.evil.example', '192.168.1.2', 'localhost@evil', 'box.lan:80:80', 'box.lan/', '[::2]', 'a'.repeat(300), '::1'])(
    '%s is not',
    (host) => expect(() => checkHost(host, ['192.168.1.1', 'box.lan'])).toThrow('does not belong to the box'),
  )
  it('knows an IPv6 address in every spelling', () => {
    expect(() => checkHost('[FD00:1:0:0::1]:2090', ['fd00:1::1'])).not.toThrow()
    expect(hostName('[fd00::1]')).toBe('fd00::1')
  })
})

describe('Origin and Sec-Fetch-Site', () => {
  const host = '192.168.1.1:2090'
  it.each([{}, { origin: 'http://192.168.1.1:2090' }, { origin: 'https://192.168.1.1:2090' }, { secFetchSite: 'same-origin' }, { secFetchSite: 'none' }])('%j may', (headers) =>
    expect(() => checkSameOrigin({ host, ...headers })).not.toThrow(),
  )
  it.each([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'http://192.168.1.1' },
    { origin: 'http://192.168.1.1:2090/' },
    { origin: 'http://192.168.1.1:2090.evil.example' },
    { secFetchSite: 'cross-site' },
    { secFetchSite: 'same-site' },
    { secFetchSite: 'cross-site', origin: 'http://192.168.1.1:2090' },
  ])('%j may not', (headers) => expect(() => checkSameOrigin({ host, ...headers })).toThrow('another web site'))
})

describe('remote address', () => {
  it.each(['10.77.3.4', 'fd00:77::99', '::ffff:10.77.3.4', '10.77.0.1'])('%s is a guest', (remote) => expect(isFromGuests(remote, 'br-guest', ADDRESSES)).toBe(true))
  it.each(['192.168.1.5', '127.0.0.1', '::1', '8.8.8.8', 'nonsense'])('%s is none', (remote) => expect(isFromGuests(remote, 'br-guest', ADDRESSES)).toBe(false))
  it.each([
    ['192.168.1.5', '192.168.1.1', true],
    ['127.0.0.1', '192.168.1.1', true],
    ['::1', '127.0.0.1', true],
    ['192.168.1.5', '127.0.0.1', false],
    ['10.77.3.4', '192.168.1.1', false],
    ['8.8.8.8', '192.168.1.1', false],
    ['fd00:1::5', 'fd00:1::1', true],
    ['fd00:77::5', 'fd00:1::1', false],
    ['nonsense', '192.168.1.1', false],
  ])('%s at %s is on the owner\'s network: %s', (remote, own, expected) => expect(isFromOwnerNetwork(remote, own, ADDRESSES)).toBe(expected))
})

describe('listening address', () => {
  it.each(['127.0.0.1', '::1', '192.168.1.1', 'fd00:1::1', '172.16.0.1'])('%s will do', (address) =>
    expect(() => checkListenAddress(address, 'br-guest', ADDRESSES)).not.toThrow(),
  )
  it.each(['0.0.0.0', '::', '::ffff:0.0.0.0', '0:0:0:0:0:0:0:0', '', 'localhost', 'box.lan', '10.77.0.1', '10.77.9.9', 'fd00:77::1', 'fd00:77::abcd', '*'])('%j is refused', (address) =>
    expect(() => checkListenAddress(address, 'br-guest', ADDRESSES)).toThrow(/owner\.address/),
  )
})

describe('the mesh', () => {
  const MESH = [...ADDRESSES, { interface: 'bat0', cidr: '10.200.0.1/16' }, { interface: 'batch', cidr: '10.201.0.1/16' }]
  it('is other boxes: they are not the owner, wherever the dashboard listens', () => {
    expect(['10.200.7.7', '::ffff:10.200.7.7', '10.200.0.1'].map((remote) => isFromMesh(remote, MESH))).toEqual([true, true, true])
    expect(['192.168.1.5', '127.0.0.1', '10.201.0.9', 'nonsense'].map((remote) => isFromMesh(remote, MESH))).toEqual([false, false, false, false])
  })
  it('has no dashboard', () => {
    expect(() => checkListenAddress('10.200.0.1', 'br-guest', MESH)).toThrow(/owner\.address: belongs to the mesh/)
    expect(() => checkListenAddress('192.168.1.1', 'br-guest', MESH)).not.toThrow()
  })
})
