/** What transactions cost whom, and the chief's exceptions (spec 1.3, 2.9, 6.6). */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/index.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { updateCall } from '../../../src/spectrum/rules/volunteer.ts'
import { readAccount, readSlot } from '../../../src/spectrum/proof/account.ts'
import { readTrie } from '../../../src/spectrum/proof/read-trie.ts'
import { ZERO_ADDRESS, bytesOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Header, Transaction } from '../../../src/spectrum/index.ts'
import type { Executor } from '../../../src/spectrum/ports.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { assemble } from './assembly.ts'
import { createInlineExecutor, memoryStateStore } from '../../../src/spectrum/execute/inline.ts'
import { BASE, CHIEF, CHIEF_CODE, COINBASE, GAS_PRICE, POC, SEALER, SMT, address, chiefOf, draftOn, sealed, send, town, townNetwork, townOver } from './town.ts'
import type { Town } from './town.ts'

const [ALICE, BOB] = [person(201), person(202)]
const REWARD = 35n * SMT

function accountOf(place: Town, at: Header, who: Address): { nonce: bigint; balanceWei: bigint; storageRoot: `0x${string}`; codeHash: `0x${string}` } {
  const read = readAccount(native, at.stateRoot, who, (hash) => place.executor.node(hash))
  if (read.kind !== 'read') throw new Error(read.kind)
  return read.value
}

function slotOf(place: Town, at: Header, who: Address, slot: bigint): bigint {
  const read = readSlot(native, accountOf(place, at, who).storageRoot, slot, (hash) => place.executor.node(hash))
  if (read.kind !== 'read') throw new Error(read.kind)
  return read.value
}

const ping = (code: Uint8Array, where = address('aa'), balanceWei = 0n): { address: Address; balanceWei: bigint; nonce: bigint; code: Uint8Array } => ({ address: where, balanceWei, nonce: 1n, code })

describe('ordinary transactions', () => {
  it('pay the coinbase, which also gets the reward', async () => {
    const place = await town({ people: [ALICE] })
    const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: BOB.address, valueWei: 5n })])
    expect(block.header.gasUsed).toBe(21_000n)
    expect(accountOf(place, block.header, BOB.address).balanceWei).toBe(5n)
    expect(accountOf(place, block.header, ALICE.address)).toMatchObject({ nonce: 1n, balanceWei: 1000n * SMT - 5n - 21_000n * GAS_PRICE })
    expect(accountOf(place, block.header, COINBASE).balanceWei).toBe(REWARD + 21_000n * GAS_PRICE)
  })

  it('leave no empty accounts behind, and take away one that is touched', async () => {
    const empty = address('e1')
    const place = await town({ people: [ALICE], accounts: [{ address: empty, balanceWei: 0n }] })
    const before = stateAddresses(place, place.genesis, [empty, BOB.address])
    expect(before).toEqual([true, false])
    const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: empty }), send(place.network, ALICE, 1, { to: BOB.address })])
    expect(stateAddresses(place, block.header, [empty, BOB.address])).toEqual([false, false])
  })

  it('are left out of a draft, or refused in a block, when they do not hold', async () => {
    const place = await town({ people: [ALICE] })
    const { network, genesis } = place
    const held = send(network, ALICE, 0, { to: BOB.address })
    const wrong: Record<string, Transaction> = {
      'nonce 2': send(network, ALICE, 2, { to: BOB.address }),
      'nonce 0': send(network, ALICE, 0, { to: BOB.address, valueWei: 1n }),
      'wei needed': send(network, BOB, 0, { to: ALICE.address }),
      'wei needed; the account has 999': send(network, ALICE, 1, { valueWei: 1000n * SMT }),
      'before anything runs': send(network, ALICE, 1, { gas: 20_999n }),
      'the block has': send(network, ALICE, 1, { gas: 41_000_000n }),
      'signed by nobody': { ...send(network, ALICE, 1, {}), s: 0n },
      'above 2^64': send(network, ALICE, 1, { gas: 2n ** 64n, gasPriceWei: 0n }),
    }
    const { built } = await place.block(genesis, [held, ...Object.values(wrong)], { maxGas: 2n ** 70n })
    expect(built.transactions.map((one) => hashTransaction(native, one))).toEqual([chiefOf(network, 1), held].map((one) => hashTransaction(native, one)))
    // What can never be is told, what may still come is not.
    expect(new Set(built.refused.map((one) => one.hash))).toEqual(new Set(['nonce 0', 'before anything runs', 'signed by nobody', 'above 2^64'].map((name) => hashTransaction(native, wrong[name] as Transaction))))
    for (const [reason, transaction] of Object.entries(wrong)) {
      const draft = draftOn(network, genesis, [])
      const block = sealed(draft, { ...built, transactions: [draft.chief, held, transaction] })
      expect(await place.executor.execute(genesis, block), reason).toMatchObject({ ok: false, code: 'errInvalidTransaction', reason: expect.stringContaining(reason) as string })
    }
  })

  it('of a contract that destroys itself', async () => {
    const place = await town({ people: [ALICE], accounts: [ping(assemble(1, 7, 'SSTORE', BOB.address, 'SELFDESTRUCT'), address('aa'), 9n)] })
    const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: address('aa'), gas: 200_000n })])
    expect(accountOf(place, block.header, BOB.address).balanceWei).toBe(9n)
    expect(stateAddresses(place, block.header, [address('aa')])).toEqual([false])
    const newAccount = 25_000n
    expect(block.header.gasUsed).toBe(21_000n + 20_006n + 3n + 5_000n + newAccount - 24_000n)
  })

  it('keep the gas and nothing else when they fail', async () => {
    const place = await town({ people: [ALICE], accounts: [ping(assemble(1, 7, 'SSTORE', 'INVALID')), ping(assemble(1, 7, 'SSTORE', 0, 0, 'REVERT'), address('ab'))] })
    const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: address('aa'), gas: 90_000n, valueWei: 3n }), send(place.network, ALICE, 1, { to: address('ab'), gas: 90_000n, valueWei: 3n })])
    expect(block.header.gasUsed).toBe(90_000n + 21_000n + 20_006n + 6n)
    expect(accountOf(place, block.header, ALICE.address)).toMatchObject({ nonce: 2n, balanceWei: 1000n * SMT - block.header.gasUsed * GAS_PRICE })
    expect(slotOf(place, block.header, address('aa'), 7n)).toBe(0n)
  })
})

describe('the chief', () => {
  it('is updated by a sealer that owns nothing, for nothing', async () => {
    const place = await town()
    const { block, built } = await place.block(place.genesis, [])
    expect(built).toMatchObject({ gasUsed: 0n, receipts: [{ succeeded: true, cumulativeGasUsed: 0n, logs: [{ address: CHIEF }] }] })
    await place.executor.execute(place.genesis, block)
    expect(accountOf(place, block.header, SEALER.address)).toMatchObject({ nonce: 1n, balanceWei: 0n })
    expect(slotOf(place, block.header, CHIEF, 4n)).toBe(1n)
  })

  it('runs unmetered through its base to the POC contract, and no further', async () => {
    const call = (to: Address): (string | number | Address)[] => [0, 0, 0, 0, 0, to, 0, 'CALL']
    const stores = (slot: number): (string | number)[] => [1, slot, 'SSTORE']
    const elsewhere = address('ee')
    const place = await town({
      chiefCode: assemble(...call(BASE), 'POP', ...call(elsewhere), 7, 'SSTORE', ...stores(1), 'STOP'),
      accounts: [ping(assemble(...stores(2), ...call(POC), 'POP', ...stores(3), 'STOP'), BASE), ping(assemble(...stores(4), 'STOP'), POC), ping(assemble(...stores(5), 'STOP'), elsewhere)],
    })
    // Calling elsewhere switches the counting on again, and there is no gas: the chief's last words fail.
    const draft = draftOn(place.network, place.genesis, [])
    await expect(place.executor.build(draft)).rejects.toMatchObject({ kind: 'input', field: 'draft.chief' })

    const good = await town({
      chiefCode: assemble(...call(BASE), 7, 'SSTORE', ...stores(1), 'STOP'),
      accounts: [ping(assemble(...stores(2), ...call(POC), 'POP', ...stores(3), 'STOP'), BASE), ping(assemble(...stores(4), 'STOP'), POC)],
    })
    const block = await good.next(good.genesis, [])
    expect([slotOf(good, block.header, CHIEF, 7n), slotOf(good, block.header, CHIEF, 1n), slotOf(good, block.header, BASE, 3n), slotOf(good, block.header, POC, 4n)]).toEqual([1n, 1n, 1n, 1n])
  })

  it('gives back the fee of any other call, which pays for its data only', async () => {
    const place = await town({ people: [ALICE], chiefCode: assemble('NUMBER', 4, 'SSTORE', 'CALLER', 5, 'SSTORE', 'STOP') })
    const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: CHIEF, data: fromHex('4e69d560'), gas: 100_000n })])
    expect(block.header.gasUsed).toBe(21_000n + 4n * 68n)
    expect(accountOf(place, block.header, ALICE.address).balanceWei).toBe(1000n * SMT)
    expect(accountOf(place, block.header, COINBASE).balanceWei).toBe(REWARD)
    expect(slotOf(place, block.header, CHIEF, 5n)).toBe(BigInt(ALICE.address))
  })

  it('leaves a contract that called it unmetered, until that calls somebody else', async () => {
    const caller = (...after: (string | number | Address)[]): Uint8Array => assemble(0, 0, 0, 0, 0, CHIEF, 30_000, 'CALL', 'POP', ...after, 'STOP')
    const store = [1, 1, 'SSTORE', 1, 2, 'SSTORE', 1, 3, 'SSTORE'] as const
    const quiet = ping(caller(...store), address('a1'))
    const loud = ping(caller(0, 0, 0, 0, 0, BOB.address, 0, 'CALL', 'POP', ...store), address('a2'))
    const place = await town({ people: [ALICE, BOB], accounts: [quiet, loud] })
    const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: quiet.address, gas: 200_000n }), send(place.network, ALICE, 1, { to: loud.address, gas: 200_000n })])
    const start = 21_000n + 7n * 3n + 700n
    // The quiet one pays for the call alone: what the chief did and the three words after it are free.
    // The loud one's second call is free as well, but switches the counting on: POP and three words are paid.
    // That call hands on the gas of the call before once more, and gets it back without having given it.
    expect(block.header.gasUsed).toBe(start + (start + 2n + 3n * 20_006n - 30_000n))
    expect(slotOf(place, block.header, quiet.address, 3n)).toBe(1n)
  })

  it('gives nothing back for what was free, and a creation switches the counting on', async () => {
    const code = (...after: (string | number | Address)[]): Uint8Array => assemble(0, 0, 0, 0, 0, CHIEF, 1_000, 'CALL', 'POP', ...after)
    const elsewhere = [0, 0, 0, 0, 0, BOB.address, 0, 'CALL', 'POP'] as const
    const start = 21_000n + 7n * 3n + 700n
    const cases: [string, Uint8Array, bigint][] = [
      ['a cleared word', code(0, 1, 'SSTORE', 'STOP'), start],
      ['a destruction', code(BOB.address, 'SELFDESTRUCT'), start],
      ['a creation', code(0, 0, 0, 'CREATE', 'POP', 1, 2, 'SSTORE', 'STOP'), start + 2n + 20_006n],
      // 33 words for nothing; then the 34th is paid for together with them.
      ['memory', code(1, 0x400, 'MSTORE', ...elsewhere, 1, 0x420, 'MSTORE', 'STOP'), start - 1_000n + 2n + 9n + (34n * 3n + (34n * 34n) / 512n)],
    ]
    for (const [name, contract, gas] of cases) {
      const place = await town({ people: [ALICE, BOB], accounts: [{ ...ping(contract), storage: new Map([[1n, 1n]]) }] })
      const block = await place.next(place.genesis, [send(place.network, ALICE, 0, { to: address('aa'), gas: 200_000n })])
      expect(block.header.gasUsed, name).toBe(gas)
    }
  })

  it('is not obeyed where an unmetered call makes gas of nothing', async () => {
    // The chief hands on to its base the gas that it was given, and keeps it as well: the original would pay it out.
    const body = assemble(0, 0, 0, 0, 0, BASE, 0, 'CALL', 'STOP')
    const skipped = body.length + 4 // by an update, which has data
    const code = Uint8Array.of(...assemble('CALLDATASIZE', skipped, 'JUMPI'), ...body, ...assemble('JUMPDEST', 'STOP'))
    const thief = ping(assemble(0, 0, 0, 0, 0, CHIEF, 150_000, 'CALL', 'STOP'), address('a1'))
    const place = await town({ people: [ALICE], chiefCode: code, accounts: [thief, ping(assemble('STOP'), BASE)] })
    const theft = send(place.network, ALICE, 0, { to: thief.address, gas: 200_000n })
    const { built } = await place.block(place.genesis, [theft, send(place.network, ALICE, 0, { to: BOB.address })])
    expect(built.refused).toEqual([{ hash: hashTransaction(native, theft), reason: 'a transaction that gains gas' }])
    expect(built.transactions).toHaveLength(2)
    const draft = draftOn(place.network, place.genesis, [])
    expect(await place.executor.execute(place.genesis, sealed(draft, { ...built, transactions: [draft.chief, theft] }))).toMatchObject({ ok: false, code: 'errUnprovable' })
  })

  it('cannot be used to run for ever, nor to fill the memory', async () => {
    const call = [0, 0, 0, 0, 0, CHIEF, 30_000, 'CALL', 'POP'] as const
    const head = assemble(...call)
    const forever = ping(Uint8Array.of(...head, ...assemble('JUMPDEST', head.length, 'JUMP')), address('a1'))
    const greedy = ping(assemble(...call, 1, 1n << 40n, 'MSTORE', 'STOP'), address('a2'))
    const place = await town({ people: [ALICE], accounts: [forever, greedy] }, { maxSteps: 100_000 })
    const loop = send(place.network, ALICE, 0, { to: forever.address, gas: 100_000n })
    const fill = send(place.network, ALICE, 0, { to: greedy.address, gas: 100_000n })
    const plain = send(place.network, ALICE, 0, { to: BOB.address })
    const { built } = await place.block(place.genesis, [loop, fill, plain])
    // Two of them, and the block is made without any candidate; what holds is there for the next.
    expect(built.transactions).toHaveLength(1)
    const { built: alone } = await place.block(place.genesis, [loop, plain])
    expect(alone.transactions.at(-1)).toEqual(plain)
    expect(built.refused.map((one) => one.hash)).toEqual([loop, fill].map((one) => hashTransaction(native, one)))
    for (const bad of [loop, fill]) {
      const draft = draftOn(place.network, place.genesis, [])
      expect(await place.executor.execute(place.genesis, sealed(draft, { ...built, transactions: [draft.chief, bad] }))).toMatchObject({ ok: false, code: 'errUnprovable' })
    }
    // And nothing of it stays: the block that was built is right.
    expect((await place.next(place.genesis, [fill, plain])).body.transactions).toHaveLength(2)
  })

  it('must be called by the sealer, and succeed', async () => {
    const place = await town({ chiefCode: assemble(0, 0, 'REVERT') })
    await expect(place.executor.build(draftOn(place.network, place.genesis, []))).rejects.toMatchObject({ kind: 'input', field: 'draft.chief' })
    const other = await town()
    await expect(other.executor.build(draftOn(other.network, other.genesis, [], { signer: ALICE.address }))).rejects.toMatchObject({ field: 'draft.chief' })
    await expect(other.executor.build(draftOn(other.network, other.genesis, [], { chief: chiefOf(other.network, 2) }))).rejects.toMatchObject({ field: 'draft.chief' })
  })

  it('is metered by the fork of the parent on a network where that comes later', async () => {
    const place = await town({ people: [SEALER], chiefCode: CHIEF_CODE })
    const network = { ...place.network, forks: { ...place.network.forks, sip001: 2, sip100: null } }
    const old = await townOver(network, plainExecutor())
    const data = updateCall(ZERO_ADDRESS)
    const intrinsic = 21_000n + 4n * 68n + BigInt(data.length - 4) * 4n
    const first = await old.next(old.genesis, [])
    const second = await old.next(first.header, [])
    const third = await old.next(second.header, [])
    expect([first, second, third].map((block) => block.header.gasUsed)).toEqual([intrinsic, intrinsic, 0n])
    expect(accountOf(old, third.header, SEALER.address).balanceWei).toBe(1000n * SMT)
  })
})

describe('a block', () => {
  it('is refused for whatever in its header is not so', async () => {
    const place = await town({ people: [ALICE] })
    const { block, built } = await place.block(place.genesis, [send(place.network, ALICE, 0, { to: BOB.address, valueWei: 1n })])
    const draft = draftOn(place.network, place.genesis, [])
    const spoilt = (change: Partial<typeof built>, code: string): Promise<void> => expect(place.executor.execute(place.genesis, sealed(draft, { ...built, ...change })), code).resolves.toMatchObject({ ok: false, code })
    await spoilt({ stateRoot: `0x${'11'.repeat(32)}` }, 'errInvalidStateRoot')
    await spoilt({ gasUsed: 21_001n }, 'errInvalidGasUsed')
    await spoilt({ bloom: new Uint8Array(256) }, 'errInvalidBloom')
    await spoilt({ receipts: built.receipts.slice(1) }, 'errInvalidReceiptsRoot')
    expect(place.executor.hasState(built.stateRoot)).toBe(false)
    expect(await place.executor.execute(place.genesis, block)).toMatchObject({ ok: true, receipts: built.receipts })
    expect(place.executor.hasState(built.stateRoot)).toBe(true)
    await expect(place.executor.execute(block.header, block)).rejects.toMatchObject({ kind: 'input', field: 'block' })
  })

  it('pays fees to the sealer where it names no coinbase', async () => {
    const place = await town({ people: [ALICE] })
    const network = { ...place.network, forks: { ...place.network.forks, sip100: null } }
    const old = await townOver(network, plainExecutor())
    const block = await old.next(old.genesis, [send(network, ALICE, 0, { to: BOB.address })], { coinbase: ZERO_ADDRESS })
    expect(accountOf(old, block.header, SEALER.address).balanceWei).toBe(21_000n * GAS_PRICE)
    expect(accountOf(old, block.header, COINBASE).balanceWei).toBe(0n)
  })

  it('burns what mainnet burns, once', async () => {
    const doomed = address('dd')
    const network = { ...townNetwork({ accounts: [{ address: doomed, balanceWei: 100n }] }), burn: { block: 2, address: doomed, mostWei: 60n } }
    const burning = await townOver(network, plainExecutor())
    let parent = burning.genesis
    const left: bigint[] = []
    for (let number = 1; number <= 3; number++) {
      parent = (await burning.next(parent, [])).header
      left.push(accountOf(burning, parent, doomed).balanceWei)
    }
    expect(left).toEqual([100n, 40n, 40n])
  })
})

/** For a network that is not the town's. */
function plainExecutor(): Executor {
  return createInlineExecutor({ curve: native, store: memoryStateStore(), fetchNodes: null, ancestorHash: () => Promise.resolve(null), maxCacheBytes: 1 << 20 })
}

/** Which of these addresses have an account. */
function stateAddresses(place: Town, at: Header, who: readonly Address[]): boolean[] {
  return who.map((one) => {
    const read = readTrie(native, at.stateRoot, native.keccak256(bytesOf(one)), (hash) => place.executor.node(hash))
    return read.kind === 'read' && read.value !== null
  })
}
