/** Routes and batman-adv's gateway mode, set by lines to `ip` (route-plan.ts) and by GatewayMode. */
import { execFile } from 'node:child_process'
import { MeshBoxError, asError, inputError } from '../../../base/index.ts'
import type { Log, Timers } from '../../../base/index.ts'
import type { UplinkRoutes } from '../../ports.ts'
import { choicePlan, clearPlan, placePlan } from '../route-plan.ts'
import type { RouteCommand, UplinkPlace } from '../route-plan.ts'
import type { UplinkLinks, UplinkRouting } from '../uplink-watch.ts'
import type { GatewayMode } from './gateway-mode.ts'
import { IpBatch } from './ip-batch.ts'

/** Leftovers of a service that was killed while an interface had several addresses. */
const RULES_OF_ONE_NUMBER = 4
const FORGET_TIMEOUT_MS = 5000

export interface KernelUplinkRoutesParts {
  /** In the configuration's order. */
  readonly interfaceNames: readonly string[]
  readonly links: Pick<UplinkLinks, 'places'>
  readonly gatewayMode: GatewayMode
  readonly timers: Timers
  readonly log: Log
  /** Default `['ip']` and `['conntrack']`; a test puts `ip netns exec …` before them. */
  readonly ipCommand?: readonly string[]
  readonly conntrackCommand?: readonly string[]
}

export class KernelUplinkRoutes implements UplinkRouting {
  readonly #parts: KernelUplinkRoutesParts
  readonly #ip: Readonly<Record<4 | 6, IpBatch>>
  #lane: Promise<void> = Promise.resolve()
  #places: readonly (UplinkPlace | null)[] = []
  #chosen: number | null = null

  constructor(parts: KernelUplinkRoutesParts) {
    this.#parts = parts
    const open = (family: 4 | 6): IpBatch => new IpBatch({ command: [...(parts.ipCommand ?? ['ip']), `-${family}`], timers: parts.timers })
    this.#ip = { 4: open(4), 6: open(6) }
  }

  /** What an earlier run left goes away. Errors: `unavailable`, where `ip` cannot be used. */
  start(): Promise<void> {
    return this.#inLane(async () => {
      await this.#carryOut(clearPlan(RULES_OF_ONE_NUMBER))
      await this.#placeAnew()
    })
  }

  /** Gives routing back to the firmware. */
  async stop(): Promise<void> {
    await this.#inLane(() => this.#carryOut(clearPlan(RULES_OF_ONE_NUMBER))).finally(() => [this.#ip[4], this.#ip[6]].forEach((ip) => ip.close()))
  }

  refresh(wereDown: readonly string[]): Promise<void> {
    return this.#inLane(async () => {
      const without = this.#places.map((place) => (place !== null && wereDown.includes(place.interfaceName) ? null : place))
      await this.#carryOut(placePlan(this.#places, without))
      this.#places = without
      await this.#placeAnew()
    })
  }

  choose(interfaceName: string | null): Promise<void> {
    return this.#inLane(async () => {
      const index = interfaceName === null ? null : this.#parts.interfaceNames.indexOf(interfaceName)
      if (index === -1) throw inputError('interfaceName', interfaceName, this.#parts.interfaceNames.join(', '))
      await this.#placeAnew()
      const before = this.#chosen
      await this.#carryOut(choicePlan(before, index))
      this.#chosen = index
      if (before !== null && before !== index) await this.#forgetFlows(this.#places[before] ?? null)
    })
  }

  announceGateway(mode: Parameters<UplinkRoutes['announceGateway']>[0]): Promise<void> {
    return this.#parts.gatewayMode.set(mode)
  }

  async #placeAnew(): Promise<void> {
    const places = this.#parts.links.places(this.#parts.interfaceNames)
    await this.#carryOut(placePlan(this.#places, places))
    this.#places = places
  }

  async #carryOut(commands: readonly RouteCommand[]): Promise<void> {
    const done = await Promise.allSettled(commands.map(({ family, line }) => this.#ip[family].run(line)))
    const wrong = done.flatMap((each, index) => (each.status === 'rejected' && !mayPass(commands[index], asError(each.reason)) ? [asError(each.reason)] : []))
    if (wrong[0] !== undefined) throw wrong[0]
  }

  /**
   * Connections that were translated to the old way's address would go out by the new one under it, and nothing would come back.
   * They are dropped, so that the next packet begins anew. Paid sessions know nothing of it.
   */
  #forgetFlows(place: UplinkPlace | null): Promise<void> {
    const [program = '', ...before] = this.#parts.conntrackCommand ?? ['conntrack']
    const addresses = (place?.addresses ?? []).filter(({ family }) => family === 4)
    const forget = (address: string): Promise<void> =>
      new Promise((resolve) => {
        execFile(program, [...before, '-D', '-q', address], { timeout: FORGET_TIMEOUT_MS }, (error, _, complaints) => {
          // It ends with 1 where there was nothing to drop.
          if (error !== null && error.code !== 1) this.#parts.log.warn('uplinks: connections over the old way out may hang until they time out: install conntrack', { address, error, complaints: complaints.slice(0, 200) })
          resolve()
        })
      })
    return Promise.all(addresses.map(({ address }) => forget(address))).then(() => undefined)
  }

  #inLane(work: () => Promise<void>): Promise<void> {
    const result = this.#lane.then(work)
    this.#lane = result.catch(() => undefined) // the caller has the rejection; the lane goes on
    return result
  }
}

function mayPass(command: RouteCommand | undefined, error: Error): boolean {
  // What was put in by a plan that failed further on is there already.
  if (error.message.includes('File exists')) return true
  return command?.mayFail === true && !(error instanceof MeshBoxError && error.code === 'ip-gone' && command.family === 4)
}
