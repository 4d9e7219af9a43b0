/** The state of the box and its recent events. */

export type Level = 'ok' | 'warn' | 'bad'

export interface StatusJson {
  readonly name: string
  readonly version: string
  readonly roles: readonly string[]
  /** Has it payment channels, or should it have? */
  readonly photon: boolean
  /** Is it in a mesh, or should it be? */
  readonly mesh: boolean
  /** Has it LoRa concentrators and MQTT, or should it? */
  readonly iot: boolean
  readonly address: string
  /** Who computes signatures: native code, or JavaScript because the addon is missing or unusable (the log says why). */
  readonly signatures: 'native' | 'noble'
  /** Of the service. */
  readonly uptimeSeconds: number
  /** Of the machine. */
  readonly bootUptimeSeconds: number
  readonly clock: { readonly wallMs: number; readonly trusted: boolean; readonly sources: readonly string[] }
  /** One line per part, worst first: what to show as box health. */
  readonly health: readonly HealthLine[]
  readonly gate: {
    readonly state: 'ready' | 'recording' | 'degraded' | 'down'
    readonly reason?: string
    readonly repairs: number
    readonly devices: number
  }
  readonly store: {
    readonly turns: number
    readonly commits: number
    readonly failedCommits: number
    readonly fileBytes: number
    readonly walBytes: number
  }
  readonly option114: { readonly state: 'announced' | 'withheld'; readonly reason: string }
  readonly sessions: { readonly active: number; readonly paused: number; readonly total: number }
  readonly vouchersUnused: number
  /** Newest first. */
  readonly alarms: readonly AlarmJson[]
  readonly facts: SystemFacts
  readonly setup: { readonly passwordSet: boolean; readonly recoveryWordsShown: boolean }
  /** Only in `consoleStatus`, only while no password is set. */
  readonly setupCode?: string
}

export interface HealthLine {
  readonly part: 'gate' | 'store' | 'dnsmasq' | 'clock' | 'disk' | 'memory' | 'portal-tls' | 'setup' | 'backup' | 'channels' | 'mesh' | 'iot' | 'payout'
  readonly level: Level
  readonly text: string
  /** What to do about it, when there is something to do. */
  readonly advice?: string
}

export interface AlarmJson {
  readonly kind: 'repaired' | 'degraded' | 'duplicate-mac' | 'forged-address'
  readonly detail: string
  readonly mac?: string
  readonly wallMs: number
}

/** What the machine says about itself; null where the system does not tell. */
export interface SystemFacts {
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null
  readonly memory: {
    readonly rssBytes: number
    readonly rssAnonBytes: number | null
    readonly heapUsedBytes: number
    readonly machineTotalBytes: number
    readonly machineFreeBytes: number
  }
  /** 1, 5, 15 minutes. */
  readonly load: readonly [number, number, number]
  readonly cpus: number
  readonly eventLoopLag: { readonly meanMs: number; readonly p99Ms: number; readonly maxMs: number }
  readonly dnsmasq: { readonly state: 'running' | 'missing' | 'not-used'; readonly detail: string }
  readonly runtime: string
  readonly kernel: string
  readonly architecture: string
}

export interface LogEventJson {
  readonly id: number
  readonly wallMs: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly line: string
}
export interface LogJson {
  readonly events: readonly LogEventJson[]
  /** Lines that fell out of the ring since the service started. */
  readonly dropped: number
}
