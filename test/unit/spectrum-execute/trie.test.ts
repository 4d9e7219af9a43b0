/** Our trie that is edited key by key against the one that is built at once, whatever the order of changes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import { TrieEdit, readKey } from '../../../src/spectrum/execute/edit-trie.ts'
import { MissingNode, NodeSource } from '../../../src/spectrum/execute/node-source.ts'
import { buildTrie } from '../../../src/spectrum/proof/build-trie.ts'
import { EMPTY_TRIE_ROOT } from '../../../src/spectrum/index.ts'
import type { Hash } from '../../../src/spectrum/index.ts'
import { native } from '../spectrum/curves.ts'

/** Keys that share long beginnings, so that branches, extensions and nodes written out in their parents come and go. */
const key = fc.tuple(fc.constantFrom(0x00, 0x01, 0x10, 0xff), fc.constantFrom(0, 1, 16), fc.constantFrom(0, 7), fc.constantFrom(0, 1, 2, 3, 240)).map(([a, b, c, d]) => {
  const bytes = new Uint8Array(32).fill(c)
  bytes[0] = a
  bytes[15] = b
  bytes[31] = d
  return bytes
})
const value = fc.oneof(fc.constantFrom(Uint8Array.of(1), Uint8Array.of(0x80, 2)), fc.uint8Array({ minLength: 1, maxLength: 40 }))
const changes = fc.array(fc.array(fc.tuple(key, fc.option(value, { nil: null, freq: 2 })), { maxLength: 12 }), { minLength: 1, maxLength: 6 })

describe('the trie', () => {
  it('has the root of its content after any changes, and reads it back', () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 0, max: 4000 }), (rounds, maxCacheBytes) => {
        const nodes = new Map<Hash, Uint8Array>()
        const content = new Map<string, Uint8Array>()
        let root: Hash = EMPTY_TRIE_ROOT
        const source = new NodeSource({ keccak: native, store: { ...memoryStateStore(), node: (hash) => nodes.get(hash) }, fetch: null, maxCacheBytes })
        for (const round of rounds) {
          const edit = new TrieEdit(source, native, root)
          for (const [at, what] of round) {
            if (what === null) edit.delete(at)
            else edit.put(at, what)
            const name = Buffer.from(at).toString('hex')
            if (what === null) content.delete(name)
            else content.set(name, what)
          }
          const before = root
          root = edit.finish((hash, node) => void nodes.set(hash, node))
          const kept = new Map<Hash, Uint8Array>()
          expect(root).toBe(buildTrie(native, [...content].map(([name, bytes]) => [Buffer.from(name, 'hex'), bytes] as const), (hash, node) => void kept.set(hash, node)))
          for (const [hash, node] of kept) expect(nodes.get(hash)).toEqual(node)
          for (const [at] of round) expect(readKey(source, root, at)).toEqual(content.get(Buffer.from(at).toString('hex')) ?? null)
          if (round.length === 0) expect(root).toBe(before)
        }
      }),
      { numRuns: 400, seed: 7 },
    )
  })

  it('names the node that is missing, in reads and in changes, and can start again with it', () => {
    const nodes = new Map<Hash, Uint8Array>()
    const entries = Array.from({ length: 60 }, (_, index) => [native.keccak256(Uint8Array.of(index)), Uint8Array.of(index + 1)] as const)
    const root = buildTrie(native, entries, (hash, node) => void nodes.set(hash, node))
    const partial = new Map<Hash, Uint8Array>()
    const source = new NodeSource({ keccak: native, store: { ...memoryStateStore(), node: (hash) => partial.get(hash) }, fetch: null, maxCacheBytes: 0 })
    const complete = <T>(work: () => T): T => {
      for (;;)
        try {
          return work()
        } catch (thrown) {
          if (!(thrown instanceof MissingNode)) throw thrown
          partial.set(thrown.hash, nodes.get(thrown.hash) ?? new Uint8Array(0))
        }
    }
    const half = entries.slice(0, 30)
    const left = complete(() => {
      const edit = new TrieEdit(source, native, root)
      for (const [at] of half) edit.delete(at)
      return edit.finish(() => undefined)
    })
    expect(left).toBe(buildTrie(native, entries.slice(30)))
  })
})
