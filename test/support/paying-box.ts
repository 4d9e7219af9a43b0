/** A hotspot that sells minutes by the second on paper channels, and dies at any edge: what is on disk, tmpfs and chain outlives the process. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { expect } from 'vitest'
import { streamChecks } from '../../src/audit/checks/streams.ts'
import { Findings } from '../../src/audit/findings.ts'
import { silentLog } from '../../src/base/index.ts'
import { servedAfter } from '../../src/main/audit-streams.ts'
import { GuestStreams } from '../../src/main/guest-streams.ts'
import { UNPROVED_TICKS } from '../../src/main/stream-limits.ts'
import { streamMigrations } from '../../src/photon/stream/io/journal.ts'
import { CrashBox } from './crash-box.ts'
import { seededRandom } from './fakes.ts'
import type { ConfigChanges } from './hotspot-box.ts'
import { ModelChannels, PAPER_TOKEN } from './model-channels.ts'

export class PayingBox {
  readonly channels = new ModelChannels()
  readonly crash: CrashBox
  streams!: GuestStreams
  /** The phones' clock: it goes on while the box is off. */
  phoneMs = 0
  #yearsOff = 0

  /** `unit`: of a second. */
  constructor(changes: ConfigChanges, unit: bigint) {
    this.crash = new CrashBox(changes, {
      migrations: streamMigrations,
      begin: (box, store, edge) => {
        box.config = { ...box.config, photon: { ...box.config.photon, streamToken: PAPER_TOKEN, streamPricePerMinute: unit * 60n } }
        const channels = this.channels.seenBy(edge)
        this.streams = new GuestStreams({
          config: () => box.config,
          hotspot: box.hotspot,
          channels: () => channels,
          keccak: keccak_256,
          store,
          journalPath: join(this.crash.folder, 'tmpfs', 'streams'),
          clock: this.crash.time,
          timers: this.crash.time,
          randomness: seededRandom(this.crash.time.boottimeMs() + 1),
          log: silentLog,
        })
        this.streams.start()
      },
    })
  }

  /** A wall clock that is so many years off. */
  wallIs(yearsOff: number): void {
    this.crash.time.jumpWall((yearsOff - this.#yearsOff) * 365 * 86_400_000)
    this.#yearsOff = yearsOff
  }

  async afterDeath(kind: 'service' | 'power', reopenFile: boolean, boottimeMs?: number): Promise<void> {
    await this.crash.afterDeath(kind, reopenFile, boottimeMs)
    if (kind === 'power') rmSync(join(this.crash.folder, 'tmpfs'), { recursive: true, force: true })
  }

  /** What the audit says of the disk as it is: nothing was served without a proof. How many streams it looked at. */
  expectProofs(): number {
    const findings = new Findings()
    for (const step of streamChecks(findings, { streamTicks: UNPROVED_TICKS })) {
      const look = (): boolean => this.crash.store.read((tx) => step({ servedAfter: (stream, most) => servedAfter(tx, stream, most) }))
      while (look());
    }
    const { differences, unchecked, looked } = findings.report()
    expect([differences, unchecked], 'served and not proved').toEqual([[], []])
    return looked['stream-unpaid'] ?? 0
  }
}
