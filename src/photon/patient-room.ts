/**
 * A contract's channels, as soon as the contract has been read: its own word, by proof, is needed once and then
 * remembered, so that a box that comes up off the Internet has its channels. Asked for again with each block until then.
 */
import { asError } from '../base/index.ts'
import type { Address, Cancel } from '../base/index.ts'
import { knownContractTerms, readContractTerms } from './box/index.ts'
import type { Alarms, ContractTerms } from './box/index.ts'
import type { PhotonParts } from './parts.ts'
import type { Profile } from './ports.ts'

export interface StartedRoom {
  start(): void
  stop(): Promise<void>
}

export interface PatientRoomOptions<R extends StartedRoom> {
  readonly parts: Pick<PhotonParts, 'chain' | 'store'>
  readonly profile: Profile
  readonly contract: Address
  readonly alarms: Alarms
  /** Why the contract's word keeps the room from ever starting; null: nothing does. */
  objection(terms: ContractTerms): string | null
  make(terms: ContractTerms): R
  started(room: R): void
}

export class PatientRoom<R extends StartedRoom> {
  running: R | null = null
  readonly #options: PatientRoomOptions<R>
  #isHalted = false
  #isStopped = false
  #trying: Promise<void> | null = null
  #cancel: Cancel = () => undefined

  constructor(options: PatientRoomOptions<R>) {
    this.#options = options
  }

  get isHalted(): boolean {
    return this.#isHalted
  }

  /** Errors: what reading the book throws. */
  async start(): Promise<void> {
    const { parts, contract, profile } = this.#options
    this.#cancel = parts.chain.onHead(() => void this.#tryAgain())
    if (knownContractTerms(parts.store, contract, profile) !== null) await this.#begin()
    else void this.#tryAgain()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#trying
    await this.running?.stop()
  }

  /** Before the codes and texts of the second room's alarms. */
  get #said(): { readonly code: string; readonly words: string } {
    return this.#options.profile === 'v1' ? { code: 'v1-', words: 'v1 ' } : { code: '', words: '' }
  }

  #tryAgain(): Promise<void> {
    const { alarms } = this.#options
    const { code, words } = this.#said
    this.#trying ??= this.#begin()
      .catch((thrown: unknown) => alarms.raise(`${code}start`, `${words}payment channels could not be started: ${asError(thrown).message}; it is tried again with the next block`))
      .finally(() => (this.#trying = null))
    return this.#trying
  }

  async #begin(): Promise<void> {
    if (this.running !== null || this.#isStopped || this.#isHalted) return
    const { parts, contract, profile, alarms, objection, make, started } = this.#options
    const { code } = this.#said
    const terms = await readContractTerms(parts.chain, parts.store, contract, profile)
    if (terms === null || this.#isStopped) return
    if (terms === 'absent') return alarms.raise(`${code}contract`, `there is no channel contract at ${contract}: photon.${profile === 'v1' ? 'v1_contract' : 'contract'} names another address, or it is not deep enough in the chain yet`)
    alarms.clear(`${code}contract`)
    const refused = objection(terms)
    if (refused !== null) {
      this.#isHalted = true
      alarms.raise(`${code}contract`, refused)
      return
    }
    const room = make(terms)
    try {
      room.start()
    } catch (thrown) {
      await room.stop()
      throw thrown
    }
    this.running = room
    alarms.clear(`${code}start`)
    this.#cancel()
    started(room)
  }
}
