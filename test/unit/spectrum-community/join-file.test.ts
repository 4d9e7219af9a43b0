/** The join file: one form, one genesis, no text that breaks the reader. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { COMMUNITY_ADDRESSES, MAX_JOIN_FILE_BYTES, decodeJoinFile, describe as describeCommunity, encodeJoinFile } from '../../../src/spectrum/community/index.ts'
import type { JoinFile } from '../../../src/spectrum/community/index.ts'
import { customNetwork } from '../../../src/spectrum/network/custom.ts'
import { native, noble } from '../spectrum/curves.ts'
import { village } from './village.ts'

const ID = 'ab'.repeat(64)
const PEERS = [`enode://${ID}@203.0.113.7:60303`, `enode://${ID}@[2001:db8::1]:60303?discport=60304`, `enode://${ID}@box-1.village.example:1`]
const KEYS = ['11', '22'].map((byte) => `0x${byte.repeat(32)}` as const)
const file: JoinFile = { community: village(), bootnodes: PEERS.slice(0, 1), staticPeers: PEERS, checkpointKeys: KEYS }
const text = encodeJoinFile(native, file)
/** Where the chief stands among the accounts. */
const CHIEF_AT = (JSON.parse(text) as { genesis: { accounts: { address: string }[] } }).genesis.accounts.findIndex((account) => account.address === COMMUNITY_ADDRESSES.Chief)

type Json = Record<string, unknown>
const changed = (change: (json: Json) => void): string => {
  const json = JSON.parse(text) as Json
  change(json)
  return `${JSON.stringify(json, null, 1)}\n`
}
const inside = (json: unknown, ...path: readonly (string | number)[]): Json => path.reduce((at, key) => (at as Record<string | number, unknown>)[key], json) as Json
const refused = (spoilt: string, field: string): void => {
  expect(() => decodeJoinFile(native, spoilt)).toThrowError(expect.objectContaining({ name: 'MeshBoxError', field }))
}

describe('a join file', () => {
  it('gives the chain back that it was written of', () => {
    const back = decodeJoinFile(native, text)
    expect(back.community.network.genesisHash).toBe(file.community.network.genesisHash)
    expect(encodeJoinFile(native, back)).toBe(text)
    expect(describeCommunity(native, back.community.network)).toEqual(describeCommunity(native, file.community.network))
    expect({ ...back, community: null }).toEqual({ ...file, community: null })
    expect(decodeJoinFile(noble, text).community.network).toEqual(back.community.network)
  })

  it('is small, and has one line per word of storage', () => {
    expect(text.length).toBeLessThan(80_000)
    expect(text).toContain('\n     "0x2: 0x5",\n')
  })

  it('goes without peers and keys, and without a token', () => {
    const bare = encodeJoinFile(native, { community: village({ token: null, miners: [] }), bootnodes: [], staticPeers: [], checkpointKeys: [] })
    expect(encodeJoinFile(native, decodeJoinFile(native, bare))).toBe(bare)
  })

  it('holds the largest community that can be made', () => {
    const people = Array.from({ length: 1024 }, (_, index) => ({ address: `0x${(index + 1).toString(16).padStart(40, '0')}` as const, balanceWei: 10n ** 32n + BigInt(index) }))
    const miners = people.slice(0, 256).map(({ address }) => ({ miner: address, owner: address, depositWei: 10n ** 30n }))
    const large = encodeJoinFile(native, { ...file, community: village({ allocations: people, miners, signerLimit: 256 }) })
    expect(large.length).toBeLessThan(MAX_JOIN_FILE_BYTES)
    expect(decodeJoinFile(native, large).community.network.genesisHash).toMatch(/^0x/)
  })

  it.each<[string, string, (json: Json) => void]>([
    ['another format', 'format', (json) => { json['format'] = 'meshbox' }],
    ['a later version', 'version', (json) => { json['version'] = 2 }],
    ['another genesis hash', 'genesisHash', (json) => { json['genesisHash'] = `0x${'00'.repeat(32)}` }],
    ['a coin more', 'genesisHash', (json) => { inside(json, 'genesis', 'accounts', 0)['balanceWei'] = '999' }],
    ['a byte of code', 'genesisHash', (json) => { inside(json, 'genesis', 'accounts', 3)['code'] = '0x60' }],
    ['an unknown key', 'joinFile', (json) => { json['more'] = 1 }],
    ['no name', 'name', (json) => { delete json['name'] }],
    ['no signer', 'genesis.signer', (json) => { delete inside(json, 'genesis')['signer'] }],
    ['a name of capitals', 'name', (json) => { json['name'] = 'Village' }],
    ['a chain id that is a number', 'chainId', (json) => { json['chainId'] = 424242 }],
    ['a chain id with a zero in front', 'chainId', (json) => { json['chainId'] = '0424242' }],
    ['a network id with a fraction', 'networkId', (json) => { json['networkId'] = 1.5 }],
    ['a network id below zero', 'networkId', (json) => { json['networkId'] = -1 }],
    ['a list for a text', 'name', (json) => { json['name'] = ['village'] }],
    ['an address too short', 'contracts.chief', (json) => { inside(json, 'contracts')['chief'] = '0x12' }],
    ['an address in capitals', 'contracts.poc', (json) => { inside(json, 'contracts')['poc'] = COMMUNITY_ADDRESSES.Poc.toUpperCase() }],
    ['a peer that is none', 'staticPeers', (json) => { json['staticPeers'] = ['http://203.0.113.7'] }],
    ['a peer with port 0', 'staticPeers', (json) => { json['staticPeers'] = [`enode://${ID}@203.0.113.7:0`] }],
    ['a peer with a port too high', 'bootnodes', (json) => { json['bootnodes'] = [`enode://${ID}@203.0.113.7:65536`] }],
    ['a peer with a command in its name', 'bootnodes', (json) => { json['bootnodes'] = [`enode://${ID}@$(reboot):1`] }],
    ['a peer twice', 'bootnodes', (json) => { json['bootnodes'] = [PEERS[0], PEERS[0]] }],
    ['65 peers', 'bootnodes', (json) => { json['bootnodes'] = Array.from({ length: 65 }, (_, index) => `enode://${ID}@203.0.113.7:${index + 1}`) }],
    ['one checkpoint key', 'checkpointKeys', (json) => { json['checkpointKeys'] = KEYS.slice(0, 1) }],
    ['a checkpoint key twice', 'checkpointKeys', (json) => { json['checkpointKeys'] = [KEYS[0], KEYS[0]] }],
    ['a checkpoint key of 31 bytes', 'checkpointKeys', (json) => { json['checkpointKeys'] = [KEYS[0], `0x${'11'.repeat(31)}`] }],
    ['a genesis that is null', 'genesis', (json) => { json['genesis'] = null }],
  ])('with %s is refused', (_, field, change) => {
    refused(changed(change), field)
  })

  it('with a word of storage changed is refused', () => {
    refused(text.replace('"0x2: 0x5"', '"0x2: 0x6"'), 'genesisHash')
    refused(text.replace('"0x2: 0x5"', '"0x2=0x5"'), `genesis.accounts[${CHIEF_AT}].storage`)
  })

  it('for another period, name, chain or set of contracts than its genesis is refused', () => {
    for (const [key, value] of [['periodSeconds', 4], ['name', 'valley'], ['chainId', '424243'], ['networkId', 7]] as const) refused(changed((json) => { json[key] = value }), 'genesis.accounts')
    refused(changed((json) => { inside(json, 'contracts')['anmap'] = null }), 'genesis.accounts')
    const { custom } = file.community
    const bare = { ...custom, genesis: { ...custom.genesis, accounts: custom.genesis.accounts.slice(1) } }
    expect(() => encodeJoinFile(native, { ...file, community: { custom: bare, network: customNetwork(native, bare) } })).toThrowError(expect.objectContaining({ field: 'genesis.accounts' }))
  })

  it('in any other form is refused, even where it says the same', () => {
    const account = (json: Json): Json => inside(json, 'genesis', 'accounts', CHIEF_AT)
    for (const other of [
      JSON.stringify(JSON.parse(text)),
      text.trimEnd(),
      `${text}\n`,
      text.replaceAll('\n', '\r\n'),
      text.replace('"name": "village"', '"name": "other",\n "name": "village"'),
      text.replace('"village"', '"\\u0076illage"'),
      changed((json) => { const { name, ...rest } = json; Object.keys(json).forEach((key) => delete json[key]); Object.assign(json, rest, { name }) }),
      changed((json) => { (inside(json, 'genesis')['accounts'] as unknown[]).reverse() }),
      changed((json) => { (account(json)['storage'] as unknown[]).reverse() }),
      changed((json) => { (account(json)['storage'] as unknown[]).push('0xffff: 0x0') }),
      text.replace('"0x2: 0x5"', '"0x02: 0x5"'),
      text.replace('"networkId": 424242', '"networkId": 424242.0'),
    ])
      refused(other, 'joinFile')
  })

  it('of a chain on which nobody could make a block is refused', () => {
    const spoil = (address: string, change: (account: NonNullable<ReturnType<typeof find>>) => object): JoinFile => {
      const { custom } = file.community
      const accounts = custom.genesis.accounts.map((account) => (account.address === address ? { ...account, ...change(account) } : account))
      const spoilt = { ...custom, genesis: { ...custom.genesis, accounts } }
      return { ...file, community: { custom: spoilt, network: customNetwork(native, spoilt) } }
    }
    const find = (address: string): (typeof file.community.custom.genesis.accounts)[number] | undefined => file.community.custom.genesis.accounts.find((account) => account.address === address)
    const without = (slot: bigint) => (account: NonNullable<ReturnType<typeof find>>): object => ({ storage: new Map([...(account.storage ?? [])].filter(([at]) => at !== slot)) })
    for (const [address, change, field] of [
      [COMMUNITY_ADDRESSES.ChiefBase, without(4n), 'genesis.accounts'],
      [COMMUNITY_ADDRESSES.Chief, without(2n), 'genesis.accounts'],
      [COMMUNITY_ADDRESSES.Poc, () => ({ storage: new Map([[1n, 257n]]) }), 'genesis.accounts'],
      [COMMUNITY_ADDRESSES.Chief, () => ({ code: new Uint8Array(0) }), 'contracts.chief'],
      [COMMUNITY_ADDRESSES.Anmap, () => ({ code: new Uint8Array(0) }), 'contracts.anmap'],
    ] as const)
      expect(() => encodeJoinFile(native, spoil(address, change))).toThrowError(expect.objectContaining({ name: 'MeshBoxError', field }))
  })

  it('with more storage than any community has is refused', () => {
    const lines = Array.from({ length: 4100 }, (_, index) => `0x${(index + 1000).toString(16)}: 0x1`)
    refused(changed((json) => { for (const account of [3, 4]) inside(json, 'genesis', 'accounts', account)['storage'] = lines }), 'genesis.accounts')
  })

  it('is not read where it is too large, and not parsed', () => {
    for (const large of [' '.repeat(MAX_JOIN_FILE_BYTES + 1), 'é'.repeat(MAX_JOIN_FILE_BYTES / 2 + 1), '['.repeat(2 * MAX_JOIN_FILE_BYTES)])
      expect(() => decodeJoinFile(native, large)).toThrowError(expect.objectContaining({ kind: 'limit', code: 'join-file-too-large' }))
  })

  it('says nothing in its errors that a terminal would obey', () => {
    for (const spoilt of ['\u001b[2J', '{"\u001b[31m": 1}', changed((json) => { json['format'] = '\u001b]0;x\u0007' })]) {
      try {
        decodeJoinFile(native, spoilt)
        expect.unreachable()
      } catch (thrown) {
        expect((thrown as MeshBoxError).message).not.toMatch(/[\u0000-\u001f]/)
      }
    }
  })

  it('breaks nothing, whatever is in it', () => {
    const survives = (spoilt: string): void => {
      try {
        expect(encodeJoinFile(native, decodeJoinFile(native, spoilt))).toBe(spoilt)
      } catch (thrown) {
        if (!(thrown instanceof MeshBoxError)) throw thrown
      }
    }
    fc.assert(fc.property(fc.string(), (noise) => { survives(noise) }), { seed: 4, numRuns: 300 })
    fc.assert(fc.property(fc.json(), (noise) => { survives(noise) }), { seed: 4, numRuns: 300 })
    for (const deep of ['['.repeat(500_000), '{"a":'.repeat(200_000), `${'['.repeat(400_000)}${']'.repeat(400_000)}`]) survives(deep)
    // One value somewhere in the tree replaced by another kind of value.
    const paths: (readonly (string | number)[])[] = []
    const walk = (value: unknown, path: readonly (string | number)[]): void => {
      paths.push(path)
      if (typeof value === 'object' && value !== null) for (const key of Object.keys(value).slice(0, 12)) walk((value as Record<string, unknown>)[key], [...path, key])
    }
    walk(JSON.parse(text), [])
    const values: readonly unknown[] = [null, 0, -1, 1e400, 2 ** 60, '', '0x', '0xff', 'x'.repeat(300), [], {}, [[]], { __proto__: null, length: 1 }, true, '9'.repeat(78), '9'.repeat(79), `0x${'f'.repeat(64)}`]
    fc.assert(
      fc.property(fc.constantFrom(...paths.slice(1)), fc.constantFrom(...values), (path, value) => {
        survives(changed((json) => { inside(json, ...path.slice(0, -1))[path.at(-1) ?? ''] = value }))
      }),
      { seed: 4, numRuns: 600 },
    )
    fc.assert(fc.property(fc.nat(text.length - 1), fc.nat(255), (place, code) => { survives(text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1)) }), { seed: 4, numRuns: 400 })
  })

  it('is not written with peers or keys that nobody could read again', () => {
    expect(() => encodeJoinFile(native, { ...file, bootnodes: ['enode://x'] })).toThrowError(expect.objectContaining({ field: 'bootnodes' }))
    expect(() => encodeJoinFile(native, { ...file, checkpointKeys: [`0x${'AA'.repeat(32)}`, `0x${'bb'.repeat(32)}`] })).toThrowError(expect.objectContaining({ field: 'checkpointKeys' }))
  })
})
