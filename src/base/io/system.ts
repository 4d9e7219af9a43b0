import { existsSync, readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { uptime } from 'node:os'
import type { Clock, Randomness, Timers } from '../clock.ts'
import { TimeTrust } from '../time-trust.ts'

/** The machine's own clock, timers and randomness; handed in by main.ts and by nothing else. */

/** Files whose presence says that NTP has set the clock (systemd, and the hotplug hook of the package). */
const NTP_MARKERS = ['/run/systemd/timesync/synchronized', '/var/run/meshbox/ntp-synchronized']

/** How often the markers are looked at. */
const NTP_LOOK_MS = 60_000

export class SystemClock implements Clock {
  readonly bootId: string
  readonly trust = new TimeTrust()
  readonly #trustMode: 'auto' | 'always' | 'never'
  readonly #monotonicToBoot: number

  constructor(trustMode: 'auto' | 'always' | 'never' = 'auto') {
    this.#trustMode = trustMode
    this.bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    // os.uptime() is CLOCK_BOOTTIME with 10 ms steps; hrtime is CLOCK_MONOTONIC, fine-grained. A router
    // does not suspend, so their difference is constant: one reading at start joins the two.
    this.#monotonicToBoot = uptime() * 1000 - performance.now()
  }

  boottimeMs(): number {
    return this.#monotonicToBoot + performance.now()
  }

  wallMs(): number {
    return Date.now()
  }

  isWallTrusted(): boolean {
    if (this.#trustMode !== 'auto') return this.#trustMode === 'always'
    this.#observeNtp()
    return this.trust.agrees(this.wallMs(), this.boottimeMs())
  }

  #ntpSeenAt = Number.NEGATIVE_INFINITY

  #observeNtp(): void {
    const now = this.boottimeMs()
    if (now - this.#ntpSeenAt < NTP_LOOK_MS) return
    this.#ntpSeenAt = now
    if (NTP_MARKERS.some((path) => existsSync(path))) this.trust.observe('ntp', this.wallMs(), now)
    else this.trust.forget('ntp')
  }
}

/** Node fires a longer timer at once; a session of a month is longer. */
const LONGEST_TIMER_MS = 0x7fffffff

export const systemTimers: Timers = {
  after(delayMs, run) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, LONGEST_TIMER_MS)
      timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : run()), stepMs)
    }
    wait(Math.max(0, delayMs))
    return () => clearTimeout(timer)
  },
  every(intervalMs, run) {
    const timer = setInterval(run, Math.min(intervalMs, LONGEST_TIMER_MS))
    return () => clearInterval(timer)
  },
}

export const systemRandomness: Randomness = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
}
