/** The owner's wish to have the books compared. It may take minutes on a full book; who asks meanwhile gets the same answer. */
import { MeshBoxError } from '../base/index.ts'
import type { AuditJson } from './api/audit.ts'

/** Reads only. */
export type AuditPort = () => Promise<AuditJson>

export class AuditVerb {
  readonly #port: AuditPort | null
  #running: Promise<AuditJson> | null = null

  constructor(port: AuditPort | null) {
    this.#port = port
  }

  /** Errors: unavailable `no-audit`. */
  run(): Promise<AuditJson> {
    if (this.#port === null) throw new MeshBoxError('unavailable', 'this service cannot compare its books', { code: 'no-audit' })
    this.#running ??= this.#port().finally(() => {
      this.#running = null
    })
    return this.#running
  }
}
