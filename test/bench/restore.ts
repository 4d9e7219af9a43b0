/** 1000 paying guests, a restart, and how long until the kernel holds every one of them again. */
import { join } from 'node:path'
import { Town } from '../support/netns.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'
import type { Restored } from './workers/restore.ts'

const ROUNDS = 7
const SESSIONS = 1000
const AIM_MS = 100

export const restore: Bench = { name: 'restore', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const town = await Town.create({ guests: 0, addresses: 'static' })
  try {
    const text = boxText({ dataDir: join(place.dir, 'restore'), leaseSeconds: 600 })
    const filling = startBoxWorker(town.box, 'fill', { text, sessions: SESSIONS })
    await filling.next()
    await filling.stop()
    const [all, sessions]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      await town.box.must('nft', 'flush', 'ruleset') // as after a power cut
      const worker = startBoxWorker(town.box, 'restore', { text })
      const restored = await worker.next<Restored>()
      await worker.stop()
      if (restored.devicesHeld !== SESSIONS) throw new Error(`the kernel holds ${restored.devicesHeld} of ${SESSIONS} devices`)
      all.push(restored.sessionsMs)
      sessions.push(restored.sessionsMs - restored.gateMs)
    }
    return [
      {
        name: `restore: ${SESSIONS} sessions, rules standing → all held`,
        unit: 'ms',
        ours: summary(sessions),
        aim: { text: `≤ ${AIM_MS} ms`, met: summary(sessions).p50 <= AIM_MS },
      },
      {
        name: `restore: ${SESSIONS} sessions, store opened → all held`,
        unit: 'ms',
        ours: summary(all),
        aim: { text: `≤ ${AIM_MS} ms`, met: summary(all).p50 <= AIM_MS },
        note: 'with the rules loaded into an empty kernel on the way',
      },
    ]
  } finally {
    await town.destroy()
  }
}
