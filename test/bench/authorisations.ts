/**
 * Vouchers redeemed per second, sustained: lock, session and ledger entry on disk (WAL, synchronous=FULL)
 * and the lease in the kernel before each counts. Many guests at once share commits and kernel
 * transactions; one after the other shows what a single one waits. The same without a kernel behind the
 * gate says what of it is nftables.
 */
import { join } from 'node:path'
import { Town } from '../support/netns.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker } from './box-worker.ts'
import type { BoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { inTurns, pairs, summary } from './measure.ts'
import type { AuthoriseResult } from './workers/authorise.ts'

const ROUNDS = 5
const TOGETHER = { count: 300, inFlight: 32 }
const ALONE = { count: 60, inFlight: 1 }
const AIM_PER_SECOND = 200

export const authorisations: Bench = { name: 'authorisations', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const town = await Town.create({ guests: 0, addresses: 'static' })
  try {
    const start = async (gate: 'nft' | 'record'): Promise<BoxWorker> => {
      const worker = startBoxWorker(town.box, 'authorise', { text: boxText({ dataDir: join(place.dir, `authorise-${gate}`), gate }), packageId: 'day' })
      await worker.next()
      await redeem(worker, { count: 50, inFlight: 8 }) // warm
      return worker
    }
    const [nft, record] = [await start('nft'), await start('record')]
    const [latencies, cpuMs, nftCpuMs]: [number[], number[], number[]] = [[], [], []]
    const rates = await inTurns(ROUNDS, {
      nft: async () => {
        const result = await redeem(nft, TOGETHER)
        cpuMs.push(result.cpuMsEach)
        nftCpuMs.push(result.nftCpuMsEach)
        return result.perSecond
      },
      record: async () => (await redeem(record, TOGETHER)).perSecond,
      alone: async () => {
        const result = await redeem(nft, ALONE)
        latencies.push(...result.latenciesMs)
        return result.perSecond
      },
    })
    await Promise.all([nft.stop(), record.stop()])
    const together = summary(rates.nft)
    return [
      {
        name: `authorisations, ${TOGETHER.inFlight} guests at once`,
        unit: '/s',
        ours: together,
        peer: { name: 'without a kernel', value: summary(rates.record) },
        ratio: summary(pairs(rates.nft, rates.record, (ours, bare) => ours / bare)).p50,
        aim: { text: `≥ ${AIM_PER_SECOND}/s`, met: together.p50 >= AIM_PER_SECOND },
      },
      { name: 'authorisations: CPU of the service each', unit: 'ms', ours: summary(cpuMs), aim: { text: '', met: null } },
      { name: 'authorisations: CPU of nft each', unit: 'ms', ours: summary(nftCpuMs), aim: { text: '', met: null } },
      {
        name: 'authorisations, one after the other: redeem to lease',
        unit: 'ms',
        ours: summary(latencies),
        aim: { text: `≤ ${1000 / AIM_PER_SECOND} ms`, met: summary(latencies).p50 <= 1000 / AIM_PER_SECOND },
      },
    ]
  } finally {
    await town.destroy()
  }
}

async function redeem(worker: BoxWorker, { count, inFlight }: { count: number; inFlight: number }): Promise<AuthoriseResult> {
  worker.tell(`${count} ${inFlight}`)
  return worker.next<AuthoriseResult>()
}
