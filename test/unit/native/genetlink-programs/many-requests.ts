/**
 * Requests of all kinds, many at a time, until so many are answered or the time is up (but never fewer than
 * FEWEST): what memory they leave behind. Prints one line of JSON with the answers and the resident memory, in KiB, after each step.
 * Usage: node --expose-gc many-requests.ts <addon> <requests> <seconds>
 */
import { readFileSync } from 'node:fs'
import { loadGenetlink } from '../../../../src/native/index.ts'

const [path = '', requests = '1000000', seconds = '15'] = process.argv.slice(2)
const STEPS = 20
const AT_A_TIME = 64
const FEWEST = 60_000
const netlink = await loadGenetlink(path).open()
const nlctrl = await netlink.family('nlctrl')
const nobody = { onMessage: () => undefined, onLost: () => undefined }
let answers = 0

const count = (): void => void answers++
/** Most are cheap ones; refusals, given up ones and watches are among them. */
const work: readonly (() => Promise<unknown>)[] = [
  () => netlink.families(),
  () => netlink.family('nonexistent').catch(count),
  () => netlink.request(nlctrl, 99, new Uint8Array(0)).catch(count),
  () => netlink.dump(nlctrl, 3, new Uint8Array(0), { answerBytes: 100 }).catch(count),
  () => netlink.interfaceIndex('nope0').catch(count),
  () => netlink.families({ signal: AbortSignal.abort() }).catch(count),
  () => netlink.watch(nlctrl, 'notify', nobody).then((stop) => stop()),
  ...Array.from({ length: 13 }, () => () => netlink.family('nlctrl')),
  ...Array.from({ length: 12 }, () => () => netlink.interfaceIndex('lo')),
]

function residentKib(): number {
  globalThis.gc?.()
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

const residents: number[] = []
const startedAt = performance.now()
let done = 0
for (let step = 1; step <= STEPS; step++) {
  const isOver = (): boolean =>
    done >= (Number(requests) * step) / STEPS || (done >= (FEWEST * step) / STEPS && performance.now() - startedAt >= (Number(seconds) * 1000 * step) / STEPS)
  while (!isOver()) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => work[(done + index) % work.length]?.()))
    done += AT_A_TIME
  }
  residents.push(residentKib())
}
netlink.close()
console.log(JSON.stringify({ done, answers, residents }))
