/**
 * The running room. It is there at once and says what it waits for: the contract's own word, read by proof, is needed once
 * and then remembered, so that a box that comes up off the Internet has its channels.
 */
import { asError } from '../base/index.ts'
import type { Cancel } from '../base/index.ts'
import { Alarms, OwnerDesk, RunningPhoton, knownContractTerms, readContractTerms } from './box/index.ts'
import type { Photon, PhotonParts } from './parts.ts'

/** Errors: what reading the book throws. What the network or the chain cannot do now is an alarm, and tried again. */
export async function startPhoton(parts: PhotonParts): Promise<Photon> {
  const patient = new PatientPhoton(parts)
  await patient.start()
  return {
    account: parts.signer.account,
    desk: patient.desk,
    streams: () => patient.running?.streams ?? null,
    stop: () => patient.stop(),
  }
}

class PatientPhoton {
  readonly desk: OwnerDesk
  running: RunningPhoton | null = null
  readonly #parts: PhotonParts
  readonly #alarms: Alarms
  #isHalted = false
  #isStopped = false
  #trying: Promise<void> | null = null
  #cancel: Cancel = () => undefined

  constructor(parts: PhotonParts) {
    this.#parts = parts
    this.#alarms = new Alarms(parts.clock, parts.log, () => this.desk.changed())
    this.desk = new OwnerDesk({ parts, alarms: this.#alarms, running: () => this.running, isHalted: () => this.#isHalted })
  }

  async start(): Promise<void> {
    const { chain, store, settings } = this.#parts
    this.#cancel = chain.onHead(() => void this.#tryAgain())
    if (knownContractTerms(store, settings.contract) !== null) await this.#begin()
    else void this.#tryAgain()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#trying
    await this.running?.stop()
  }

  #tryAgain(): Promise<void> {
    this.#trying ??= this.#begin()
      .catch((thrown: unknown) => this.#alarms.raise('start', `payment channels could not be started: ${asError(thrown).message}; it is tried again with the next block`))
      .finally(() => (this.#trying = null))
    return this.#trying
  }

  async #begin(): Promise<void> {
    if (this.running !== null || this.#isStopped || this.#isHalted) return
    const { chain, store, settings } = this.#parts
    const terms = await readContractTerms(chain, store, settings.contract)
    if (terms === null || this.#isStopped) return
    if (terms === 'absent') return this.#alarms.raise('contract', `there is no channel contract at ${settings.contract}: photon.contract names another address, or it is not deep enough in the chain yet`)
    this.#alarms.clear('contract')
    if (terms.domain.chainId !== chain.chainId) {
      this.#isHalted = true
      this.#alarms.raise('contract', `the channel contract says that it is of chain ${terms.domain.chainId}, and this is chain ${chain.chainId}: signatures would mean nothing`)
      return
    }
    const running = new RunningPhoton(this.#parts, terms, this.#alarms, () => this.desk.changed())
    try {
      running.start()
    } catch (thrown) {
      await running.stop()
      throw thrown
    }
    this.running = running
    this.#alarms.clear('start')
    this.#cancel()
    this.desk.changed()
    this.#parts.log.info('payment channels run', { account: this.#parts.signer.account, contract: settings.contract, channels: running.node.channels().length })
  }
}
