/** A thread in the executor's place that writes down what it was told to be, and ends. */
import { writeFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import type { WorkerSettings } from '../../../../src/spectrum/execute/worker-messages.ts'

const settings = workerData as WorkerSettings
writeFileSync(settings.statePath, JSON.stringify(settings))
