/**
 * Builds and executes blocks for the executor's benchmark, bundled as the service is: `SealingSettings` as JSON in the
 * first argument, `Measured` as one line of JSON on standard output.
 */
import { performance as nodePerformance } from 'node:perf_hooks'
import { concatBytes, fromHex } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { createWorkerExecutor } from '../../../src/spectrum/execute/index.ts'
import { chiefTransaction } from '../../../src/spectrum/rules/verify-body.ts'
import { customNetwork } from '../../../src/spectrum/network/custom.ts'
import { EMPTY_UNCLE_HASH, genesisHeader } from '../../../src/spectrum/network/genesis.ts'
import { receiptsRootOf, transactionsRootOf } from '../../../src/spectrum/proof/inclusion.ts'
import { mapSlot } from '../../../src/spectrum/proof/account.ts'
import { signTransaction } from '../../../src/spectrum/codec/transaction.ts'
import { addressOfKey, hashHeader, sealHeader } from '../../../src/spectrum/codec/header.ts'
import { ZERO_ADDRESS, ZERO_HASH, bytesOf } from '../../../src/spectrum/codec/fields.ts'
import type { Address, Header, Transaction } from '../../../src/spectrum/index.ts'
import type { Built, Draft } from '../../../src/spectrum/ports.ts'
import type { Measured, SealingSettings } from '../spectrum-execute.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as SealingSettings
const ACCOUNTS = 1000
const SLOT = { transfers: 60, tokens: 30 }
const BATCH = 300
const TICK_MS = 1
const SMT = 10n ** 18n
const address = (byte: string): Address => `0x${byte.repeat(20)}`
const [TOKEN, CHIEF, COINBASE] = [address('70'), address('0c'), address('c0')]
/** SSTORE of the block's number in slot 4: a sealer's update writes some ten words. */
const CHIEF_CODE = fromHex(`${Array.from({ length: 10 }, (_, slot) => `4360${(slot + 4).toString(16).padStart(2, '0')}55`).join('')}00`)

const curve = loadSecp256k1(settings.secp256k1Path)
const keyOf = (number: number): Uint8Array => bytesOf(`0x${(number + 1000).toString(16).padStart(64, '0')}`)
const people = Array.from({ length: ACCOUNTS }, (_, index) => ({ key: keyOf(index), address: addressOfKey(curve, curve.publicKeyOf(keyOf(index))), nonce: 0n }))
type Person = (typeof people)[number]
const sealer = { key: keyOf(-1), address: addressOfKey(curve, curve.publicKeyOf(keyOf(-1))) }
const network = customNetwork(curve, {
  name: 'bench',
  chainId: 777_003n,
  networkId: 777_003,
  periodSeconds: 2,
  genesis: {
    timeSeconds: 1_700_000_000,
    difficulty: 1n,
    gasLimit: 41_000_000n,
    signer: sealer.address,
    accounts: [
      { address: CHIEF, balanceWei: 0n, nonce: 1n, code: CHIEF_CODE },
      { address: TOKEN, balanceWei: 0n, nonce: 1n, code: fromHex(settings.tokenCode), storage: new Map(people.map((one) => [mapSlot(curve, 0n, one.address), 10n ** 24n])) },
      ...people.map((one) => ({ address: one.address, balanceWei: 1000n * SMT })),
    ],
  },
  chief: CHIEF,
  chiefBase: address('0b'),
  poc: address('0d'),
  anmap: null,
})
const executor = createWorkerExecutor({
  workerFile: settings.workerFile,
  statePath: settings.statePath,
  sqliteBinding: settings.sqliteBinding,
  secp256k1Path: settings.secp256k1Path,
  timers: systemTimers,
  fetchNodes: null,
  ancestorHash: () => null,
  ...(settings.isSmall ? { maxOldGenerationSizeMb: 64, maxCacheBytes: 8 << 20 } : {}),
})

let parent: Header = genesisHeader(curve, network.genesis)
let turn = 0

function transactions(transfers: number, tokens: number): Transaction[] {
  return Array.from({ length: transfers + tokens }, (_, index) => {
    const from = people[(turn++ * 7) % ACCOUNTS] as Person
    const to = (people[(turn * 13) % ACCOUNTS] as Person).address
    const call = fromHex(`a9059cbb${to.slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`)
    const change = index < transfers ? { to, valueWei: 1n, gas: 21_000n, data: new Uint8Array(0) } : { to: TOKEN, valueWei: 0n, gas: 100_000n, data: call }
    return signTransaction(curve, { nonce: from.nonce++, gasPriceWei: 10n ** 9n, ...change }, network.chainId, from.key)
  })
}

function draftOf(candidates: readonly Transaction[]): Draft {
  const number = parent.number + 1
  const chief = chiefTransaction(network, number, BigInt(number - 1), ZERO_ADDRESS)
  if (chief === null) throw new Error('no chief')
  return { parent, number, timeSeconds: parent.timeSeconds + 2, coinbase: COINBASE, signer: sealer.address, gasLimit: parent.gasLimit, difficulty: 6n, chief: signTransaction(curve, chief, network.chainId, sealer.key), candidates, maxGas: 40_000_000n }
}

function sealed(draft: Draft, built: Built): Header {
  const { coinbase, difficulty, number, gasLimit, timeSeconds } = draft
  const roots = { stateRoot: built.stateRoot, transactionsRoot: transactionsRootOf(curve, built.transactions), receiptsRoot: receiptsRootOf(curve, built.receipts), bloom: built.bloom, gasUsed: built.gasUsed }
  const header: Header = { parentHash: hashHeader(curve, parent), uncleHash: EMPTY_UNCLE_HASH, coinbase, ...roots, difficulty, number, gasLimit, timeSeconds, extra: concatBytes(new Uint8Array(161), new Uint8Array(65)), mixDigest: ZERO_HASH, nonce: '0x0000000000000000' }
  return sealHeader(curve, header, sealer.key)
}

async function built(draft: Draft): Promise<Built> {
  const made = await executor.build(draft)
  if (made.transactions.length !== 1 + draft.candidates.length) throw new Error('not all were packed')
  return made
}

/** Executes one block: transactions per second of CPU, of all threads. */
async function rate(transfers: number, tokens: number): Promise<number> {
  const draft = draftOf(transactions(transfers, tokens))
  const made = await built(draft)
  const block = { header: sealed(draft, made), body: { transactions: made.transactions, uncles: [] } }
  const before = process.cpuUsage()
  const verdict = await executor.execute(parent, block)
  const { user, system } = process.cpuUsage(before)
  if (!verdict.ok) throw new Error(verdict.reason)
  parent = block.header
  return ((transfers + tokens) * 1e6) / (user + system)
}

/** Packs a slot and watches how late the event loop's turns come, and how long its own turns are in CPU. */
async function slot(): Promise<{ stallMs: number; busyMs: number; buildMs: number }> {
  const draft = draftOf(transactions(SLOT.transfers, SLOT.tokens))
  let stallMs = 0
  let last = performance.now()
  const look = (): void => {
    const now = performance.now()
    stallMs = Math.max(stallMs, now - last - TICK_MS)
    last = now
  }
  const watch = setInterval(look, TICK_MS)
  const [start, used] = [performance.now(), nodePerformance.eventLoopUtilization()]
  const building = built(draft)
  look()
  await building
  look()
  const buildMs = performance.now() - start
  const busyMs = nodePerformance.eventLoopUtilization(used).active
  clearInterval(watch)
  return { stallMs, busyMs, buildMs }
}

async function main(): Promise<void> {
  await executor.begin(network)
  const transfersPerSecond: number[] = []
  const tokensPerSecond: number[] = []
  for (let round = 0; round < settings.rounds; round++) {
    if (settings.isSmall) await rate(SLOT.transfers, SLOT.tokens)
    else {
      transfersPerSecond.push(await rate(BATCH, 0))
      tokensPerSecond.push(await rate(0, BATCH))
    }
  }
  const rssMib = process.resourceUsage().maxRSS / 1024
  const nonces = people.map((one) => one.nonce)
  const slots: { stallMs: number; busyMs: number; buildMs: number }[] = []
  for (let round = 0; round < settings.rounds; round++) {
    people.forEach((one, index) => (one.nonce = nonces[index] ?? 0n)) // what is only packed uses up no nonce
    slots.push(await slot())
  }
  await executor.close()
  // The first round warms up.
  const measured: Measured = { transfersPerSecond: transfersPerSecond.slice(1), tokensPerSecond: tokensPerSecond.slice(1), stallMs: slots.slice(1).map((one) => one.stallMs), busyMs: slots.slice(1).map((one) => one.busyMs), buildMs: slots.slice(1).map((one) => one.buildMs), rssMib }
  process.stdout.write(JSON.stringify(measured))
}

void main()
