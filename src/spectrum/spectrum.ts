/**
 * The chain of this box, put together: kept blocks, sources, judging, executing, sealing, JSON-RPC. What each
 * part does is its own folder's matter; here is only who is handed what, and in which order they start.
 */
import type { Clock, Log, Randomness, Timers } from '../base/index.ts'
import { MeshBoxError, asError, hexOf } from '../base/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import type { Store } from '../store/index.ts'
import { checkpointOf, createChainServer, encodeCheckpoint, encodeReceipts, isStale, newestCheckpointBlock, openChain } from './chain/index.ts'
import type { ChainStart, KeptChain } from './chain/index.ts'
import { ZERO_ADDRESS } from './codec/fields.ts'
import type { Address, Hash } from './codec/fields.ts'
import { createWorkerExecutor } from './execute/index.ts'
import type { WorkerExecutorOptions } from './execute/index.ts'
import type { Network } from './network/network.ts'
import type { CallResult, ChainAlarm, ChainBlock, Executor, MinerKey, ProvedState, SyncStatus } from './ports.ts'
import type { Body } from './codec/body.ts'
import type { Receipt } from './codec/receipt.ts'
import { createOwnWallet } from './own-wallet.ts'
import type { OwnWallet } from './own-wallet.ts'
import { proveStart } from './prove-start.ts'
import { createRecovery } from './recovery.ts'
import { RpcServer } from './rpc/io/index.ts'
import { GUEST_POLICY, OWNER_POLICY, Rpc } from './rpc/index.ts'
import type { RpcPorts } from './rpc/index.ts'
import { DEFAULT_POOL_LIMITS, LIGHT_POOL_LIMITS, SEALER_MIN_GAS_PRICE_WEI, createEarnings, createPocAgent, createPocDesk, createSealer, openTransactionPool } from './seal/index.ts'
import type { OwnerWallet, PocDesk, SealerStatus, SealingPool } from './seal/index.ts'
import { MAX_ASKED_FOR_NODES, MAX_ASKED_FOR_RECEIPTS, Sources, formatEnode } from './source/index.ts'
import type { Elsewhere, GuestChainTransport, MeshChainTransport } from './source/index.ts'
import type { KnownHeader } from './rules/verify-header.ts'
import { storedBans } from './tables/io/bans.ts'
import { createSync } from './sync/index.ts'
import type { Circle } from './sync/index.ts'

export interface SpectrumSettings {
  readonly network: Network
  /** Where the chain begins on this box; null: it must be kept already. */
  readonly start: ChainStart | null
  /** Runs every block, and keeps the state. A sealer has to. */
  readonly doesExecute: boolean
  /** Null: this box seals no blocks. */
  readonly sealing: { readonly key: MinerKey; readonly coinbase: Address } | null
  /** The box's own address and its signature: it sends the calls of the miner's deposit where it is the coinbase. */
  readonly wallet: OwnerWallet
  readonly minGasPriceWei: bigint
  readonly peers: {
    /** Null: takes no calls. Port 0: any. */
    readonly listen: { readonly address: string; readonly port: number } | null
    /** enode URLs: always connected to, and asked for others. */
    readonly fixed: readonly string[]
    readonly bootnodes: readonly string[]
    readonly max: number
  }
  /** JSON-RPC servers that carry blocks. */
  readonly servers: readonly string[]
  /** Null: wallets are not served. Port 0: any. `admits`: of a remote address, whether it may ask. */
  readonly rpc: { readonly address: string; readonly port: number; readonly origins: readonly string[]; readonly admits: (remoteAddress: string) => boolean } | null
  /** Whether guests get their part of the JSON-RPC. */
  readonly servesGuests: boolean
}

export interface SpectrumParts {
  readonly settings: SpectrumSettings
  readonly store: Store
  readonly ledger: Ledger
  readonly curve: Secp256k1
  readonly clock: Clock
  readonly timers: Timers
  readonly randomness: Randomness
  readonly log: Log
  /** Of the service. */
  readonly version: string
  /** Who this box is among nodes, 32 bytes. */
  readonly nodeKey: Uint8Array
  readonly executor: Pick<WorkerExecutorOptions, 'workerFile' | 'statePath' | 'sqliteBinding' | 'secp256k1Path'>
  /** Lets the event loop turn once. */
  readonly breathe: () => Promise<void>
}

export interface SpectrumStatus {
  readonly network: { readonly name: string; readonly chainId: bigint; readonly genesisHash: Hash; readonly periodSeconds: number }
  readonly head: ChainBlock
  readonly safe: ChainBlock | null
  readonly final: ChainBlock | null
  readonly sync: SyncStatus
  readonly alarm: ChainAlarm | null
  readonly sealer: SealerStatus | null
  readonly miner: Address | null
  readonly coinbase: Address | null
  readonly pool: ReturnType<SealingPool['stats']>
  /** Where others connect to this box; null where it takes no calls. */
  readonly enode: string | null
  /** Of the JSON-RPC; null where there is none. */
  readonly rpcUrl: string | null
}

/** For rooms that rest money on the chain: all of it proved, or null where it is not to be had now. */
export interface ChainReads {
  account(at: KnownHeader, address: Address): ReturnType<ProvedState['account']>
  storage(at: KnownHeader, address: Address, slot: bigint): Promise<bigint>
  body(block: KnownHeader): Promise<Body | null>
  receipts(block: KnownHeader): Promise<readonly Receipt[] | null>
  /** To the pool, and to all sources, also when it is known already: they may have lost it. Errors: conflict with the pool's code. */
  send(transaction: Uint8Array): Promise<Hash>
  /** A call that changes nothing, run here over the state after that block. Errors: unavailable. */
  call(at: KnownHeader, to: Address, data: Uint8Array): Promise<CallResult>
  /** What this box takes; sealers may ask more. */
  readonly gasPriceWei: bigint
}

export interface Spectrum {
  readonly chain: KeptChain
  readonly reads: ChainReads
  status(): SpectrumStatus
  /** Of the newest final block that ends a round; nobody has signed it. Errors: unavailable `no-checkpoint`. */
  checkpoint(): { readonly number: number; readonly hash: Hash; readonly text: string; readonly signatures: number }
  /** The box's own address, and a way out of it for what is there. */
  readonly wallet: OwnWallet
  /** The miner's deposit; null where this box seals nothing. */
  readonly poc: PocDesk | null
  /** What guests may ask, at their limits (GUEST_POLICY); null where the owner has switched it off. Whoever opens the door knows who is a guest. */
  readonly guestRpc: Rpc | null
  /** Blocks from and for a neighbour of the mesh, over what carries bytes to it. False: it is no source now; the transport is closed. */
  neighbour(transport: MeshChainTransport): Promise<boolean>
  /** Blocks for a box that is a guest of this one, and its transactions: served, and never believed. */
  serve(transport: GuestChainTransport): void
  stop(): Promise<void>
}

/** Leaders and slots of a round together, of the smallest communities. */
const FEW_SIGNERS = 4
/** State older than this many blocks below the head is forgotten. */
const STATE_BLOCKS = 128
/** So many blocks between two times of forgetting. */
const PRUNE_EVERY_BLOCKS = 256
/** The chain's own coin, as the ledger and the owner name it. */
export const CHAIN_TOKEN = { symbol: 'SMT', decimals: 18 } as const
const RPC_POLL_MS = 2_000
/** A token's balance takes some ten thousand. */
const READ_CALL_GAS = 1_000_000n
/** Where blocks are not executed, the thread is there for calls of wallets: for as long as some come. */
const CALLS_IDLE_MS = 30_000

export async function startSpectrum(parts: SpectrumParts): Promise<Spectrum> {
  const { settings, store, curve, clock, timers, randomness, log } = parts
  const { network, sealing } = settings
  if (sealing !== null && !settings.doesExecute) throw new MeshBoxError('internal', 'a box that seals has to execute', { code: 'sealer-without-state' })
  const undo: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const each of undo.splice(0).reverse()) await each()
  }
  try {
    const chain = await openAtStart(parts)
    const executor = createWorkerExecutor({
      ...parts.executor,
      timers,
      fetchNodes: settings.doesExecute ? null : (hashes) => sync.nodes(hashes),
      ancestorHash: (parent, number) => ancestorOf(chain, parent.parentHash, parent.number - 1, number),
      ...(settings.doesExecute ? {} : { idleMs: CALLS_IDLE_MS }),
      onRestart: (error) => log.error('the executor was lost and starts again', { error }),
    })
    undo.push(() => executor.close())
    await executor.begin(network)
    const noNeighbours = (most: number): Circle => ({ isAsked: ({ kind }) => kind !== 'mesh', most })
    const elsewhere: Elsewhere = {
      nodes: (hashes) => sync.nodes(hashes, noNeighbours(MAX_ASKED_FOR_NODES)),
      receipts: async (hash) => {
        const block = chain.block(hash) ?? chain.header(hash)
        const found = block === null ? null : await sync.receipts(block, noNeighbours(MAX_ASKED_FOR_RECEIPTS))
        return found === null ? null : encodeReceipts(found)
      },
    }
    const { listen, fixed: staticPeers, bootnodes, max: maxPeers } = settings.peers
    const sources = new Sources(
      { server: createChainServer(chain, executor), elsewhere: settings.doesExecute ? null : elsewhere, offer: (transaction) => takeOffered(transaction), curve, clock, timers, randomness, log: log.room('sources'), bans: storedBans(store, log) },
      { eth63: { nodeKey: parts.nodeKey, clientName: `MeshBox/${parts.version}`, listen, staticPeers, bootnodes, maxPeers }, rpc: settings.servers, rpcPollMs: RPC_POLL_MS, maxSources: maxPeers + settings.servers.length },
    )
    const sync = createSync({
      curve,
      chain,
      executor: settings.doesExecute ? executor : null,
      canExecute: () => recovery?.isRecovering() !== true,
      nodes: executor,
      clock,
      timers,
      randomness,
      breathe: parts.breathe,
      log: log.room('sync'),
      mayBeAlone: () => sealing !== null,
      // A village of two or three boxes has no second source for a box to ask.
      agreeing: chain.head().round.leaders.length + chain.head().round.signers.length <= FEW_SIGNERS ? 1 : 2,
      leadersChanged: ({ number, added, removed }) => log.warn('the chain has other leaders', { fromBlock: number, added: added.join(' '), removed: removed.join(' ') }),
      punish: (source, misdeed) => sources.pool.punish(source, misdeed),
      announceBlock: (block, totalDifficulty) => sources.announceBlock(block, totalDifficulty),
      transactionsPushed: (_source, transactions) => {
        // Each costs a proof of its sender's account, which only a box that keeps the state has for nothing. Others take few, and of neighbours alone (takeOffered).
        if (settings.doesExecute) for (const transaction of transactions) void pool.add(transaction, 'peer').catch((error: unknown) => log.error('a transaction of a peer could not be taken', { error: asError(error) }))
      },
    })
    /** Of a guest, or of a neighbour that may have no other way. One that is known already may have been lost on its way. */
    const takeOffered = async (transaction: Uint8Array): Promise<void> => {
      try {
        const added = await pool.add(transaction, 'peer')
        if (added.ok) return
        if (added.code === 'known') sources.pool.sendTransactions([transaction])
        else log.debug('a transaction that was offered was not taken', { refusal: added.code, reason: added.reason })
      } catch (error) {
        log.error('a transaction that was offered could not be taken', { error: asError(error) })
      }
    }
    const recovery = settings.doesExecute ? createRecovery({ chain, executor, nodes: (hashes) => sync.nodes(hashes), body: (block) => sync.body(block), breathe: parts.breathe, timers, log: log.room('state') }) : null
    const pool = await openTransactionPool({
      curve,
      chain,
      state: sync.state,
      store,
      clock,
      timers,
      log: log.room('pool'),
      isSealer: sealing !== null,
      minGasPriceWei: settings.minGasPriceWei,
      limits: settings.doesExecute ? DEFAULT_POOL_LIMITS : LIGHT_POOL_LIMITS,
    })
    undo.push(() => pool.close())
    undo.push(pool.onAdded((transaction, _hash, isAgain) => sources.pool.sendTransactions([transaction], isAgain)))

    undo.push(sources.on(sync.listener))
    sync.start()
    undo.push(() => sync.stop())
    await sources.start()
    undo.push(() => sources.stop())
    recovery?.start()
    undo.push(() => recovery?.stop())

    const sealer =
      sealing === null
        ? null
        : createSealer({
            curve,
            chain,
            executor,
            state: sync.state,
            pool,
            store,
            clock,
            timers,
            log: log.room('sealer'),
            key: sealing.key,
            coinbase: () => sealing.coinbase,
            isInSync: () => !sync.isBehind(),
            publish: (block, totalDifficulty) => sources.announceBlock(block, totalDifficulty),
          })
    if (settings.doesExecute) undo.push(forgetOldState(chain, executor, log, () => recovery?.isRecovering() !== true))
    sealer?.start()
    if (sealer !== null) undo.push(() => sealer.stop())

    if (sealing !== null) {
      const earnings = createEarnings({ curve, chain, store, ledger: parts.ledger, clock, timers, log: log.room('earnings'), isOwners: (coinbase) => coinbase === sealing.coinbase, sealedBy: sealing.key.address, token: CHAIN_TOKEN.symbol })
      undo.push(() => earnings.stop())
      await earnings.start()
    }

    let poc: PocDesk | null = null
    if (sealing !== null) {
      const { wallet } = settings
      const isOwnWallet = wallet.address === sealing.coinbase
      const canSeal = (): boolean => clock.isWallTrusted() && !sync.isBehind() && executor.hasState(chain.head().header.stateRoot)
      const agent = isOwnWallet ? createPocAgent({ curve, chain, state: sync.state, pool, key: sealing.key, wallet, store, log: log.room('poc'), canSeal }) : null
      agent?.start()
      if (agent !== null) undo.push(() => agent.stop())
      poc = createPocDesk({ keccak: curve, chain, key: sealing.key, coinbase: sealing.coinbase, ownAddress: wallet.address, agent })
    }
    if (settings.start !== null) undo.push(proveStart({ chain, start: settings.start, state: sync.state, timers, log }))

    const rpcPorts: RpcPorts = {
      curve,
      chain,
      state: sync.state,
      executor,
      pool,
      blocks: {
        body: async (hash) => onKnown(chain, hash, (known) => sync.body(known)),
        receipts: async (hash) => onKnown(chain, hash, (known) => sync.receipts(known)),
      },
      status: () => sync.status(),
      miner: () => (sealing === null ? null : { address: sealing.key.address, coinbase: sealing.coinbase, isSealing: sealer?.status().state !== 'stopped' }),
      gasPriceWei: () => settings.minGasPriceWei,
      version: parts.version,
      clock,
      timers,
      randomness,
      log: log.room('rpc'),
    }
    const guestRpc = settings.servesGuests ? new Rpc(rpcPorts, GUEST_POLICY) : null
    undo.push(() => guestRpc?.close())
    let rpcUrl: string | null = null
    if (settings.rpc !== null) {
      const { address, port, origins, admits } = settings.rpc
      const rpc = new Rpc(rpcPorts, OWNER_POLICY)
      const door = new RpcServer({ rpc, address, port, names: { hosts: [address], origins, allowsExtensions: true }, admits, log: log.room('rpc') })
      const bound = await door.start()
      undo.push(() => rpc.close())
      undo.push(() => door.stop())
      rpcUrl = `http://${bound.address.includes(':') ? `[${bound.address}]` : bound.address}:${bound.port}`
    }
    log.info('the chain runs', { network: network.name, head: chain.head().header.number, executes: settings.doesExecute, seals: sealing !== null, rpc: rpcUrl ?? 'off' })

    const reads: ChainReads = {
      account: ({ header }, address) => sync.state.account(header, address),
      storage: ({ header }, address, slot) => sync.state.storage(header, address, slot),
      // A box that seals alone has nobody to ask, and its own channels' news are in its own blocks.
      body: async (block) => chain.body(block.hash) ?? sync.body(block),
      receipts: async (block) => chain.receipts(block.hash) ?? sync.receipts(block),
      async send(transaction) {
        const added = await pool.add(transaction, 'wallet')
        if (added.ok) return added.hash
        if (added.code !== 'known') throw new MeshBoxError('conflict', `the transaction was not taken: ${added.reason}`, { code: added.code })
        sources.pool.sendTransactions([transaction], true)
        return hexOf(curve.keccak256(transaction))
      },
      call: ({ header }, to, data) => executor.call(header, { from: ZERO_ADDRESS, to, data, valueWei: 0n, gas: READ_CALL_GAS, gasPriceWei: 0n }),
      gasPriceWei: settings.minGasPriceWei > SEALER_MIN_GAS_PRICE_WEI ? settings.minGasPriceWei : SEALER_MIN_GAS_PRICE_WEI,
    }
    return {
      chain,
      reads,
      neighbour: (transport) => sources.neighbour(transport),
      serve: (transport) => sources.serve(transport),
      status: () => ({
        network: { name: network.name, chainId: network.chainId, genesisHash: network.genesisHash, periodSeconds: network.periodSeconds },
        head: chain.head(),
        safe: chain.safe(),
        final: chain.final(),
        sync: sync.status(),
        alarm: chain.alarm(),
        sealer: sealer?.status() ?? null,
        miner: sealing?.key.address ?? null,
        coinbase: sealing?.coinbase ?? null,
        pool: pool.stats(),
        enode: listen === null || sources.nodeId === null ? null : formatEnode({ nodeId: sources.nodeId, address: listen.address, tcpPort: sources.listenPort, udpPort: sources.discoveryPort || sources.listenPort }),
        rpcUrl,
      }),
      checkpoint: () => lastCheckpoint(chain),
      wallet: createOwnWallet({ curve, chain, state: sync.state, pool, wallet: settings.wallet, minGasPriceWei: settings.minGasPriceWei }),
      poc,
      guestRpc,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The kept chain, or in its place the checkpoint where that is more than two weeks newer. */
async function openAtStart({ settings, store, curve, clock, log }: SpectrumParts): Promise<KeptChain> {
  const { network, start } = settings
  const options = { store, curve, network, clock, log: log.room('chain'), start }
  const kept = await openChain(options)
  if (start === null || !isStale(kept, start)) return kept
  log.warn('the kept chain is more than two weeks older than the signed checkpoint, and begins anew there', { from: kept.head().header.number, to: start.known.header.number })
  return openChain({ ...options, isRestart: true })
}

async function onKnown<T>(chain: KeptChain, hash: Hash, read: (known: KnownHeader) => Promise<T | null>): Promise<T | null> {
  const known = chain.header(hash)
  return known === null ? null : read(known)
}

/** By the tree near the head, on whatever branch, then by the canonical chain. */
function ancestorOf(chain: KeptChain, parentHash: Hash, parentNumber: number, number: number): Hash | null {
  let hash = parentHash
  for (let at = parentNumber; at > number; at--) {
    const block = chain.block(hash)
    if (block === null) return chain.headerAt(number)?.hash ?? null
    hash = block.header.parentHash
  }
  return hash
}

/** Between two blocks, in the executor's own thread; states of the last blocks, and of every branch in the tree, stay. */
function forgetOldState(chain: KeptChain, executor: Executor, log: Log, mayForget: () => boolean): () => void {
  let prunedAt = chain.head().header.number
  let isBusy = false
  return chain.on((event) => {
    if (event.kind !== 'head' || isBusy || !mayForget() || event.head.header.number - prunedAt < PRUNE_EVERY_BLOCKS) return
    isBusy = true
    prunedAt = event.head.header.number
    const roots = Array.from({ length: STATE_BLOCKS }, (_, depth) => chain.headerAt(prunedAt - depth)?.header.stateRoot).filter((root) => root !== undefined)
    executor
      .prune(roots)
      .catch((error: unknown) => log.error('old state could not be forgotten', { error: asError(error) }))
      .finally(() => (isBusy = false))
  })
}

function lastCheckpoint(chain: KeptChain): ReturnType<Spectrum['checkpoint']> {
  const block = newestCheckpointBlock(chain)
  if (block === null) throw new MeshBoxError('unavailable', 'no round has ended in a block that is final; that takes 34 blocks and a round', { code: 'no-checkpoint' })
  return { number: block.header.number, hash: block.hash, text: encodeCheckpoint({ checkpoint: checkpointOf(chain.network, block), signatures: [] }), signatures: 0 }
}
