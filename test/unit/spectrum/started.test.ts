/** The whole chain of one box, started as the service starts it: worker, store, sources, sealer, deposit, guests' questions. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import { createLedger, ledgerMigrations } from '../../../src/ledger/index.ts'
import { photonChain } from '../../../src/main/photon-chain.ts'
import { startFromGenesis, startSpectrum } from '../../../src/spectrum/index.ts'
import { MAINNET } from '../../../src/spectrum/network/networks.ts'
import { encodeTransaction } from '../../../src/spectrum/codec/transaction.ts'
import type { ChainStart, Network, Spectrum, SpectrumParts } from '../../../src/spectrum/index.ts'
import { COMMUNITY_ADDRESSES, newCommunity } from '../../../src/spectrum/community/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/tables/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { send } from '../spectrum-execute/town.ts'
import { duplex } from '../spectrum-source/duplex.ts'
import { minerKey } from '../spectrum-seal/box.ts'
import { native } from './curves.ts'
import { person } from './village.ts'

const LEADER = person(330)
const WALLET = person(331)
/** deposit() of the wrapped coin. */
const DEPOSIT = Uint8Array.of(0xd0, 0xe3, 0x0d, 0xb0)
const CLOCK = { bootId: 'test', boottimeMs: () => performance.now(), wallMs: () => Date.now(), isWallTrusted: () => true }

function community(startSeconds: number): Network {
  return newCommunity(native, {
    name: 'cliff', chainId: 515_154n, periodSeconds: 2, epochBlocks: 50, signerLimit: 1, startSeconds, owner: WALLET.address, leaders: [LEADER.address], miners: [], minDepositWei: 1000n,
    halvingBlocks: 1000, withdrawWaitBlocks: 10, allocations: [{ address: WALLET.address, balanceWei: 10n ** 20n }], token: null,
  }).network
}

interface Box {
  readonly store: Store
  readonly statePath: string
  start(change?: Partial<SpectrumParts['settings']>): Promise<Spectrum>
}

/** `person(node)`: who it is among nodes. */
function box(network: Network, node = 332): Box {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-started-'))
  const store = openStore({ path: join(folder, 'box.db'), migrations: [...ledgerMigrations, ...spectrumMigrations], log: silentLog })
  const statePath = join(folder, 'chain-state.sqlite')
  const running: Spectrum[] = []
  onTestFinished(async () => {
    for (const one of running) await one.stop()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    store,
    statePath,
    async start(change = {}) {
      const started = await startSpectrum({
        settings: {
          network,
          start: startFromGenesis(native, network),
          doesExecute: true,
          sealing: { key: minerKey(LEADER), coinbase: WALLET.address },
          wallet: { address: WALLET.address, sign: minerKey(WALLET).sign },
          minGasPriceWei: 18_000_000_000n,
          peers: { listen: null, fixed: [], bootnodes: [], max: 4 },
          servers: [],
          rpc: null,
          servesGuests: true,
          ...change,
        },
        store,
        ledger: createLedger({ shares: () => [] }),
        curve: native,
        clock: CLOCK,
        timers: systemTimers,
        randomness: systemRandomness,
        log: silentLog,
        version: 'test',
        nodeKey: person(node).key,
        executor: { workerFile: new URL('../../../src/spectrum/execute/io/executor-worker.ts', import.meta.url).pathname, statePath, sqliteBinding: undefined, secp256k1Path: null },
        breathe: () => new Promise((resolve) => setImmediate(resolve)),
      })
      running.push(started)
      return started
    },
  }
}

function head(chain: Spectrum, number: number): Promise<void> {
  if (chain.chain.head().header.number >= number) return Promise.resolve()
  return new Promise((resolve) => {
    const off = chain.chain.on((event) => {
      if (event.kind !== 'head' || event.head.header.number < number) return
      off()
      resolve()
    })
  })
}

it('seals, answers guests within their methods, knows why it needs no deposit, and gets a lost state back', async () => {
  const place = box(community(Math.floor(Date.now() / 1000) - 60))
  const first = await place.start()
  await head(first, 2)
  const ask = async (method: string): Promise<unknown> => JSON.parse((await first.guestRpc?.answer(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }), { key: 'guest' }))?.text ?? 'null')
  expect(await ask('eth_chainId')).toMatchObject({ result: '0x7dc52' })
  expect(await ask('eth_mining')).toMatchObject({ error: { code: -32601 } })
  expect(first.poc?.view()).toMatchObject({ miner: LEADER.address, wallet: WALLET.address, status: { goal: 'none' } })
  await expect(first.poc?.order('deposit')).rejects.toMatchObject({ kind: 'conflict', code: 'poc-leader' })
  await first.stop()

  for (const ending of ['', '-wal', '-shm']) rmSync(`${place.statePath}${ending}`, { force: true })
  const second = await place.start({ servesGuests: false })
  const before = second.chain.head().header.number
  expect([second.guestRpc, before >= 2]).toEqual([null, true])
  await head(second, before + 1)
  expect(second.chain.head().signer).toBe(LEADER.address)
  await second.stop()

  // Only verifying, with a wallet outside: no deposit is this box's matter.
  const third = await place.start({ doesExecute: false, sealing: null })
  expect([third.poc, third.chain.head().header.number > before]).toEqual([null, true])
})

it('tells payment channels what is in its own blocks, although it is alone and has nobody to ask', async () => {
  const network = community(Math.floor(Date.now() / 1000) - 60)
  const chain = await box(network).start()
  await head(chain, 1)
  const to = COMMUNITY_ADDRESSES.WrappedSmt.toLowerCase() as `0x${string}`
  const wrap = send(network, WALLET, 0n, { to, valueWei: 1000n, gas: 100_000n, data: DEPOSIT, gasPriceWei: 18_000_000_000n })
  const hash = await chain.reads.send(encodeTransaction(wrap))
  const port = photonChain({ spectrum: chain, keccak: native, marks: [to], clock: CLOCK, log: silentLog })
  const isMined = (): boolean => chain.chain.transaction(hash) !== null
  while (!isMined()) await head(chain, chain.chain.head().header.number + 1)
  const point = port.at(chain.chain.transaction(hash)?.number ?? -1)
  expect(point === null ? null : await port.logs(point)).toMatchObject([{ address: to, transactionHash: hash }, { address: to, logIndex: 1 }])
  expect(await port.receipt(hash)).toMatchObject({ succeeded: true, logs: [{ address: to }, { address: to }] })
  await chain.stop()
})

/** A box that seals, one that only verifies and knows it, and one that has nobody but that one, as a neighbour. */
async function three(network: Network): Promise<{ readonly sealer: Spectrum; readonly light: Spectrum; readonly cut: Spectrum; join(): Promise<void> }> {
  const light = { doesExecute: false, sealing: null, servesGuests: false }
  const sealer = await box(network, 332).start({ peers: { listen: { address: '127.0.0.1', port: 0 }, fixed: [], bootnodes: [], max: 4 } })
  const between = await box(network, 333).start({ ...light, peers: { listen: null, fixed: [sealer.status().enode ?? ''], bootnodes: [], max: 4 } })
  const cut = await box(network, 334).start(light)
  return {
    sealer,
    light: between,
    cut,
    async join() {
      const [pipe, otherPipe] = duplex()
      expect(await Promise.all([cut.neighbour(pipe), between.neighbour(otherPipe)])).toEqual([true, true])
    },
  }
}

it('hands on, where it only verifies, the transaction of a neighbour that has nobody else, after proving that its sender can pay', async () => {
  const network = community(Math.floor(Date.now() / 1000) - 60)
  const { sealer, light, cut, join } = await three(network)
  await join()
  await head(cut, 2)
  const give = (nonce: bigint, valueWei: bigint): Uint8Array => encodeTransaction(send(network, WALLET, nonce, { to: LEADER.address, valueWei, gasPriceWei: 18_000_000_000n }))
  const offered = light.status().pool
  const hash = await cut.reads.send(give(0n, 7n))
  while (cut.chain.transaction(hash) === null) await head(cut, cut.chain.head().header.number + 1)
  expect([offered, sealer.chain.transaction(hash)?.blockHash]).toEqual([{ transactions: 0, bytes: 0, senders: 0 }, cut.chain.transaction(hash)?.blockHash])
  // Mined, it waits nowhere any more.
  while (light.status().pool.transactions > 0) await head(light, light.chain.head().header.number + 1)
})

it('leaves a chain of long ago for a checkpoint that is newer by weeks, and starts on no other network', async () => {
  const network = community(1_600_000_000)
  const place = box(network)
  const verifying = { doesExecute: false, sealing: null, servesGuests: false }
  const first = await place.start(verifying)
  const genesis = first.chain.head()
  await first.stop()
  const at = (timeSeconds: number): ChainStart => ({ known: { hash: `0x${'44'.repeat(32)}`, header: { ...genesis.header, number: 20, timeSeconds } }, sealHash: `0x${'45'.repeat(32)}`, totalDifficulty: 120n, round: genesis.round })
  const young = await place.start({ ...verifying, start: at(genesis.header.timeSeconds + 13 * 86_400) })
  expect(young.chain.head().hash).toBe(genesis.hash)
  await young.stop()
  const old = await place.start({ ...verifying, start: at(genesis.header.timeSeconds + 15 * 86_400) })
  expect([old.chain.head().header.number, old.chain.stats().startNumber]).toEqual([20, 20])
  await old.stop()
  await expect(place.start({ ...verifying, network: MAINNET, start: null })).rejects.toMatchObject({ kind: 'conflict', code: 'chain-foreign' })
})
