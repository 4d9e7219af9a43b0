/** `meshbox tool` and `meshbox chain new|join`: without a service, over the public test chain and the VRF's vectors. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeRlp, toHex } from '../../../src/base/index.ts'
import { transactionItem } from '../../../src/spectrum/codec/transaction.ts'
import { encodeHeader, headerItem, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { Rpc, OWNER_POLICY } from '../../../src/spectrum/rpc/index.ts'
import vectors from '../../vectors/spectrum/vrf.json' with { type: 'json' }
import { native } from '../spectrum/curves.ts'
import { DEVNET, DEVNET_NODES, DEVNET_SIGNER, devnetBlock } from '../spectrum/devnet.ts'
import { GENESIS_ROUND, LEADERS, VILLAGE, genesisOf, person, sealBlock } from '../spectrum/village.ts'
import { createWorld } from '../spectrum-rpc/memory-chain.ts'
import { PROOF, blockJson, blocksJson, inclusionProof, villageFile } from './chain-inputs.ts'
import { meshbox } from './console.ts'
import type { Given } from './console.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'meshbox-tools-'))
  writeFileSync(join(dir, 'nodes.json'), JSON.stringify({ nodes: Object.fromEntries([...DEVNET_NODES].map(([hash, node]) => [hash.slice(2), toHex(node)])) }))
  writeFileSync(join(dir, 'village.json'), villageFile())
})
afterAll(() => rmSync(dir, { recursive: true }))

/** One line of JSON, whatever happens. */
async function tool(line: string | readonly string[], given: Given = {}): Promise<Record<string, unknown> & { code: number }> {
  const { code, out, err } = await meshbox(line, { cwd: dir, ...given })
  expect([err, out.split('\n').length, out.endsWith('\n')]).toEqual(['', 2, true])
  return { ...(JSON.parse(out) as Record<string, unknown>), code }
}

const rlp = (number: number): string => toHex(devnetBlock(number).rlp)

describe('tool header', () => {
  it('decodes what the vectors say, with the VRF’s verdict', async () => {
    expect(await tool(`tool header --parent ${rlp(7)}`, { stdin: rlp(8) })).toMatchObject({
      hash: '0x8416115f2a2b958d838b97b465e39ba0598b24f0fec8287b1e9f233d96a5f0da',
      sealHash: '0xad0b7bdc685ad8cc21f867a532bb8ead62ac5c5a729ebb670feee9ea4c4581ef',
      signer: DEVNET_SIGNER,
      vrf: 'valid',
      number: 8,
      isParentKnown: true,
      header: { number: 8, stateRoot: '0x406487d45b6d6e868c9f23a50a552b1e492285752fa0b6a42509f0c322182f15', gasLimit: 16_657_278 },
    })
    const alone = await tool('tool header', { stdin: `0x${rlp(8).replace(/(.{60})/g, '$1\n')}\n` })
    expect(alone).toMatchObject({ code: 0, ok: true, vrf: 'unchecked', isParentKnown: false, network: 'mainnet' })
  })

  it('knows the public networks’ first blocks', async () => {
    expect(await tool('tool header', { stdin: rlp(0) })).toMatchObject({ code: 0, number: 0, signer: null, sealHash: null, vrf: 'absent', genesisOf: 'devnet' })
  })

  it('reads what eth_getBlockByNumber answers, and does not believe its hash', async () => {
    const world = createWorld()
    const shown = (await new Rpc(world.ports, OWNER_POLICY).call('eth_getBlockByNumber', ['0xa', true], { key: 'a' })) as object
    expect(await tool('tool header', { stdin: JSON.stringify({ ...shown, hash: '0x00' }) })).toMatchObject({ code: 0, hash: devnetBlock(10).hash })
    expect(await tool('tool header', { stdin: JSON.stringify({ jsonrpc: '2.0', id: 1, result: shown }) })).toMatchObject({ hash: devnetBlock(10).hash })
    expect(await tool('tool header', { stdin: JSON.stringify({ ...shown, stateRoot: '0x12' }) })).toMatchObject({ code: 1, ok: false, error: 'bad-input', parameter: 'stateRoot' })
    expect(await tool('tool block', { stdin: JSON.stringify(shown) })).toMatchObject({ hash: devnetBlock(10).hash, transactionsRoot: devnetBlock(10).header.transactionsRoot })
  })

  describe('on a community’s network', () => {
    const genesis = genesisOf(VILLAGE)
    const [leader = person(0)] = LEADERS
    const good = sealBlock(VILLAGE, genesis, GENESIS_ROUND, leader)
    const other = person(50)
    const seal = (change: Partial<typeof good.header>): string => toHex(encodeHeader(sealHeader(native, { ...good.header, ...change }, leader.key)))
    // Its rules are those of any network that has them all from block 1.
    const line = (parent = true): string => `tool header --network village.json${parent ? ` --parent ${toHex(encodeHeader(genesis.header))}` : ''}`

    it('finds nothing wrong with a good one', async () => {
      expect(await tool(line(), { stdin: toHex(encodeHeader(good.header)) })).toMatchObject({ error: null, code: 0, ok: true, vrf: 'valid', signer: leader.address })
      expect(await tool(line(false), { stdin: toHex(encodeHeader(good.header)) })).toMatchObject({ error: null, code: 0, vrf: 'unchecked' })
    })

    it.each([
      ['errInvalidNonce', { nonce: '0x0000000000000001' as const }],
      ['errMissingVanity', { extra: new Uint8Array(160) }],
      ['errMissingSignature', { extra: new Uint8Array(225) }],
      ['errInvalidMixDigest', { mixDigest: `0x${'01'.repeat(32)}` as const }],
      ['errInvalidUncleHash', { uncleHash: `0x${'01'.repeat(32)}` as const }],
      ['errInvalidDifficulty', { difficulty: 7n }],
      ['errInvalidGasUsed', { gasUsed: 50_000_000n }],
      ['errUnauthorized', { coinbase: `0x${'00'.repeat(20)}` as const }],
    ] as const)('names %s, with the parent and without', async (error, change) => {
      for (const parent of [true, false]) expect(await tool(line(parent), { stdin: seal(change) })).toMatchObject({ code: 1, ok: false, error })
    })

    it.each([
      ['ErrInvalidTimestampSIP002', { timeSeconds: genesis.header.timeSeconds }],
      ['ErrUnknownAncestor', { parentHash: `0x${'01'.repeat(32)}` as const }],
      ['errInvalidGasLimit', { gasLimit: 43_000_000n }],
    ] as const)('names %s, which only the parent shows', async (error, change) => {
      expect(await tool(line(), { stdin: seal(change) })).toMatchObject({ code: 1, ok: false, error })
      expect(await tool(line(false), { stdin: seal(change) })).toMatchObject({ code: 0, error: null })
    })

    it('names a VRF proof of somebody else, and a signature of nobody', async () => {
      const stolen = toHex(encodeHeader(sealHeader(native, good.header, other.key)))
      expect(await tool(line(), { stdin: stolen })).toMatchObject({ error: 'errInvalidVrf', vrf: 'invalid', signer: other.address })
      const unsigned = toHex(encodeHeader({ ...good.header, extra: new Uint8Array(226) }))
      expect(await tool(line(), { stdin: unsigned })).toMatchObject({ error: 'errInvalidSignature', signer: null })
    })
  })

  it.each(['', '0x', 'zz', 'c0', 'f800', '{', '{}', '[]', '"abc"', '{"rlp":7}', '{"rlp":"zz"}', `${rlp(8)}00`])('refuses %j as one line of JSON', async (stdin) => {
    expect(await tool('tool header', { stdin })).toMatchObject({ code: 1, ok: false, error: 'bad-input' })
  })

  it('refuses wrong options with exit code 2', async () => {
    for (const line of ['tool header --network moon', 'tool header --network ./nothing.json --x', 'tool vrf verify --key 00', 'tool vrf prove', 'tool proof --root 0x12', 'tool block replay', 'tool vrf'])
      expect([line, (await meshbox(line, { cwd: dir })).code]).toEqual([line, 2])
    expect(await tool('tool header --network ./nothing.json', { stdin: rlp(8) })).toMatchObject({ code: 1, error: 'no-file' })
    expect(await tool('tool header --parent zz', { stdin: rlp(8) })).toMatchObject({ code: 1, error: 'bad-input' })
  })

  it('never breaks, whatever a header’s bytes are', async () => {
    const bytes = devnetBlock(8).rlp
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Uint8Array.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        const answer = await tool('tool header', { stdin: toHex(changed) })
        expect(answer['hash']).not.toBe(devnetBlock(8).hash)
      }),
      { numRuns: 40, seed: 3 },
    )
  })
})

describe('tool block', () => {
  it('shows transactions, and that they are the header’s', async () => {
    // By its own rules this chain's blocks have too small a gas limit (its node never looked); the rest is shown all the same.
    expect(await tool(`tool block --parent ${rlp(0)}`, { stdin: blockJson(1) })).toMatchObject({ code: 0, ok: true, isParentKnown: true, volunteer: null })
    const answer = await tool('tool block --network devnet', { stdin: blockJson(24) })
    expect(answer).toMatchObject({ code: 1, error: 'errInvalidGasLimit', hash: devnetBlock(24).hash, transactionsRoot: devnetBlock(24).header.transactionsRoot, uncles: 0 })
    expect(answer['transactions']).toHaveLength(3)
    expect((answer['transactions'] as object[])[0]).toMatchObject({ from: DEVNET_SIGNER, isProtected: true, gasPrice: '18000000000' })
  })

  it('takes the RLP of the whole block too', async () => {
    const { header, body } = devnetBlock(9)
    const block = encodeRlp([headerItem(header), body.transactions.map(transactionItem), []])
    expect(await tool('tool block', { stdin: toHex(block) })).toMatchObject({ hash: devnetBlock(9).hash, transactionsRoot: header.transactionsRoot })
  })

  it('names a body that is not the header’s', async () => {
    const mixed = JSON.stringify({ rlp: rlp(9), body: toHex(devnetBlock(8).bodyRlp) })
    // By mainnet's rules block 9 has a chief of its own; what is wrong is named all the same.
    expect(await tool('tool block --network devnet', { stdin: mixed })).toMatchObject({ code: 1, ok: false })
    expect(await tool('tool block', { stdin: JSON.stringify({ rlp: rlp(1), body: toHex(devnetBlock(2).bodyRlp) }) })).toMatchObject({ code: 1, error: 'errInvalidTransactionsRoot' })
  })
})

describe('tool block replay', () => {
  it('gives the exact root of every block of the vectors', async () => {
    writeFileSync(join(dir, 'blocks.json'), blocksJson(0, 30))
    const answer = await tool('tool block replay --nodes nodes.json blocks.json')
    expect(answer).toMatchObject({ code: 0, ok: true, error: null, network: 'devnet', replayed: 30 })
    expect((answer['blocks'] as { number: number; stateRoot: string; hash: string; error: null }[]).map((block) => [block.number, block.stateRoot, block.hash, block.error])).toEqual(DEVNET.slice(1).map((block) => [block.number, block.header.stateRoot, block.hash, null]))
  })

  it('begins anywhere the nodes allow, and stops at the first that is wrong', async () => {
    const { header, bodyRlp } = devnetBlock(12)
    const list = (JSON.parse(blocksJson(10, 12)) as { blocks: object[] }).blocks
    list[2] = { rlp: toHex(encodeHeader({ ...header, stateRoot: devnetBlock(5).header.stateRoot })), body: toHex(bodyRlp) }
    const answer = await tool('tool block replay --nodes nodes.json --network devnet -', { stdin: JSON.stringify([...list, JSON.parse(blockJson(13))]) })
    expect(answer).toMatchObject({ code: 1, ok: false, replayed: 2 })
    expect((answer['blocks'] as { error: string | null }[]).map((block) => block.error === null)).toEqual([true, false])
  })

  it.each(['[]', '{}', '7', '{"blocks":7}', '[{}]', '{"blocks":[{"rlp":"c0"}]}', '{"network":"moon","blocks":[{}]}'])('refuses %s', async (stdin) => {
    expect(await tool('tool block replay -', { stdin })).toMatchObject({ code: 1, ok: false, error: 'bad-input' })
  })
})

describe('tool vrf', () => {
  it('agrees with every proof of the vectors', async () => {
    for (const proof of vectors.proofs.slice(0, 6))
      expect(await tool(`tool vrf verify --key ${proof.Pub} --message ${proof.Msg} --proof ${proof.Vrfnp}`)).toMatchObject({ code: 0, ok: true, index: `0x${proof.Index}`, address: proof.Addr.toLowerCase() })
  })

  it('refuses malformed scalars and changed bits without breaking', async () => {
    const proof = PROOF.Vrfnp
    const zeroT = `${proof.slice(0, 128)}${'00'.repeat(32)}${proof.slice(192)}`
    const largeS = `${proof.slice(0, 64)}${'ff'.repeat(32)}${proof.slice(128)}`
    const flipped = `${proof.slice(0, 100)}${proof[100] === '0' ? '1' : '0'}${proof.slice(101)}`
    for (const changed of [zeroT, largeS, flipped]) expect(await tool(`tool vrf verify --key ${PROOF.Pub} --message ${PROOF.Msg} --proof ${changed}`)).toMatchObject({ code: 1, ok: false, error: 'errInvalidVrf' })
    expect(await tool(`tool vrf verify --key ${PROOF.Pub} --message ${PROOF.Msg} --proof 00`)).toMatchObject({ code: 1, ok: false })
    expect(await tool(`tool vrf verify --key ${'00'.repeat(33)} --message ${PROOF.Msg} --proof ${proof}`)).toMatchObject({ code: 1, error: 'bad-input', field: 'key' })
  })

  it('makes proofs that hold, with the one index there is', async () => {
    const made = await tool(`tool vrf prove --key ${PROOF.Key} --message ${PROOF.Msg}`)
    expect(made).toMatchObject({ code: 0, ok: true, index: `0x${PROOF.Index}` })
    expect(await tool(`tool vrf verify --key ${PROOF.Key} --message ${PROOF.Msg} --proof ${String(made['proof'])}`)).toMatchObject({ ok: true, address: made['address'] })
    expect(await tool(`tool vrf prove --message ${PROOF.Msg}`, { stdin: `0x${PROOF.Key}\n` })).toMatchObject({ index: `0x${PROOF.Index}` })
    for (const key of ['00'.repeat(32), 'ff'.repeat(32), '01']) {
      const refused = await tool(`tool vrf prove --message ${PROOF.Msg}`, { stdin: key })
      expect(refused).toMatchObject({ code: 1, error: 'bad-input', field: 'key' })
      expect(JSON.stringify(refused)).not.toContain(key.repeat(2))
    }
  })
})

describe('tool proof', () => {
  const CHIEF = '0x57d2bcd8d702999daf240793919675c90b12a17a'
  const proofOf = async (): Promise<Record<string, unknown>> => (await new Rpc(createWorld().ports, OWNER_POLICY).call('eth_getProof', [CHIEF, ['0x0', '0x2'], '0x14'], { key: 'a' })) as Record<string, unknown>
  const root = devnetBlock(20).header.stateRoot

  it('holds what eth_getProof says against a root', async () => {
    const proof = await proofOf()
    expect(await tool(`tool proof --root ${root}`, { stdin: JSON.stringify(proof) })).toMatchObject({ code: 0, ok: true, error: null, address: CHIEF, storage: [{ error: null }, { error: null }] })
    expect(await tool('tool proof', { stdin: JSON.stringify({ jsonrpc: '2.0', id: 1, result: { ...proof, stateRoot: root } }) })).toMatchObject({ ok: true })
  })

  it('finds every lie in it', async () => {
    const proof = await proofOf()
    const nodes = proof['accountProof'] as string[]
    const lies: [object, string][] = [
      [{ balance: '0x1' }, 'errProofMismatch'],
      [{ nonce: '0x7' }, 'errProofMismatch'],
      [{ codeHash: `0x${'00'.repeat(32)}` }, 'errProofMismatch'],
      [{ accountProof: nodes.slice(1) }, 'errProofIncomplete'],
      [{ storageProof: [{ key: '0x2', value: '0x6', proof: (proof['storageProof'] as { proof: string[] }[])[1]?.proof }] }, 'errProofMismatch'],
      [{ storageProof: [{ key: '0x2', value: '0x6', proof: [] }] }, 'errProofIncomplete'],
    ]
    for (const [lie, error] of lies) expect(await tool(`tool proof --root ${root}`, { stdin: JSON.stringify({ ...proof, ...lie }) })).toMatchObject({ code: 1, ok: false, error })
    expect(await tool(`tool proof --root ${devnetBlock(3).header.stateRoot}`, { stdin: JSON.stringify(proof) })).toMatchObject({ ok: false, error: 'errProofIncomplete' })
    expect(await tool('tool proof', { stdin: JSON.stringify(proof) })).toMatchObject({ code: 1, error: 'bad-input', field: 'root' })
  })

  it('shows that a transaction is in a block, or that there is none', async () => {
    expect(await tool('tool proof', { stdin: inclusionProof(9, 1) })).toMatchObject({ ok: true, isPresent: true, kind: 'transaction', root: devnetBlock(9).header.transactionsRoot })
    expect(await tool('tool proof', { stdin: inclusionProof(9, 2) })).toMatchObject({ ok: true, isPresent: false })
    expect(await tool('tool proof', { stdin: inclusionProof(9, 1).replace('transaction', 'uncle') })).toMatchObject({ code: 1, error: 'bad-input', field: 'kind' })
  })
})

describe('chain new and join', () => {
  const [a, b, c] = [`0x${'a1'.repeat(20)}`, `0x${'B2'.repeat(20)}`, `0x${'c3'.repeat(20)}`]
  const run = (line: string) => meshbox(line, { cwd: dir })

  it('makes a chain that another box joins', async () => {
    const made = await run(`chain new first.json --name village --leaders ${a},${b} --miners ${c}=250.5 --allocations ${a}=1000,${b}=1 --token 'Village Coin,VIL,5000,${a}' --period 2 --chain-id 4242 --json`)
    expect([made.code, made.err]).toEqual([0, ''])
    const facts = JSON.parse(made.out) as Record<string, unknown> & { genesisHash: string }
    expect(facts).toMatchObject({ name: 'village', chainId: '4242', blockSeconds: 1, signerLimit: 1, leaders: [a, b.toLowerCase()], miners: [c], owner: a, allocatedWei: '1251500000000000000000', isKnownCode: true })
    expect(facts['tokens']).toMatchObject([{ kind: 'wrapped-smt' }, { symbol: 'VIL', supply: '5000000000000000000000' }])
    expect(statSync(join(dir, 'first.json')).mode & 0o777).toBe(0o644) // the service, which is not root, reads it
    const joined = await run(`chain join first.json --genesis ${facts.genesisHash} --output kept.json`)
    expect([joined.code, joined.err]).toEqual([0, ''])
    expect(joined.out).toContain(facts.genesisHash)
    expect(joined.out).toContain(`uci set meshbox.chain.network='${join(dir, 'kept.json')}'`)
    expect(readFileSync(join(dir, 'kept.json'), 'utf8')).toBe(readFileSync(join(dir, 'first.json'), 'utf8'))
  })

  it('says it in words, in 80 columns', async () => {
    const { out } = await run('chain join village.json')
    expect(Math.max(...out.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80)
    expect(out).toContain('Chain        village, chain id 777002')
    expect(out).toContain('Nothing was written')
  })

  it('refuses another chain, a changed file, and to write over one', async () => {
    expect(await run(`chain join village.json --genesis 0x${'00'.repeat(32)}`)).toMatchObject({ code: 1, err: expect.stringContaining('another chain') as string })
    writeFileSync(join(dir, 'changed.json'), villageFile().replace('5000000000000000000', '6000000000000000000'))
    expect(await run('chain join changed.json')).toMatchObject({ code: 1, err: expect.stringContaining('genesisHash') as string })
    expect(await run(`chain new village.json --name other --leaders ${a} --owner ${b}`)).toMatchObject({ code: 1, err: expect.stringContaining('exists already') as string })
    expect(readFileSync(join(dir, 'village.json'), 'utf8')).toBe(villageFile())
  })

  it.each([
    ['chain new x.json', '--name'],
    ['chain new x.json --name v', '--leaders'],
    ['chain new x.json --name v --leaders 0x12', '--leaders'],
    [`chain new x.json --name v --leaders ${'0x' + 'a1'.repeat(20)}`, '--owner'],
    [`chain new x.json --name v --leaders ${'0x' + 'a1'.repeat(20)} --owner ${'0x' + 'b2'.repeat(20)} --miners ${'0x' + 'a1'.repeat(20)}`, '--miners'],
    [`chain new x.json --name v --leaders ${'0x' + 'a1'.repeat(20)} --owner ${'0x' + 'b2'.repeat(20)} --token A,B`, '--token'],
    [`chain new x.json --name v --leaders ${'0x' + 'a1'.repeat(20)} --owner ${'0x' + 'b2'.repeat(20)} --period 1`, '--period'],
    ['chain join village.json --genesis 12', '--genesis'],
  ])('%s is wrong use that names %s', async (line, named) => {
    expect(await run(line)).toMatchObject({ code: 2, err: expect.stringContaining(named) as string })
  })

  it('names what a community may not be', async () => {
    expect(await run(`chain new x.json --name mainnet --leaders ${a} --owner ${b}`)).toMatchObject({ code: 1, err: expect.stringContaining('name') as string })
  })
})
