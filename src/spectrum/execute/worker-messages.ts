/**
 * What the main thread and the executor's thread say to each other. Blocks and receipts cross as RLP whose buffers
 * change hands; who starts a job waits for its end before the next, but the thread may ask in between.
 */
import { MeshBoxError } from '../../base/index.ts'
import type { ErrorKind } from '../../base/index.ts'
import { decodeBody, encodeBody } from '../codec/body.ts'
import type { Address, Hash } from '../codec/fields.ts'
import { decodeHeader, encodeHeader } from '../codec/header.ts'
import type { Header } from '../codec/header.ts'
import { decodeReceipt, encodeReceipt } from '../codec/receipt.ts'
import type { Receipt } from '../codec/receipt.ts'
import { decodeTransaction, encodeTransaction } from '../codec/transaction.ts'
import type { Network } from '../network/network.ts'
import type { Block, CallRequest, CallResult, Draft } from '../ports.ts'
import type { Refusal } from '../rules/codes.ts'
import type { Drafted } from './block.ts'
import type { EngineVerdict } from './engine.ts'
import type { RestoreStep } from './restore.ts'

/** Given to the thread when it starts. */
export interface WorkerSettings {
  readonly statePath: string
  readonly sqliteBinding: string | undefined
  /** Null: noble. */
  readonly secp256k1Path: string | null
  readonly maxCacheBytes: number
  readonly doesFetch: boolean
  readonly maxSteps: number | undefined
  readonly keepYoungest: number | undefined
}

/** A Draft whose transactions and parent are RLP. */
export interface DraftBytes {
  readonly parent: Uint8Array
  readonly number: number
  readonly timeSeconds: number
  readonly coinbase: Address
  readonly signer: Address
  readonly gasLimit: bigint
  readonly difficulty: bigint
  readonly maxGas: bigint
  readonly chief: Uint8Array
  readonly candidates: readonly Uint8Array[]
}

export type DraftedBytes = Omit<Drafted, 'receipts'> & { readonly receipts: readonly Uint8Array[] }

export type Job =
  | { readonly kind: 'begin'; readonly network: Network }
  | { readonly kind: 'execute'; readonly parent: Uint8Array; readonly header: Uint8Array; readonly body: Uint8Array }
  | { readonly kind: 'build'; readonly draft: DraftBytes }
  | { readonly kind: 'call' | 'estimate'; readonly at: Uint8Array; readonly request: CallRequest }
  | { readonly kind: 'prune'; readonly keep: readonly Hash[] }
  | { readonly kind: 'prune-step' }
  | { readonly kind: 'restore'; readonly stateRoot: Hash }
  | { readonly kind: 'restore-step'; readonly given: readonly Uint8Array[] }
  | { readonly kind: 'restore-end' }
  | { readonly kind: 'close' }

export interface PruneStep {
  readonly nodes: number
  readonly bytes: number
  readonly isDone: boolean
}

/** What each kind of job comes to. */
export interface Results {
  readonly begin: null
  readonly execute: { readonly ok: true; readonly receipts: readonly Uint8Array[] } | Refusal
  readonly build: DraftedBytes
  readonly call: CallResult
  readonly estimate: bigint
  readonly prune: PruneStep
  readonly 'prune-step': PruneStep
  readonly restore: RestoreStep
  readonly 'restore-step': RestoreStep
  readonly 'restore-end': null
  readonly close: null
}

export type Ask = { readonly kind: 'nodes'; readonly hashes: readonly Hash[] } | { readonly kind: 'ancestor'; readonly parent: Uint8Array; readonly number: number }
export type Answer = { readonly nodes: readonly Uint8Array[] } | { readonly hash: Hash | null } | { readonly error: ErrorBytes }

export type ToWorker = { readonly job: number; readonly do: Job } | { readonly answers: number; readonly answer: Answer }
export type FromWorker = { readonly ready: true } | { readonly job: number; readonly result: Results[keyof Results] } | { readonly job: number; readonly error: ErrorBytes } | { readonly asks: number; readonly ask: Ask }

/** An error on its way through the wall: its class does not survive it. */
export interface ErrorBytes {
  readonly kind: ErrorKind
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly value?: string
  readonly allowed?: string
}

export function packError(thrown: unknown): ErrorBytes {
  if (!(thrown instanceof MeshBoxError)) return { kind: 'internal', code: 'executor-failed', message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) }
  const { kind, code, message, field, value, allowed } = thrown
  return { kind, code, message, ...(field === undefined ? {} : { field }), ...(value === undefined ? {} : { value }), ...(allowed === undefined ? {} : { allowed }) }
}

export function unpackError({ kind, message, ...detail }: ErrorBytes): MeshBoxError {
  return new MeshBoxError(kind, message, detail)
}

export function packBlock(parent: Header, block: Block): Job & { readonly kind: 'execute' } {
  return { kind: 'execute', parent: encodeHeader(parent), header: encodeHeader(block.header), body: encodeBody(block.body) }
}

export function unpackBlock(job: Job & { readonly kind: 'execute' }): [parent: Header, header: Header, body: Block['body']] {
  return [decodeHeader(job.parent), decodeHeader(job.header), decodeBody(job.body)]
}

export function packDraft({ parent, chief, candidates, ...rest }: Draft): DraftBytes {
  const { number, timeSeconds, coinbase, signer, gasLimit, difficulty, maxGas } = rest
  return { number, timeSeconds, coinbase, signer, gasLimit, difficulty, maxGas, parent: encodeHeader(parent), chief: encodeTransaction(chief), candidates: candidates.map(encodeTransaction) }
}

export function unpackDraft({ parent, chief, candidates, ...rest }: DraftBytes): Draft {
  return { ...rest, parent: decodeHeader(parent), chief: decodeTransaction(chief), candidates: candidates.map(decodeTransaction) }
}

export function packReceipts(receipts: readonly Receipt[]): Uint8Array[] {
  return receipts.map(encodeReceipt)
}

export function unpackReceipts(receipts: readonly Uint8Array[]): Receipt[] {
  return receipts.map(decodeReceipt)
}

export function packVerdict(verdict: EngineVerdict): Results['execute'] {
  return verdict.ok ? { ok: true, receipts: packReceipts(verdict.receipts) } : verdict
}

/** Buffers in a message that may change hands: each is whole and used nowhere else. */
export function buffersOf(values: Iterable<Uint8Array>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const { buffer, byteLength } of values) if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffers.add(buffer)
  return [...buffers]
}
