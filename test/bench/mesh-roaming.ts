/**
 * A guest walks between two boxes with gates of their own, in namespaces: from the moment his cable is in the other bridge to the first
 * answer of the Internet; and what of that time he is charged. Then somebody shows his address at the other box: how long until one
 * of both is asked for the code.
 */
import type { SessionsJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { TOWN } from '../support/netns.ts'
import type { Phone } from '../support/phone.ts'
import { waitFor } from '../support/town-services.ts'
import { HOME, WalkingTown } from '../support/walking-town.ts'
import type { Bench, BenchRow } from './measure.ts'
import { summary } from './measure.ts'

export const meshRoaming: Bench = { name: 'mesh-roaming', run }

const WALKS = 8
const STAY_MS = 4000
const EVERY_SECONDS = 0.02
const RESUME_AIM_MS = 1000
const UNPAID_AIM_MS = 3000
const FOUND_AIM_MS = 10_000

async function run(): Promise<BenchRow[]> {
  const street = await WalkingTown.create()
  try {
    const { vouchers } = await street.ours.service.cliJson<VoucherCreateReply>('voucher', 'create', 'long', '1', '--codes')
    await street.phone.submit(HOME, '/redeem', { code: vouchers[0]?.code ?? '' })
    const pings = new Pings(street.phone)
    await waitFor('the guest to be in', () => pings.lastMs !== null)
    const boughtMs = Date.now()
    const gaps: number[] = []
    for (let walk = 0; walk < WALKS; walk++) {
      await new Promise((resolve) => setTimeout(resolve, STAY_MS))
      await street.walk()
      const arrivedMs = Date.now()
      await waitFor('the guest to go on', () => (pings.lastMs ?? 0) > arrivedMs, 30_000)
      gaps.push((pings.firstAfter(arrivedMs) ?? Number.NaN) - arrivedMs)
    }
    const { sessions } = await street.ours.service.cliJson<SessionsJson>('sessions', 'list')
    const passedSeconds = (Date.now() - boughtMs) / 1000
    const usedSeconds = 600 - (sessions[0]?.secondsLeft ?? 600)
    pings.stop()
    const foundMs = await foundAfterMs(street)
    return [
      row(`walk to the other box → first answer, ${WALKS} walks`, gaps, RESUME_AIM_MS),
      row('not charged of a walk', [((passedSeconds - usedSeconds) / WALKS) * 1000], UNPAID_AIM_MS),
      row('one address at two boxes → one is asked for the code', [foundMs], FOUND_AIM_MS),
    ]
  } finally {
    await street.destroy()
  }
}

function row(name: string, values: readonly number[], aimMs: number): BenchRow {
  const ours = summary(values)
  return { name, unit: 'ms', ours, aim: { text: `≤ ${aimMs / 1000} s`, met: ours.max <= aimMs } }
}

async function foundAfterMs(street: WalkingTown): Promise<number> {
  const copy = await street.copyOfPhone()
  const fromMs = Date.now()
  const both = [street.phone, copy]
  const pings = both.map((who) => new Pings(who))
  await waitFor('one of both to be asked', async () => (await Promise.all(both.map((who) => who.open(HOME)))).some(({ body }) => body.includes('in use in two places')), 60_000)
  for (const each of pings) each.stop()
  return Date.now() - fromMs
}

/** One ping each 20 ms, as long as it is not stopped, and when answers came. */
class Pings {
  lastMs: number | null = null
  readonly #atMs: number[] = []
  readonly #child: ReturnType<Phone['guest']['ns']['spawn']>

  constructor({ guest }: Phone) {
    this.#child = guest.ns.spawn('ping', ['-4', '-D', '-n', '-i', String(EVERY_SECONDS), TOWN.internet4])
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      for (const [, seconds] of chunk.toString().matchAll(/^\[(\d+\.\d+)\] \d+ bytes/gm)) {
        this.lastMs = Number(seconds) * 1000
        this.#atMs.push(this.lastMs)
      }
    })
  }

  firstAfter(ms: number): number | undefined {
    return this.#atMs.find((at) => at > ms)
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}
