/**
 * The dashboard's door, tried again until it opens: at boot the owner's network may come up after us, and
 * guests are served meanwhile. An address that may never be listened on is an error at once.
 */
import { MeshBoxError, type Cancel, type Log, type Timers } from '../base/index.ts'
import type { OwnerServer } from '../owner/index.ts'

const RETRY_MS = 10_000

export class PatientDashboard {
  readonly #create: () => OwnerServer
  readonly #timers: Timers
  readonly #log: Log
  #open: OwnerServer | null = null
  #cancelRetry: Cancel = () => undefined
  #trying: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(create: () => OwnerServer, timers: Timers, log: Log) {
    this.#create = create
    this.#timers = timers
    this.#log = log
  }

  /** Resolves after the first try. Rejects with `forbidden` when the address is the guests'. */
  async start(): Promise<void> {
    const server = this.#create()
    try {
      await server.start()
      this.#open = server
    } catch (error) {
      await server.stop()
      if (!(error instanceof MeshBoxError) || error.kind !== 'unavailable') throw error
      this.#log.warn(`${error.message}; trying again every ${RETRY_MS / 1000} s`)
      this.#cancelRetry = this.#timers.after(RETRY_MS, () => {
        this.#trying = this.#isStopped ? Promise.resolve() : this.start().catch((later: unknown) => this.#log.error('the dashboard stays closed', { error: later }))
      })
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelRetry()
    await this.#trying
    this.#cancelRetry()
    await this.#open?.stop()
  }
}
