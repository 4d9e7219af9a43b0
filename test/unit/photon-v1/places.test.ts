/** Whose word counts for where a node is, what the configuration refuses, and where the sockets are. */
import { mkdtempSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MeshBoxError, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { systemRandomness } from '../../../src/base/io/system.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { openIdentity } from '../../../src/identity/index.ts'
import type { Identity } from '../../../src/identity/index.ts'
import { lanParts } from '../../../src/main/photon-lan.ts'
import { Places } from '../../../src/photon/v1/index.ts'
import { parseEndpoint } from '../../../src/photon/v1/places.ts'
import { networkOf } from '../../../src/photon/v1/io/udp-socket.ts'
import { native } from '../spectrum/curves.ts'

const SELF: Address = `0x${'aa'.repeat(20)}`
const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const at = (places: Places, one: Address, nowMs: number): string | null => {
  const place = places.of(one, nowMs)
  return place === null ? null : `${place.host}:${place.port}`
}

describe('places', () => {
  it('puts the owner’s word above an announcement, that above a packet’s source, and forgets in time', () => {
    const places = new Places(SELF, () => new Set())
    expect(places.heard(account(1), { host: '192.168.1.9', port: 1 }, 0, false)).toBe(true)
    expect(at(places, account(1), 1)).toBe('192.168.1.9:1')
    places.announced(account(1), { host: '192.168.1.8', port: 2 }, 1)
    expect(at(places, account(1), 2)).toBe('192.168.1.8:2')
    // A copy of a packet from elsewhere moves nobody whose place is known.
    places.heard(account(1), { host: '192.168.1.66', port: 3 }, 2, false)
    expect(at(places, account(1), 20_001)).toBe('192.168.1.9:1')
    // A packet that nobody can have seen before does.
    places.heard(account(1), { host: '192.168.1.10', port: 4 }, 20_001, true)
    expect(at(places, account(1), 20_002)).toBe('192.168.1.10:4')
    places.own([{ account: account(1), endpoint: '192.168.1.7:40001', deviceType: 'other' }])
    expect(at(places, account(1), 3)).toBe('192.168.1.7:40001')
    expect(at(places, account(1), 1e12)).toBe('192.168.1.7:40001')
    expect(places.all(3)).toHaveLength(1)
  })

  it('bounds what anybody can make it remember, and always has room for a partner', () => {
    const places = new Places(SELF, () => new Set([account(9999)]))
    places.sweep(0)
    for (let i = 1; i <= 1_000; i++) places.announced(account(i), { host: '192.168.1.8', port: 2 }, 0)
    expect(places.all(1)).toHaveLength(256)
    places.announced(account(9999), { host: '192.168.1.5', port: 5 }, 0)
    expect(places.all(1)).toHaveLength(256)
    expect(at(places, account(9999), 1)).toBe('192.168.1.5:5')
  })

  it('takes all of a list or nothing', () => {
    const places = new Places(SELF, () => new Set())
    const bad = [{ account: account(1), endpoint: '192.168.1.7:40001', deviceType: '' }, { account: account(2), endpoint: 'example.org:40001', deviceType: '' }]
    expect(() => places.own(bad)).toThrow(MeshBoxError)
    expect(() => places.own([{ account: SELF, endpoint: '192.168.1.7:40001', deviceType: '' }])).toThrow(/another node/)
    expect(() => places.own(Array.from({ length: 257 }, (_, i) => ({ account: account(i + 1), endpoint: '192.168.1.7:40001', deviceType: '' })))).toThrow(/at most 256/)
    expect(places.all(0)).toEqual([])
  })

  it.each(['', '192.168.1.7', '192.168.1.7:0', '192.168.1.7:65536', '192.168.1.256:1', '0.0.0.0:1', '224.0.0.251:5353', '255.255.255.255:1', '01.2.3.4:5', '[::1]:5', 'x'.repeat(1e4)])('%j is no place', (text) => {
    expect(() => parseEndpoint(text)).toThrow(MeshBoxError)
  })
})

describe('the configuration', () => {
  const read = (lines: readonly string[]): unknown =>
    loadConfig(["config meshbox 'main'", " list roles 'light'", " list roles 'photon'", "config chain 'chain'", " option network 'testnet'", "config photon 'photon'", ` option contract '0x${'11'.repeat(20)}'`, ...lines.map((line) => ` ${line}`)].join('\n'), 'box')

  it.each([
    [[`option v1_contract '0x${'22'.repeat(20)}'`], /v1_listen_address.*missing/],
    [[`option v1_contract '0x${'11'.repeat(20)}'`, `option v1_listen_address '192.168.1.1'`], /v1_contract.*same as contract/],
    [[`option v1_contract '0x${'22'.repeat(20)}'`, `option v1_listen_address '0.0.0.0'`], /v1_listen_address/],
    [[`option v1_contract '0x${'22'.repeat(20)}'`, `option v1_listen_address 'fd00::1'`], /v1_listen_address/],
    [[`option v1_contract '0x${'22'.repeat(20)}'`, `option v1_listen_address '192.168.1.1'`, `list v1_nodes '0x${'33'.repeat(20)}@somewhere:1'`], /v1_nodes/],
    [[`option v1_contract '0x${'22'.repeat(20)}'`, `option v1_listen_address '192.168.1.1'`, `list v1_trusted 'everybody'`], /v1_trusted/],
  ])('%j is refused by name', (lines, said) => {
    expect(() => read(lines)).toThrow(said)
  })

  it('is off unless it is asked for', () => {
    expect(read([])).toMatchObject({ photon: { v1Contract: null, v1ListenPort: 40_001, v1Nodes: [], v1Trusted: [] } })
  })
})

describe('the sockets it asks for', () => {
  const from = (lines: readonly string[], guestInterface: string | null): ReturnType<typeof lanParts> => {
    const { photon } = loadConfig(["config meshbox 'main'", "config photon 'photon'", ...lines.map((line) => ` ${line}`)].join('\n'), 'box')
    return lanParts({ config: photon, guestInterface, identity, curve: native })
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'photon-v1-identity-'))
  let identity: Identity
  beforeAll(async () => {
    identity = await openIdentity({ dataDir, randomness: systemRandomness, log: silentLog })
  })
  afterAll(() => rmSync(dataDir, { recursive: true }))
  const given = [`option v1_contract '0x${'22'.repeat(20)}'`, "option v1_listen_address '127.0.0.1'", "option v1_listen_port '1'"]

  it('are none where nothing is asked for, and never at an address of the guests’ interface', async () => {
    expect(from([], null)).toBeNull()
    const loopback = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some(({ address }) => address === '127.0.0.1') === true)?.[0] ?? ''
    await expect(from(given, loopback)?.openSocket(() => undefined)).rejects.toMatchObject({ code: 'bad-photon-address' })
  })

  it('hear the listener’s own network, and sign with an account that is not the box’s own', () => {
    const parts = from([...given, `list v1_nodes '0x${'33'.repeat(20)}@127.0.0.9:40001'`], null)
    expect([parts?.isNear('127.9.9.9'), parts?.isNear('192.0.2.1')]).toEqual([true, false])
    expect(parts?.settings.nodes).toEqual([{ account: `0x${'33'.repeat(20)}`, endpoint: '127.0.0.9:40001', deviceType: '' }])
    const digest = new Uint8Array(32).fill(1)
    const signer = native.recoverAddress(digest, parts?.signer.sign(digest) ?? new Uint8Array(65))
    expect(signer === null ? null : hexOf(signer)).toBe(parts?.signer.account)
    expect(parts?.signer.account).not.toBe(identity.addressFor('photon-account').toLowerCase())
  })

  it('are none of an address that the box does not have', () => {
    expect(networkOf('192.0.2.77')('192.0.2.78')).toBe(false)
  })
})
