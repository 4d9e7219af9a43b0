/**
 * Redeems vouchers as fast as the box takes them. Told `<count> <in flight>`, it redeems so many fresh ones
 * and says how that went; every one has its row, its ledger entry and its lease before it counts.
 */
import { costOf } from '../measure.ts'
import { say, task, told } from './lines.ts'
import { configOf, guestAddress, inFlight, startRealBox, voucherCodes } from './real-box.ts'

export interface AuthoriseResult {
  readonly perSecond: number
  readonly cpuMsEach: number
  readonly nftCpuMsEach: number
  readonly latenciesMs: readonly number[]
  readonly commits: number
}

const { text, packageId } = task<{ text: string; packageId: string }>()
const box = await startRealBox(configOf(text))
let guests = 0
say({ ready: true })
for await (const line of told()) {
  const [count = 0, atOnce = 1] = line.split(' ').map(Number)
  const codes = await voucherCodes(box.hotspot, packageId, count)
  const latenciesMs: number[] = []
  const commits = box.store.stats().commits
  const cost = await costOf(() =>
    inFlight(count, atOnce, async (index) => {
      const start = performance.now()
      const session = await box.hotspot.guests.redeem(guestAddress(guests + index), codes[index] ?? '')
      if (session.state !== 'active') throw new Error(`the session is ${session.state}`)
      latenciesMs.push(performance.now() - start)
    }),
  )
  guests += count
  const result: AuthoriseResult = {
    perSecond: (count / cost.wallMs) * 1000,
    cpuMsEach: cost.cpuMs / count,
    nftCpuMsEach: cost.childrenCpuMs / count,
    latenciesMs,
    commits: box.store.stats().commits - commits,
  }
  say(result)
}
await box.stop()
