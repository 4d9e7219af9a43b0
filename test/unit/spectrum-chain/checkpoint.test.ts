/** Checkpoints: one text for one checkpoint, two signatures of named keys, an age, a proof; and a chain started from one. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MeshBoxError, utf8 } from '../../../src/base/index.ts'
import { genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { MAINNET } from '../../../src/spectrum/network/networks.ts'
import { hashHeader } from '../../../src/spectrum/codec/header.ts'
import { hexOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Network, Round } from '../../../src/spectrum/index.ts'
import { checkpointOf, decodeCheckpoint, encodeCheckpoint, newestCheckpointBlock, proveCheckpoint, startFromCheckpoint, startFromGenesis, verifyCheckpoint } from '../../../src/spectrum/chain/index.ts'
import { MAX_CHECKPOINT_AGE_SECONDS, signCheckpoint } from '../../../src/spectrum/chain/verify-checkpoint.ts'
import type { Checkpoint, CheckpointJudge, SignedCheckpoint } from '../../../src/spectrum/chain/index.ts'
import { native, noble } from '../spectrum/curves.ts'
import { GENESIS_ROUND, LEADERS, MINERS, VILLAGE } from '../spectrum/village.ts'
import { DRAWN_OPTIONS, DRAWN_START, drawnBranch } from './drawn-blocks.ts'
import { VILLAGE_START, blockAfter, eventsOf, openTestChain, openTestStore, villageBlock } from './kept-chain.ts'
import { headOf } from '../../../src/spectrum/chain/tree.ts'
import { treeOf } from '../../../src/spectrum/chain/io/tables.ts'
import type { ChainBlock } from '../../../src/spectrum/ports.ts'

const SEEDS = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
const [A, B, STRANGER] = SEEDS as [Uint8Array, Uint8Array, Uint8Array]

/** Nine blocks of the village; the ninth ends its second round. */
const BLOCKS: ChainBlock[] = []
for (let at = headOf(treeOf(VILLAGE_START)); BLOCKS.length < 9; BLOCKS.push(at)) {
  const due = at.round.signers[(at.header.number + 1) % 5]
  at = blockAfter(at, villageBlock(at, [...LEADERS, ...MINERS].find(({ address }) => address === due) ?? never()))
}
const NINTH = BLOCKS[8] ?? never()
const CHECKPOINT = checkpointOf(VILLAGE, NINTH)
const sign = (checkpoint: Checkpoint, ...seeds: Uint8Array[]): SignedCheckpoint => seeds.reduce(signCheckpoint, { checkpoint, signatures: [] })
const KEYS = sign(CHECKPOINT, A, B).signatures.map(({ key }) => key)
const TIME = NINTH.header.timeSeconds
const JUDGE: CheckpointJudge = { curve: native, network: VILLAGE, keys: KEYS, nowSeconds: TIME + 60, isAgeAccepted: false }
const SIGNED = sign(CHECKPOINT, A, B)

function never(): never {
  throw new Error('not there')
}

describe('the text', () => {
  it('is one line that comes back, whichever curve reads it', () => {
    const text = encodeCheckpoint(SIGNED)
    expect(text).not.toContain('\n')
    expect(decodeCheckpoint(native, text)).toEqual(SIGNED)
    expect(decodeCheckpoint(noble, utf8(`${text}\n`))).toEqual(SIGNED)
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['version', 'chainId', 'genesisHash', 'number', 'hash', 'header', 'totalDifficulty', 'round', 'time', 'signatures'])
  })

  it('in any other form is refused', () => {
    const text = encodeCheckpoint(SIGNED)
    const parsed = JSON.parse(text) as Record<string, unknown>
    const changed = (change: Record<string, unknown>): string => JSON.stringify({ ...parsed, ...change })
    const others = [
      ` ${text}`, `${text} `, `${text}\n\n`, text.replace('{"version"', '{ "version"'), text.replace('"version":1', '"version":1.0'), text.replace('"version":1,', '"version":1,"version":1,'), text.replace('"version":1', '"version":2'),
      changed({ extra: 1 }), changed({ number: NINTH.header.number + 1 }), changed({ number: '9' }), changed({ time: TIME + 1 }), changed({ hash: VILLAGE.genesisHash }), changed({ chainId: 777001 }), changed({ chainId: '0777001' }), changed({ totalDifficulty: '-5' }),
      changed({ header: String(parsed['header']).toUpperCase() }), changed({ header: '0x' }), changed({ round: null }), changed({ round: { ...GENESIS_ROUND, volunteerLimit: '4' } }), changed({ round: { ...GENESIS_ROUND, signers: [] } }),
      changed({ signatures: [...SIGNED.signatures].reverse() }), changed({ signatures: [SIGNED.signatures[0], SIGNED.signatures[0]] }), changed({ signatures: {} }), changed({ signatures: [{ key: 'a', signature: 'b' }] }),
      '', 'null', '[]', '{}', '"x"', '9'.repeat(70_000), `{"version":1,"__proto__":{}}`,
    ]
    for (const other of others) expect(() => decodeCheckpoint(native, other), other.slice(0, 80)).toThrow(expect.objectContaining({ kind: 'input' }))
  })

  it('spoilt anywhere: an input error, or another checkpoint that its signatures do not cover', () => {
    const bytes = utf8(encodeCheckpoint(SIGNED))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        let signed: SignedCheckpoint
        try {
          signed = decodeCheckpoint(native, bytes.with(at, (bytes[at] ?? 0) ^ change))
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MeshBoxError)
          expect((thrown as MeshBoxError).kind).toBe('input')
          return
        }
        expect(verifyCheckpoint(JUDGE, signed).ok).toBe(false)
      }),
      { numRuns: 3000, seed: 21 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
        expect(() => decodeCheckpoint(native, any)).toThrow(expect.objectContaining({ kind: 'input' }))
      }),
      { numRuns: 1000, seed: 22 },
    )
  })
})

describe('verification', () => {
  const codeOf = (signed: SignedCheckpoint, judge: Partial<CheckpointJudge> = {}): string => {
    const verdict = verifyCheckpoint({ ...JUDGE, ...judge }, signed)
    return verdict.ok ? 'ok' : verdict.code
  }
  const signed = (change: Partial<Checkpoint>): SignedCheckpoint => sign({ ...CHECKPOINT, ...change }, A, B)

  it('takes what two named keys have signed', () => {
    expect(codeOf(SIGNED)).toBe('ok')
    expect(codeOf(sign(CHECKPOINT, STRANGER, B, A))).toBe('ok')
  })

  it('refuses too few signatures, those of strangers, one key twice, and a wrong one', () => {
    expect(codeOf(sign(CHECKPOINT, A))).toBe('too-few-signatures')
    expect(codeOf(sign(CHECKPOINT, A, STRANGER))).toBe('too-few-signatures')
    expect(codeOf(sign(CHECKPOINT, A, A))).toBe('too-few-signatures')
    const [one] = sign(CHECKPOINT, A).signatures
    expect(codeOf({ checkpoint: CHECKPOINT, signatures: [one ?? never(), one ?? never()] })).toBe('too-few-signatures')
    expect(codeOf(SIGNED, { keys: KEYS.slice(0, 1) })).toBe('too-few-signatures')
    expect(codeOf(SIGNED, { keys: [] })).toBe('too-few-signatures')
    expect(codeOf({ checkpoint: { ...CHECKPOINT, totalDifficulty: CHECKPOINT.totalDifficulty - 1n }, signatures: SIGNED.signatures })).toBe('bad-signature')
  })

  it('refuses another chain, the middle of a round, an impossible difficulty, a header that nobody sealed', () => {
    expect(codeOf(signed({ chainId: 1n }))).toBe('wrong-chain')
    expect(codeOf(signed({ genesisHash: NINTH.hash }))).toBe('wrong-chain')
    const eighth = BLOCKS[7] ?? never()
    expect(() => checkpointOf(VILLAGE, eighth)).toThrow(expect.objectContaining({ kind: 'input', field: 'number' }))
    expect(codeOf(signed({ known: eighth, round: eighth.round }))).toBe('not-end-of-round')
    expect(codeOf(signed({ round: { ...CHECKPOINT.round, next: CHECKPOINT.round.signers.slice(1, 2) } }))).toBe('not-end-of-round')
    expect(codeOf(signed({ totalDifficulty: 8n }))).toBe('impossible-difficulty')
    expect(codeOf(signed({ totalDifficulty: 56n }))).toBe('impossible-difficulty')
    expect(codeOf(signed({ known: { ...CHECKPOINT.known, header: { ...NINTH.header, extra: new Uint8Array(226) } } }))).toBe('bad-seal')
    expect(codeOf(signed({ known: { ...CHECKPOINT.known, header: { ...NINTH.header, extra: new Uint8Array(225) } } }))).toBe('bad-seal')
  })

  it('refuses what is below SIP100’s second block on a public network', () => {
    const network: Network = MAINNET
    const at = (number: number): string => {
      const known = { ...CHECKPOINT.known, header: { ...NINTH.header, number } }
      const round: Round = { ...CHECKPOINT.round, signers: Array.from({ length: 5 }, () => LEADERS[0]?.address as Address) }
      return codeOf(signed({ chainId: network.chainId, genesisHash: network.genesisHash, known, round, totalDifficulty: BigInt(number) * 5n }), { network })
    }
    expect(at(2_823_364)).toBe('before-sip100')
    expect(at(2_823_369)).toBe('ok')
  })

  it('refuses what is older than 14 days, from the future, or not to be dated; the owner’s word overrides that alone', () => {
    expect(codeOf(SIGNED, { nowSeconds: TIME + MAX_CHECKPOINT_AGE_SECONDS })).toBe('ok')
    expect(codeOf(SIGNED, { nowSeconds: TIME + MAX_CHECKPOINT_AGE_SECONDS + 1 })).toBe('too-old')
    expect(codeOf(SIGNED, { nowSeconds: TIME - 600 })).toBe('ok')
    expect(codeOf(SIGNED, { nowSeconds: TIME - 601 })).toBe('from-the-future')
    expect(codeOf(SIGNED, { nowSeconds: null })).toBe('clock-not-trusted')
    for (const nowSeconds of [TIME + 10 * MAX_CHECKPOINT_AGE_SECONDS, 0, null]) expect(codeOf(SIGNED, { nowSeconds, isAgeAccepted: true })).toBe('ok')
    expect(codeOf(sign(CHECKPOINT, A), { isAgeAccepted: true })).toBe('too-few-signatures')
  })

  it('is not proved by a state that nobody has, or that says something else', async () => {
    expect(await proveCheckpoint(CHECKPOINT, () => Promise.resolve(CHECKPOINT.round))).toEqual({ ok: true })
    expect(await proveCheckpoint(CHECKPOINT, () => Promise.resolve(null))).toMatchObject({ ok: false, code: 'round-not-provable' })
    for (const change of [{ leaders: CHECKPOINT.round.leaders.slice(1) }, { signers: [...CHECKPOINT.round.signers].reverse() }, { epochBlocks: 26 }, { volunteerLimit: 3 }])
      expect(await proveCheckpoint(CHECKPOINT, () => Promise.resolve({ ...CHECKPOINT.round, ...change }))).toMatchObject({ ok: false, code: 'round-differs' })
    await expect(proveCheckpoint(CHECKPOINT, () => Promise.reject(new Error('no sources')))).rejects.toThrow('no sources')
  })

  it('a key that is no key at all has not signed', () => {
    const [one] = SIGNED.signatures
    expect(codeOf({ checkpoint: CHECKPOINT, signatures: [{ key: 'ff'.repeat(32), signature: one?.signature ?? '' }] }, { keys: ['ff'.repeat(32)] })).toBe('bad-signature')
    expect(() => signCheckpoint(SIGNED, new Uint8Array(31))).toThrow(expect.objectContaining({ kind: 'input', field: 'seed' }))
  })
})

describe('a chain', () => {
  it('starts from a checkpoint, goes on from it, and knows nothing below it', async () => {
    const start = startFromCheckpoint(native, CHECKPOINT)
    const store = openTestStore()
    const chain = await openTestChain(store, { start })
    expect(chain.head()).toEqual({ ...NINTH, signer: null })
    expect([chain.headerAt(8), chain.headerAt(0), chain.safe()]).toEqual([null, null, null])
    const due = NINTH.round.signers[0]
    const next = villageBlock(chain.head(), LEADERS.find(({ address }) => address === due) ?? never())
    expect(await chain.insert([next])).toEqual(['head'])
    expect(chain.head().totalDifficulty).toBe(NINTH.totalDifficulty + next.verified.header.difficulty)
    const again = await openTestChain(store, { start })
    expect(again.head()).toEqual(chain.head())
    expect(again.alarm()).toBeNull()
  })

  it('names the newest final end of a round as the next checkpoint', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 240)
    await chain.insert(ours.slice(0, 49))
    expect(newestCheckpointBlock(chain)).toBeNull()
    await chain.insert(ours.slice(49, 50))
    expect(newestCheckpointBlock(chain)?.header.number).toBe(16)
    await chain.insert(ours.slice(50))
    expect(newestCheckpointBlock(chain)?.header.number).toBe(203)
    const started = await openTestChain(openTestStore(), { ...DRAWN_OPTIONS, start: { known: ours[15]?.verified ?? never(), sealHash: DRAWN_START.sealHash, totalDifficulty: 96n, round: DRAWN_START.round } })
    await started.insert(ours.slice(16, 60))
    expect(started.final()?.header.number).toBe(26)
    expect(newestCheckpointBlock(started)).toBeNull()
  })

  it('from genesis takes the first round from the state in it', () => {
    const word = (address: Address): bigint => BigInt(address)
    const slotOf = (slot: bigint, index: number): bigint => BigInt(hexOf(native.keccak256(Buffer.from(slot.toString(16).padStart(64, '0'), 'hex')))) + BigInt(index)
    const list = (slot: bigint, addresses: readonly Address[]): [bigint, bigint][] => [[slot, BigInt(addresses.length)], ...addresses.map((address, index): [bigint, bigint] => [slotOf(slot, index), word(address)])]
    const code = new Uint8Array([0])
    const accounts = [
      { address: VILLAGE.chiefs[0]?.address ?? never(), balanceWei: 0n, code, storage: new Map(list(2n, GENESIS_ROUND.signers)) },
      { address: VILLAGE.chiefBase, balanceWei: 0n, code, storage: new Map([...list(4n, GENESIS_ROUND.leaders), [6n, 5n], [7n, 25n], [8n, 4n]]) },
    ]
    const genesis = { ...VILLAGE.genesis, accounts }
    const header = genesisHeader(native, genesis)
    expect(() => startFromGenesis(native, { ...VILLAGE, genesis })).toThrow(expect.objectContaining({ code: 'bad-genesis' }))
    const start = startFromGenesis(native, { ...VILLAGE, genesis, genesisHash: hashHeader(native, header) })
    expect(start.round).toEqual(GENESIS_ROUND)
    expect(start.known.header).toEqual(header)
    expect(() => startFromGenesis(native, VILLAGE)).toThrow(expect.objectContaining({ code: 'checkpoint-needed' }))
  })

  it('that is kept and passes through the checkpoint agrees with it; one that does not raises the alarm, once', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 300)
    await chain.insert(ours)
    const events = eventsOf(chain)
    for (const number of [20, 290]) expect(await chain.considerCheckpoint({ number, hash: ours[number - 1]?.verified.hash ?? '0x' })).toBe('agrees')
    expect(chain.alarm()).toBeNull()
    for (const number of [20, 290]) expect(await chain.considerCheckpoint({ number, hash: DRAWN_START.known.hash })).toBe('conflict')
    expect(chain.alarm()).toMatchObject({ code: 'checkpoint-conflict' })
    expect(chain.alarm()?.reason).toContain('checkpoint 20')
    expect(events.map(({ kind }) => kind)).toEqual(['alarm'])
    expect(chain.head().header.number).toBe(300)
  })

  it('that is started with a checkpoint its kept blocks contradict raises the alarm', async () => {
    const store = openTestStore()
    const chain = await openTestChain(store)
    let at = chain.head()
    for (let number = 1; number <= 9; number++) {
      await chain.insert([villageBlock(at, LEADERS[0] ?? never())])
      at = chain.head()
    }
    expect(at.hash).not.toBe(NINTH.hash)
    const again = await openTestChain(store, { start: startFromCheckpoint(native, CHECKPOINT) })
    expect(again.alarm()).toMatchObject({ code: 'checkpoint-conflict' })
    expect(again.head().hash).toBe(at.hash)
  })

  it('that is not there yet is looked at when it gets there, also after a restart; clearing the alarm ends it', async () => {
    const store = openTestStore()
    const ours = drawnBranch(DRAWN_START.known, 60)
    const first = await openTestChain(store, DRAWN_OPTIONS)
    expect(await first.considerCheckpoint({ number: 33, hash: DRAWN_START.known.hash })).toBe('ahead')
    const chain = await openTestChain(store, DRAWN_OPTIONS)
    await chain.insert(ours.slice(0, 32))
    expect(chain.alarm()).toBeNull()
    await chain.insert(ours.slice(32, 40))
    expect(chain.alarm()).toMatchObject({ code: 'checkpoint-conflict' })
    await chain.clearAlarm()
    await chain.insert(ours.slice(40))
    expect(chain.alarm()).toBeNull()
    expect(await chain.considerCheckpoint({ number: 70, hash: ours[0]?.verified.hash ?? '0x' })).toBe('ahead')
  })

  it('that holds what was expected raises nothing', async () => {
    const chain = await openTestChain(openTestStore(), DRAWN_OPTIONS)
    const ours = drawnBranch(DRAWN_START.known, 400)
    await chain.considerCheckpoint({ number: 33, hash: ours[32]?.verified.hash ?? '0x' })
    await chain.insert(ours)
    expect(chain.alarm()).toBeNull()
  })
})
