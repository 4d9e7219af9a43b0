/**
 * What one host may send us, and all of them together: datagrams and bytes a second. Pure. A concentrator with 16 channels, all of them
 * full, comes to 260 packets and 65 kB a second; what is above several of those is no concentrator. Too much is not acknowledged.
 * Hosts behind which a gateway is have a share of their own, which made-up addresses cannot use up.
 */
interface Rule {
  readonly datagrams: number
  readonly bytes: number
}

const PER_HOST: Rule = { datagrams: 1_000, bytes: 512 * 1024 }
const OF_GATEWAYS: Rule = { datagrams: 2_000, bytes: 1024 * 1024 }
const OF_STRANGERS: Rule = { datagrams: 500, bytes: 256 * 1024 }
/** What may come at once, in seconds of the rate. */
const BURST_SECONDS = 2
const MAX_HOSTS = 256

interface Level {
  datagrams: number
  bytes: number
  atMs: number
}

export class SourceBudget {
  /** In order of last use. */
  readonly #hosts = new Map<string, Level>()
  readonly #gateways: Level
  readonly #strangers: Level

  constructor(nowMs: number) {
    this.#gateways = full(OF_GATEWAYS, nowMs)
    this.#strangers = full(OF_STRANGERS, nowMs)
  }

  get size(): number {
    return this.#hosts.size
  }

  /** `hasGateway`: a gateway is known to be at this host. False: too much; nothing is taken then. */
  admit(host: string, bytes: number, hasGateway: boolean, nowMs: number): boolean {
    const [all, rule] = hasGateway ? [this.#gateways, OF_GATEWAYS] : [this.#strangers, OF_STRANGERS]
    const level = this.#hosts.get(host) ?? full(PER_HOST, nowMs)
    if (this.#hosts.size > 1) this.#hosts.delete(host)
    this.#hosts.set(host, level)
    if (this.#hosts.size > MAX_HOSTS) this.#hosts.delete(this.#hosts.keys().next().value ?? host)
    refill(level, PER_HOST, nowMs)
    refill(all, rule, nowMs)
    if (level.datagrams < 1 || level.bytes < bytes || all.datagrams < 1 || all.bytes < bytes) return false
    for (const used of [level, all]) {
      used.datagrams -= 1
      used.bytes -= bytes
    }
    return true
  }
}

function full(rule: Rule, atMs: number): Level {
  return { datagrams: rule.datagrams * BURST_SECONDS, bytes: rule.bytes * BURST_SECONDS, atMs }
}

function refill(level: Level, rule: Rule, nowMs: number): void {
  const seconds = Math.max(0, nowMs - level.atMs) / 1_000
  level.datagrams = Math.min(rule.datagrams * BURST_SECONDS, level.datagrams + rule.datagrams * seconds)
  level.bytes = Math.min(rule.bytes * BURST_SECONDS, level.bytes + rule.bytes * seconds)
  level.atMs = nowMs
}
