/** Calls and estimates: what they answer, that they change nothing and end. */
import fc from 'fast-check'
import { AbiCoder } from 'ethers'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex } from '../../../src/base/index.ts'
import { revertReason } from '../../../src/spectrum/execute/call.ts'
import type { Address } from '../../../src/spectrum/index.ts'
import type { CallRequest } from '../../../src/spectrum/ports.ts'
import { person } from '../spectrum/village.ts'
import { assemble, deploying } from './assembly.ts'
import { SMT, address, send, town } from './town.ts'
import type { Town } from './town.ts'
import { compiledToken, tokenStorage, transferCall } from './token.ts'

const [ALICE, BOB] = [person(201), person(202)]
const TOKEN = address('70')
const contract = (byte: string, ...words: (string | number | bigint)[]): { address: Address; balanceWei: bigint; nonce: bigint; code: Uint8Array } => ({ address: address(byte), balanceWei: 0n, nonce: 1n, code: assemble(...words) })
const say = (text: string): Uint8Array => concatBytes(fromHex('08c379a0'), fromHex(AbiCoder.defaultAbiCoder().encode(['string'], [text])))
const REVERTING = ((): Uint8Array => {
  const words = say('not today')
  const head = assemble(words.length, 0x0c, 0, 'CODECOPY', words.length, 0, 'REVERT')
  return concatBytes(head, words)
})()

const place = await town({
  people: [ALICE],
  accounts: [
    { address: TOKEN, balanceWei: 0n, nonce: 1n, code: compiledToken(), storage: tokenStorage([ALICE.address], 1000n) },
    { ...contract('a1'), code: REVERTING },
    contract('a2', 'JUMPDEST', 0, 'JUMP'),
    // Hands 63 of 64 parts of its gas to the token's owner's storage writer below, which needs them.
    contract('a3', 0, 0, 0, 0, 0, address('a4'), 'GAS', 'CALL', 0x0d + 20 + 4, 'JUMPI', 'INVALID', 'JUMPDEST', 'STOP'),
    contract('a4', 1, 1, 'SSTORE', 1, 2, 'SSTORE', 'STOP'),
    { ...contract('a5', 0, 1, 'SSTORE', 0, 2, 'SSTORE', 'STOP'), storage: new Map([[1n, 1n], [2n, 2n]]) },
    contract('a6', 'CALLER', 0, 'MSTORE', 'CALLVALUE', 32, 'MSTORE', 64, 0, 'RETURN'),
  ],
})
const head = (await place.next(place.genesis, [])).header

const request = (to: Address | null, change: Partial<CallRequest> = {}): CallRequest => ({ from: ALICE.address, to, data: new Uint8Array(0), valueWei: 0n, gas: 1_000_000n, gasPriceWei: 0n, ...change })
const call = (to: Address | null, change?: Partial<CallRequest>): ReturnType<Town['executor']['call']> => place.executor.call(head, request(to, change))
const estimate = (to: Address | null, change?: Partial<CallRequest>): Promise<bigint> => place.executor.estimateGas(head, request(to, change))

describe('a call', () => {
  it('returns what the contract returns, from whoever asks', async () => {
    const result = await call(address('a6'), { valueWei: 7n })
    expect(result).toMatchObject({ status: 'returned', reason: null })
    expect(Buffer.from(result.output).toString('hex')).toBe(ALICE.address.slice(2).padStart(64, '0') + '7'.padStart(64, '0'))
    expect(await call(TOKEN, { data: transferCall(BOB.address, 5n) })).toMatchObject({ status: 'returned' })
  })

  it('changes nothing', async () => {
    const root = place.executor.node(head.stateRoot)
    await call(TOKEN, { data: transferCall(BOB.address, 1000n) })
    await call(TOKEN, { data: transferCall(BOB.address, 1000n) })
    expect(place.executor.node(head.stateRoot)).toEqual(root)
    expect(await call(TOKEN, { data: transferCall(BOB.address, 1000n) })).toMatchObject({ status: 'returned' })
  })

  it('tells why it failed', async () => {
    expect(await call(address('a1'))).toMatchObject({ status: 'reverted', reason: 'not today', output: say('not today') })
    expect(await call(TOKEN, { data: transferCall(BOB.address, 1001n) })).toMatchObject({ status: 'reverted', reason: 'too little' })
    expect(await call(BOB.address, { valueWei: 1001n * SMT })).toMatchObject({ status: 'failed', reason: `the caller has ${1000n * SMT} wei` })
    expect(await call(BOB.address, { gas: 20_999n })).toMatchObject({ status: 'failed', reason: 'out of gas' })
    expect(await call(address('a2'), { gas: 100_000n })).toMatchObject({ status: 'failed', reason: 'out of gas', gasUsed: 100_000n })
  })

  it('ends, whatever gas it is given', async () => {
    expect(await call(address('a2'), { gas: 10n ** 18n })).toMatchObject({ status: 'failed', reason: expect.stringMatching(/steps|out of gas/) as string })
  })

  it('creates', async () => {
    const result = await call(null, { data: deploying(assemble('STOP')) })
    expect(result).toMatchObject({ status: 'returned', output: assemble('STOP') })
  })

  it('runs on the genesis by the rules of block 1', async () => {
    expect(await place.executor.call(place.genesis, request(TOKEN, { data: transferCall(BOB.address, 5n) }))).toMatchObject({ status: 'returned' })
  })
})

describe('an estimate', () => {
  it.each([
    ['a transfer', BOB.address, { valueWei: 1n }],
    ['a token transfer', TOKEN, { data: transferCall(BOB.address, 5n) }],
    ['a call that hands its gas on', address('a3'), {}],
    ['words that are given back', address('a5'), {}],
    ['a creation', null, { data: deploying(assemble('STOP')) }],
  ] as const)('of %s is the least that does', async (_, to, change) => {
    const gas = await estimate(to, change)
    expect(await call(to, { ...change, gas })).toMatchObject({ status: 'returned' })
    expect((await call(to, { ...change, gas: gas - 1n })).status).not.toBe('returned')
    // And in a block.
    const transaction = send(place.network, ALICE, 0, { to, gas, ...change })
    const { built } = await place.block(head, [transaction])
    expect(built.receipts.map((receipt) => receipt.succeeded)).toEqual([true, true])
  })

  it('says why no gas would do', async () => {
    await expect(estimate(address('a1'))).rejects.toMatchObject({ kind: 'input', field: 'call', message: expect.stringContaining('not today') as string })
    await expect(estimate(address('a2'), { gas: 200_000n })).rejects.toMatchObject({ kind: 'input', message: expect.stringContaining('out of gas') as string })
    await expect(estimate(TOKEN, { data: transferCall(BOB.address, 5n), gas: 30_000n })).rejects.toMatchObject({ kind: 'input' })
  })
})

describe('a reason', () => {
  it('is read from what Solidity says', () => {
    expect(revertReason(say('ü and more'))).toBe('ü and more')
    expect(revertReason(say(''))).toBe('')
    expect(revertReason(fromHex(`4e487b71${'11'.padStart(64, '0')}`))).toBe('panic 0x11')
    expect(revertReason(new Uint8Array(0))).toBeNull()
    expect(revertReason(say('x'.repeat(5000)))).toHaveLength(1024)
  })

  it('is never an error, whatever the bytes', () => {
    const word = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.bigInt({ min: 0n, max: 200n })).map((value) => fromHex(value.toString(16).padStart(64, '0')))
    fc.assert(
      fc.property(fc.constantFrom('08c379a0', '4e487b71', '00000000'), fc.array(word, { maxLength: 5 }), fc.uint8Array({ maxLength: 70 }), (selector, words, tail) => {
        const reason = revertReason(concatBytes(fromHex(selector), ...words, tail))
        expect(reason === null || typeof reason === 'string').toBe(true)
      }),
      { numRuns: 500, seed: 3 },
    )
  })
})
