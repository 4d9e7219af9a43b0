/** Opcodes and their gas (spec 1.3), measured by calls: what a snippet costs more than nothing, and what it returns. */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import type { Address, Header } from '../../../src/spectrum/index.ts'
import type { CallResult } from '../../../src/spectrum/ports.ts'
import { native } from '../spectrum/curves.ts'
import { assemble, deploying } from './assembly.ts'
import { SEALER, address, send, town } from './town.ts'

const RICH = SEALER

/** Runs code at an address; `more` are other contracts. */
async function ran(code: Uint8Array, options: { sip004?: number; gas?: bigint; data?: Uint8Array; more?: { address: Address; balanceWei: bigint; code?: Uint8Array }[]; at?: Partial<Header>; balanceWei?: bigint; storage?: Map<bigint, bigint> } = {}): Promise<CallResult> {
  const TARGET = address('aa')
  const { executor, genesis } = await town({
    ...(options.sip004 === undefined ? {} : { sip004: options.sip004 }),
    accounts: [{ address: TARGET, balanceWei: options.balanceWei ?? 0n, nonce: 1n, code, storage: options.storage ?? new Map() }, ...(options.more ?? []).map((one) => ({ nonce: 1n, ...one }))],
  })
  return executor.call({ ...genesis, number: 1, ...options.at }, { from: RICH.address, to: TARGET, data: options.data ?? new Uint8Array(0), valueWei: 0n, gas: options.gas ?? 1_000_000n, gasPriceWei: 0n })
}

/** Gas of the code alone. */
async function cost(...words: (string | number | bigint)[]): Promise<bigint> {
  const result = await ran(assemble(...words, 'STOP'))
  expect(result).toMatchObject({ status: 'returned' })
  return result.gasUsed - 21_000n
}

async function word(code: Uint8Array, options?: Parameters<typeof ran>[1]): Promise<bigint> {
  const result = await ran(code, options)
  expect(result.status).toBe('returned')
  return BigInt(`0x0${Buffer.from(result.output).toString('hex')}`)
}

const returned = (...words: (string | number | bigint)[]): Uint8Array => assemble(...words, 0, 'MSTORE', 32, 0, 'RETURN')

describe('gas from SIP004 on', () => {
  it.each([
    ['SHL', [1, 1, 'SHL'], 9n],
    ['SHR', [1, 1, 'SHR'], 9n],
    ['SAR', [1, 1, 'SAR'], 9n],
    ['EXTCODEHASH', [1, 'EXTCODEHASH'], 403n],
    ['BALANCE', [1, 'BALANCE'], 403n],
    ['SLOAD', [1, 'SLOAD'], 203n],
    ['CHAINID', ['CHAINID'], 2n],
    ['SELFBALANCE', ['SELFBALANCE'], 5n],
    ['SSTORE of a new word', [1, 1, 'SSTORE'], 20_006n],
    ['SSTORE of what is there', [0, 1, 'SSTORE'], 5_006n],
    ['CREATE', [0, 0, 0, 'CREATE'], 32_009n],
    ['CREATE2', [0, 32, 0, 0, 'CREATE2'], 32_000n + 12n + 6n + 3n],
  ] as const)('%s', async (_, words, gas) => {
    expect(await cost(...words)).toBe(gas)
  })

  it('costs 4 and 68 for bytes of data', async () => {
    const result = await ran(assemble('STOP'), { data: fromHex('0001ff00') })
    expect(result.gasUsed).toBe(21_000n + 2n * 4n + 2n * 68n)
  })

  it('refunds half at most', async () => {
    const storage = new Map([1n, 2n, 3n, 4n, 5n, 6n].map((slot) => [slot, 1n]))
    const result = await ran(assemble(...[1, 2, 3, 4, 5, 6].flatMap((slot) => [0, slot, 'SSTORE']), 'STOP'), { storage })
    const spent = 21_000n + 6n * 5_006n
    expect(6n * 15_000n).toBeGreaterThan(spent / 2n)
    expect(result.gasUsed).toBe(spent - spent / 2n)
  })

  it('charges bn256 as before Istanbul', async () => {
    const call = (to: number, length: number): (string | number)[] => [0, 0, length, 0, 0, to, 500_000, 'CALL']
    const plain = 7n * 3n + 700n
    expect(await cost(...call(6, 0))).toBe(plain + 500n)
    expect(await cost(...call(7, 0))).toBe(plain + 40_000n)
    expect(await cost(...call(8, 0))).toBe(plain + 100_000n)
  })
})

describe('which opcodes there are', () => {
  const later = ['SHL', 'SHR', 'SAR', 'EXTCODEHASH', 'CREATE2', 'CHAINID', 'SELFBALANCE']
  it.each(later)('%s only from SIP004 on', async (opcode) => {
    const code = assemble(1, 1, 1, 1, opcode, 'STOP')
    expect((await ran(code, { sip004: 2 })).status).toBe('failed')
    expect((await ran(code)).status).toBe('returned')
  })

  it.each(['PUSH0', 'BASEFEE'])('never %s', async (opcode) => {
    expect(await ran(assemble(opcode, 'STOP'))).toMatchObject({ status: 'failed', reason: 'invalid opcode' })
  })

  it('knows the chain and its own balance', async () => {
    expect(await word(returned('CHAINID'))).toBe(777_002n)
    expect(await word(returned('SELFBALANCE'), { balanceWei: 77n })).toBe(77n)
  })

  it('sees the block', async () => {
    const at = { number: 3, timeSeconds: 1_700_000_123, difficulty: 5n, gasLimit: 40_000_001n, coinbase: address('c1') }
    expect(await word(returned('NUMBER'), { at })).toBe(3n)
    expect(await word(returned('TIMESTAMP'), { at })).toBe(1_700_000_123n)
    expect(await word(returned('DIFFICULTY'), { at })).toBe(5n)
    expect(await word(returned('GASLIMIT'), { at })).toBe(40_000_001n)
    expect(await word(returned('COINBASE'), { at })).toBe(BigInt(address('c1')))
  })

  it('recovers signers, with high s too', async () => {
    const digest = native.keccak256(Uint8Array.of(1))
    const signature = native.sign(digest, SEALER.key)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const [r, s] = [BigInt(`0x${Buffer.from(signature.subarray(0, 32)).toString('hex')}`), BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`)]
    const v = signature[64] as number
    const code = (sValue: bigint, vValue: number): Uint8Array =>
      assemble(`0x${Buffer.from(digest).toString('hex')}`, 0, 'MSTORE', vValue, 32, 'MSTORE', r, 64, 'MSTORE', sValue, 96, 'MSTORE', 32, 0, 128, 0, 1, 10_000, 'STATICCALL', 32, 0, 'RETURN')
    expect(await word(code(s, v))).toBe(BigInt(SEALER.address))
    expect(await word(code(order - s, 55 - v))).toBe(BigInt(SEALER.address))
    expect(await word(code(s, 29))).not.toBe(BigInt(SEALER.address))
  })
})

describe('code that starts with EF00', () => {
  const EOF = fromHex('ef000102')
  const at = address('ef')
  const more = [{ address: at, balanceWei: 0n, code: EOF }]
  it('has its own size, hash and bytes', async () => {
    expect(await word(returned(at, 'EXTCODESIZE'), { more })).toBe(4n)
    expect(await word(returned(at, 'EXTCODEHASH'), { more })).toBe(BigInt(`0x${Buffer.from(native.keccak256(EOF)).toString('hex')}`))
    expect(await word(assemble(4, 0, 28, at, 'EXTCODECOPY', 32, 0, 'RETURN'), { more })).toBe(0xef000102n)
    expect(await word(assemble(4, 2, 28, at, 'EXTCODECOPY', 32, 0, 'RETURN'), { more })).toBe(0x01020000n)
    expect(await word(assemble(4, 1n << 200n, 28, at, 'EXTCODECOPY', 32, 0, 'RETURN'), { more })).toBe(0n)
  })

  it('can be deployed', async () => {
    const init = deploying(EOF)
    const code = assemble(`0x${Buffer.from(init).toString('hex')}`, 0, 'MSTORE', init.length, 32 - init.length, 0, 'CREATE', 'EXTCODESIZE', 0, 'MSTORE', 32, 0, 'RETURN')
    expect(await word(code)).toBe(4n)
  })

  it('costs a creation all it was given', async () => {
    const gas = 200_000n
    const result = await ran(assemble(0xef00, 240, 'SHL', 0, 'MSTORE', 32, 0, 0, 'CREATE', 'STOP'), { gas })
    expect(result.status).toBe('returned')
const left = gas - 21_000n - 27n - 32_000n
    expect(result.gasUsed).toBe(gas - left / 64n)
  })
})

describe('blocks and ancestors', () => {
  it('knows its parent, its grandparent, and whom it asks', async () => {
    const TARGET = address('aa')
    const asked: number[] = []
    const { executor, genesis, next } = await town(
      { people: [RICH], accounts: [{ address: TARGET, balanceWei: 0n, nonce: 1n, code: assemble(0, 'CALLDATALOAD', 'BLOCKHASH', 0, 'MSTORE', 32, 0, 'RETURN') }] },
      { ancestorHash: (_, number) => (asked.push(number), Promise.resolve(number === 1 ? (`0x${'ab'.repeat(32)}` as const) : null)) },
    )
    let parent = genesis
    for (let number = 1; number <= 4; number++) parent = (await next(parent, [])).header
    const hashOf = (number: number): Promise<CallResult> => executor.call(parent, { from: RICH.address, to: TARGET, data: fromHex(number.toString(16).padStart(64, '0')), valueWei: 0n, gas: 100_000n, gasPriceWei: 0n })
    expect(Buffer.from((await hashOf(3)).output).toString('hex')).toBe(parent.parentHash.slice(2))
    expect(asked).toEqual([])
    expect(Buffer.from((await hashOf(1)).output).toString('hex')).toBe('ab'.repeat(32))
    await expect(hashOf(2)).rejects.toMatchObject({ kind: 'unavailable' })
    expect(asked).toEqual([1, 2])
    expect(Buffer.from((await hashOf(4)).output)).toEqual(Buffer.alloc(32))
  })
})

describe('a creation by transaction', () => {
  it('pays 53,000 and 200 for each byte of code', async () => {
    const { network, genesis, next } = await town({ people: [RICH] })
    const init = deploying(assemble('STOP'))
    const zeros = init.filter((byte) => byte === 0).length
    const block = await next(genesis, [send(network, RICH, 1, { to: null, data: init, gas: 100_000n })])
    expect(block.body.transactions).toHaveLength(2)
    const running = 5n * 3n + 9n // pushes and DUP1, the copy with its word of memory
    expect(block.header.gasUsed).toBe(53_000n + BigInt(zeros) * 4n + BigInt(init.length - zeros) * 68n + running + 200n)
  })
})
