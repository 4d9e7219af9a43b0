/** The executor's thread. Entry file: bundled as executor.cjs beside the service. One job at a time, as the main thread sends them. */
import { parentPort, workerData } from 'node:worker_threads'
import { MeshBoxError } from '../../../base/index.ts'
import { loadSecp256k1 } from '../../../native/index.ts'
import { decodeHeader, encodeHeader } from '../../codec/header.ts'
import { Engine } from '../engine.ts'
import type { PruneWork } from '../state-store.ts'
import { buffersOf, packError, packReceipts, packVerdict, unpackBlock, unpackDraft, unpackError } from '../worker-messages.ts'
import type { Answer, Ask, FromWorker, Job, PruneStep, Results, ToWorker, WorkerSettings } from '../worker-messages.ts'
import { openStateStore } from './sqlite-state-store.ts'

const port = parentPort
if (port === null) throw new Error('this file is the executor\'s thread; the service starts it')

const settings = workerData as WorkerSettings
const store = openStateStore({ path: settings.statePath, nativeBinding: settings.sqliteBinding, keepYoungest: settings.keepYoungest })
const engine = new Engine({
  curve: loadSecp256k1(settings.secp256k1Path),
  store,
  fetchNodes: settings.doesFetch
    ? async (hashes) => {
        const answer = await ask({ kind: 'nodes', hashes })
        return 'nodes' in answer ? answer.nodes : []
      }
    : null,
  ancestorHash: async (parent, number) => {
    const answer = await ask({ kind: 'ancestor', parent: encodeHeader(parent), number })
    return 'hash' in answer ? answer.hash : null
  },
  maxCacheBytes: settings.maxCacheBytes,
  ...(settings.maxSteps === undefined ? {} : { maxSteps: settings.maxSteps }),
})
const asked = new Map<number, { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }>()
let asks = 0
let pruning: PruneWork | null = null

port.on('message', (message: ToWorker) => {
  if ('answers' in message) return answered(message.answers, message.answer)
  void work(message.job, message.do)
})
tell({ ready: true })

async function work(job: number, what: Job): Promise<void> {
  try {
    const result = await perform(what)
    tell({ job, result }, result !== null && typeof result === 'object' && 'receipts' in result ? buffersOf(result.receipts) : [])
    if (what.kind === 'close') port?.close()
  } catch (thrown) {
    tell({ job, error: packError(thrown) })
  }
}

async function perform(job: Job): Promise<Results[keyof Results]> {
  switch (job.kind) {
    case 'begin':
      engine.begin(job.network)
      return null
    case 'execute':
      return packVerdict(await engine.execute(...unpackBlock(job)))
    case 'build': {
      const { receipts, ...rest } = await engine.build(unpackDraft(job.draft))
      return { ...rest, receipts: packReceipts(receipts) }
    }
    case 'call':
      return engine.call(decodeHeader(job.at), job.request)
    case 'estimate':
      return engine.estimateGas(decodeHeader(job.at), job.request)
    case 'prune':
      pruning = engine.prune(job.keep)
      return pruneStep(pruning)
    case 'prune-step':
      if (pruning === null) throw new MeshBoxError('conflict', 'no pruning has begun', { code: 'prune-lost' })
      return pruneStep(pruning)
    case 'restore':
      return engine.restore(job.stateRoot)
    case 'restore-step':
      return engine.restoreStep(job.given)
    case 'restore-end':
      engine.endRestore()
      return null
    case 'close':
      store.close()
      return null
  }
}

function pruneStep(work: PruneWork): PruneStep {
  const step = work.step()
  if (step === null) pruning = null
  return step === null ? { nodes: 0, bytes: 0, isDone: true } : { ...step, isDone: false }
}

function ask(what: Ask): Promise<Answer> {
  const number = ++asks
  return new Promise((resolve, reject) => {
    asked.set(number, { resolve, reject })
    tell({ asks: number, ask: what })
  })
}

function answered(number: number, answer: Answer): void {
  const waiting = asked.get(number)
  asked.delete(number)
  if ('error' in answer) waiting?.reject(unpackError(answer.error))
  else waiting?.resolve(answer)
}

function tell(message: FromWorker, buffers: ArrayBuffer[] = []): void {
  port?.postMessage(message, buffers)
}
