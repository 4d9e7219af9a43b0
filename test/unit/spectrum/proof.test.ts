/** Proofs: the test chain's states, tries of random keys, absence, lies and gaps. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, encodeRlp, fromHex, toHex } from '../../../src/base/index.ts'
import type { RlpItem } from '../../../src/base/index.ts'
import { readMiners, readRound } from '../../../src/spectrum/rules/read-round.ts'
import { DEVNET as DEVNET_NETWORK } from '../../../src/spectrum/network/networks.ts'
import { readReceipt, readTransaction } from '../../../src/spectrum/proof/inclusion.ts'
import { EMPTY_ACCOUNT, elementSlot, mapSlot, readAccount, readAddress, readAddresses, readCode, readSlot } from '../../../src/spectrum/proof/account.ts'
import { buildListTrie, buildTrie } from '../../../src/spectrum/proof/build-trie.ts'
import { EMPTY_TRIE_ROOT, nodeSet, readTrie } from '../../../src/spectrum/proof/read-trie.ts'
import { encodeReceipt } from '../../../src/spectrum/codec/receipt.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { hexOf, keccakHex } from '../../../src/spectrum/codec/fields.ts'
import type { Hash, NodeSource } from '../../../src/spectrum/index.ts'
import { decodeTrieNode } from '../../../src/spectrum/proof/trie-node.ts'
import { BOTH, native } from './curves.ts'
import { DEVNET, DEVNET_NODES, DEVNET_SIGNER, HEAD_STATE_ROOT } from './devnet.ts'

const nodeOf: NodeSource = (hash) => DEVNET_NODES.get(hash)
const value = <T>(read: { kind: string; value?: T }): T => {
  if (read.kind !== 'read') throw new Error(`not read: ${JSON.stringify(read)}`)
  return read.value as T
}

describe.each(BOTH)('the test chain, %s', (_, curve) => {
  it('has all its nodes under their hashes', () => {
    expect(DEVNET_NODES.size).toBe(484)
    for (const [hash, node] of DEVNET_NODES) expect(keccakHex(curve, node)).toBe(hash)
  })

  it('the round, its limits and POC’s numbers in the last state, from ten nodes and 1,088 bytes for signers and height', () => {
    const seen = new Set<Uint8Array>()
    const counting: NodeSource = (hash) => {
      const node = DEVNET_NODES.get(hash)
      if (node !== undefined) seen.add(node)
      return node
    }
    const [, chief] = DEVNET_NETWORK.chiefs
    const account = value(readAccount(curve, HEAD_STATE_ROOT, chief?.address ?? '0x', counting))
    expect(value(readAddresses(curve, account.storageRoot, 2n, 17, counting)).length).toBe(5)
    expect(value(readSlot(curve, account.storageRoot, 4n, counting))).toBe(22n)
    expect([seen.size, [...seen].reduce((sum, node) => sum + node.length, 0)]).toEqual([10, 1088])
    const round = value(readRound(curve, DEVNET_NETWORK, 63, HEAD_STATE_ROOT, nodeOf))
    expect(round).toMatchObject({ epochBlocks: 25, leaders: [DEVNET_SIGNER], volunteerLimit: 4, next: [] })
    expect(round.signers.length).toBe(5)
    const poc = value(readAccount(curve, HEAD_STATE_ROOT, DEVNET_NETWORK.poc, nodeOf))
    expect([10n, 12n, 13n].map((slot) => value(readSlot(curve, poc.storageRoot, slot, nodeOf)))).toEqual([10n, 300n, 100n])
    expect(value(readCode(curve, poc.codeHash, nodeOf)).length).toBeGreaterThan(1000)
    expect(Array.isArray(value(readMiners(curve, DEVNET_NETWORK, HEAD_STATE_ROOT, nodeOf)))).toBe(true)
  })

  it('accounts of every state, and absence of one that is none', () => {
    for (const { number, header } of DEVNET) {
      const richest = value(readAccount(curve, header.stateRoot, '0xbf1736a65f8beadd71b321be585fd883503fdeaa', nodeOf))
      if (number === 0) expect(richest.balanceWei).toBe(5n * 10n ** 27n)
      expect(value(readAccount(curve, header.stateRoot, `0x${'ee'.repeat(20)}`, nodeOf))).toEqual(EMPTY_ACCOUNT)
      // From 4 on each block has one more transaction of its signer.
      const nonce = (root: Hash): bigint => value(readAccount(curve, root, DEVNET_SIGNER, nodeOf)).nonce
      if (number > 4) expect(nonce(header.stateRoot)).toBeGreaterThan(nonce(DEVNET[number - 1]?.header.stateRoot ?? header.stateRoot))
    }
  })

  it('every transaction and receipt by its index, and none behind the last', () => {
    for (const { header, body, receipts } of DEVNET) {
      const nodes: Uint8Array[] = []
      buildListTrie(curve, body.transactions.map(encodeTransaction), (_hash, node) => nodes.push(node))
      buildListTrie(curve, receipts.map(encodeReceipt), (_hash, node) => nodes.push(node))
      const source = nodeSet(curve, nodes)
      body.transactions.forEach((transaction, index) => expect(value(readTransaction(curve, header.transactionsRoot, index, source))).toEqual(transaction))
      receipts.forEach((receipt, index) => expect(value(readReceipt(curve, header.receiptsRoot, index, source))).toEqual(receipt))
      expect(value(readTransaction(curve, header.transactionsRoot, body.transactions.length, source))).toBeNull()
      expect(value(readReceipt(curve, header.receiptsRoot, 1000, source))).toBeNull()
    }
  })
})

describe('walking', () => {
  it('names what is missing, and goes on when it is there', () => {
    const have = new Map<Hash, Uint8Array>()
    let asked = 0
    for (;;) {
      const read = readRound(native, DEVNET_NETWORK, 63, HEAD_STATE_ROOT, (hash) => have.get(hash))
      if (read.kind === 'read') break
      if (read.kind === 'invalid') throw new Error(read.reason)
      expect(read.hashes.length).toBeGreaterThan(0)
      expect(new Set(read.hashes).size).toBe(read.hashes.length)
      for (const hash of read.hashes) have.set(hash, DEVNET_NODES.get(hash) ?? expect.fail(`no ${hash}`))
      expect(++asked).toBeLessThan(30)
    }
  })

  it('trap: a node with another hash is a lie, whatever it says', () => {
    const [first] = [...DEVNET_NODES.values()]
    expect(readAccount(native, HEAD_STATE_ROOT, DEVNET_SIGNER, () => first)).toMatchObject({ kind: 'invalid', hash: HEAD_STATE_ROOT })
    for (const [hash, node] of [...DEVNET_NODES].slice(0, 40)) {
      const changed = Uint8Array.from(node)
      changed[node.length >> 1] = (changed[node.length >> 1] ?? 0) ^ 1
      expect(readTrie(native, hash, new Uint8Array(32), () => changed)).toMatchObject({ kind: 'invalid' })
    }
  })

  it('an empty trie holds nothing', () => {
    expect(readTrie(native, EMPTY_TRIE_ROOT, Uint8Array.of(1), () => undefined)).toEqual({ kind: 'read', value: null })
    expect(buildTrie(native, [])).toBe(EMPTY_TRIE_ROOT)
    expect(keccakHex(native, encodeRlp(new Uint8Array(0)))).toBe(EMPTY_TRIE_ROOT)
  })

  it('roots that the Ethereum tests publish', () => {
    const text = (entries: Record<string, string>): Hash => buildTrie(native, Object.entries(entries).map(([key, text]) => [new TextEncoder().encode(key), new TextEncoder().encode(text)]))
    expect(text({ doe: 'reindeer', dog: 'puppy', dogglesworth: 'cat' })).toBe('0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3')
    expect(text({ do: 'verb', horse: 'stallion', doge: 'coin', dog: 'puppy' })).toBe('0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84')
    expect(text({ A: 'a'.repeat(50) })).toBe('0xd23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab')
  })

  it('finds every key of any trie, and proves the absence of every other', () => {
    const key = fc.uint8Array({ minLength: 0, maxLength: 3 })
    const entry = fc.tuple(key, fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3 }), fc.uint8Array({ minLength: 30, maxLength: 60 })))
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([bytes]) => toHex(bytes), maxLength: 40 }), fc.array(key, { maxLength: 20 }), (entries, others) => {
        const nodes: Uint8Array[] = []
        const root = buildTrie(native, entries, (_, node) => nodes.push(node))
        expect(buildTrie(native, [...entries].reverse())).toBe(root)
        const source = nodeSet(native, nodes)
        const known = new Map(entries.map(([bytes, content]) => [toHex(bytes), content]))
        for (const bytes of [...others, ...entries.map(([bytes]) => bytes)]) expect(readTrie(native, root, bytes, source)).toEqual({ kind: 'read', value: known.get(toHex(bytes)) ?? null })
      }),
    )
  })

  it('each node that a proof needs is needed', () => {
    const entries = Array.from({ length: 200 }, (_, index) => [native.keccak256(Uint8Array.of(index)), new Uint8Array(40).fill(index + 1)] as const)
    const nodes = new Map<Hash, Uint8Array>()
    const root = buildTrie(native, entries, (hash, node) => nodes.set(hash, node))
    for (const [key, content] of entries.slice(0, 20)) {
      const path: Hash[] = []
      expect(readTrie(native, root, key, (hash) => (path.push(hash), nodes.get(hash)))).toEqual({ kind: 'read', value: content })
      for (const gone of path) expect(readTrie(native, root, key, (hash) => (hash === gone ? undefined : nodes.get(hash)))).toEqual({ kind: 'missing', hashes: [gone] })
    }
  })
})

describe('nodes', () => {
  const leafOf = (path: string): RlpItem => [fromHex(path), new Uint8Array(40).fill(1)]
  it.each<[string, RlpItem]>([
    ['a string', new Uint8Array(40).fill(1)],
    ['three items', [new Uint8Array(32), new Uint8Array(32), new Uint8Array(32)]],
    ['18 items', Array.from({ length: 18 }, () => new Uint8Array(32))],
    ['a path of no bytes', leafOf('')],
    ['a path with flag 4', leafOf('40')],
    ['an even path with a nibble beside its flag', leafOf('2512')],
    ['an even extension with a nibble beside its flag', leafOf('0512')],
    ['an extension of no nibbles', [fromHex('00'), new Uint8Array(32).fill(1)]],
    ['an extension without a child', [fromHex('16'), new Uint8Array(0)]],
    ['a leaf without a value', [fromHex('36'), new Uint8Array(0)]],
    ['a path of 34 bytes', leafOf(`20${'11'.repeat(33)}`)],
  ])('refuses %s', (_, item) => {
    expect(() => decodeTrieNode(encodeRlp(item))).toThrow(expect.objectContaining({ kind: 'input' }))
    const node = encodeRlp(item)
    expect(readTrie(native, keccakHex(native, node), new Uint8Array(32), () => node)).toMatchObject({ kind: 'invalid' })
  })

  it('refuses children that are neither hash nor short node', () => {
    const branch = (child: RlpItem): Uint8Array => encodeRlp([child, ...Array.from({ length: 16 }, () => new Uint8Array(0))])
    for (const child of [new Uint8Array(31).fill(1), new Uint8Array(33).fill(1), [fromHex('20'), new Uint8Array(40).fill(1)], [fromHex('20')]]) {
      const node = branch(child)
      expect(readTrie(native, keccakHex(native, node), new Uint8Array(32), () => node)).toMatchObject({ kind: 'invalid' })
    }
    const short = encodeRlp([fromHex('20'), Uint8Array.of(7)])
    const above = branch(native.keccak256(short))
    const source = nodeSet(native, [short, above])
    expect(readTrie(native, keccakHex(native, above), Uint8Array.of(0), source), 'a short node under a hash').toMatchObject({ kind: 'invalid' })
  })

  it('a chain of nodes deeper than the key ends as absence', () => {
    const key = Uint8Array.of(0x12)
    const nodes = [encodeRlp([...Array.from({ length: 16 }, () => new Uint8Array(0)), new Uint8Array(40).fill(9)])]
    for (let depth = 0; depth < 100; depth++) nodes.push(encodeRlp(Array.from({ length: 17 }, (_, at) => (at < 16 ? native.keccak256(nodes.at(-1) ?? key) : new Uint8Array(0)))))
    expect(readTrie(native, keccakHex(native, nodes.at(-1) ?? key), key, nodeSet(native, nodes))).toEqual({ kind: 'read', value: null })
  })

  it('any bytes under their own hash never throw', () => {
    const real = [...DEVNET_NODES.values()].slice(0, 60)
    const changed = fc.tuple(fc.constantFrom(...real), fc.nat(), fc.nat(255)).map(([node, at, byte]) => Uint8Array.from(node, (old, index) => (index === at % node.length ? byte : old)))
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 100 })), fc.uint8Array({ maxLength: 32 }), (node, key) => {
        const root = keccakHex(native, node)
        expect(['read', 'missing', 'invalid']).toContain(readTrie(native, root, key, (hash) => (hash === root ? node : undefined)).kind)
        for (const read of [readAccount(native, root, DEVNET_SIGNER, nodeSet(native, [node])), readSlot(native, root, 1n, nodeSet(native, [node]))]) expect(['read', 'missing', 'invalid']).toContain(read.kind)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('storage', () => {
  const word = (bytes: Uint8Array): Uint8Array => concatBytes(new Uint8Array(32 - bytes.length), bytes)
  const storage = (slots: [bigint, bigint][]): [Hash, NodeSource] => {
    const nodes: Uint8Array[] = []
    const root = buildTrie(native, slots.map(([slot, content]) => [native.keccak256(word(fromHex(slot.toString(16).padStart(64, '0')))), encodeRlp(fromHex(content.toString(16).length % 2 ? `0${content.toString(16)}` : content.toString(16)))]), (_, node) => nodes.push(node))
    return [root, nodeSet(native, nodes)]
  }

  it('arrays and maps lie where Solidity puts them', () => {
    // keccak256 of 32 zero bytes.
    expect(elementSlot(native, 0n, 0)).toBe(0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563n)
    expect(elementSlot(native, 0n, 3) - elementSlot(native, 0n, 0)).toBe(3n)
    expect(mapSlot(native, 1n, `0x${'11'.repeat(20)}`)).toBe(BigInt(hexOf(native.keccak256(concatBytes(word(fromHex('11'.repeat(20))), word(Uint8Array.of(1)))))))
    const [root, source] = storage([[2n, 2n], [elementSlot(native, 2n, 0), 0xaan], [elementSlot(native, 2n, 1), 1n << 200n]])
    expect(readAddresses(native, root, 2n, 5, source)).toMatchObject({ kind: 'read', value: [`0x${'00'.repeat(19)}aa`, `0x${'00'.repeat(20)}`] })
    expect(readAddress(native, root, 99n, source)).toEqual({ kind: 'read', value: `0x${'00'.repeat(20)}` })
  })

  it('an array that is longer than allowed is not read', () => {
    const [root, source] = storage([[2n, 2n ** 200n]])
    expect(readAddresses(native, root, 2n, 5, source)).toMatchObject({ kind: 'invalid' })
  })

  it('code with another hash is a lie', () => {
    expect(readCode(native, `0x${'12'.repeat(32)}`, () => Uint8Array.of(1))).toMatchObject({ kind: 'invalid' })
    expect(readCode(native, `0x${'12'.repeat(32)}`, () => undefined)).toMatchObject({ kind: 'missing' })
    expect(readCode(native, EMPTY_ACCOUNT.codeHash, () => undefined)).toEqual({ kind: 'read', value: new Uint8Array(0) })
  })
})
