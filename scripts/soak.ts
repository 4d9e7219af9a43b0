/**
 * `make soak`: an hour (SECONDS=3600) of a box's full load: 1,000 paid sessions at a real gate and a chain that is sealed (the bundled service),
 * 200 payments a second between two nodes, 260 uplinks a second sold to a tenant. The three run side by side, each in processes of its own,
 * so that a leak has a name. Checked: growth of what each holds (soak/held.ts), long turns of main threads, every unit. Needs root. Exit code 1
 * when one is missed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { bundlePeer, Peer } from '../test/bench/photon-peers.ts'
import { isRoot } from '../test/support/netns.ts'
import { table } from './lab/book.ts'
import { SoakBox } from './soak/box.ts'
import { LEAST_SECONDS, growthOf, isIn, planOf } from './soak/held.ts'
import type { Sample } from './soak/held.ts'
import { Uplinks } from './soak/uplinks.ts'

const SECONDS = secondsOrEnd(process.env['SECONDS'] ?? '3600')
const [SESSIONS, PAYMENTS, UPLINKS] = [1_000, 200, 260]
const UNITS_EACH = 3n
const WINDOW = 16
/**
 * Before the load begins, as fast as they go. A node's memory rises for its first 60,000 payments and is flat after: SQLite's page cache
 * fills, V8 compiles. At 200 a second that is five minutes, which a short soak would take for a leak.
 */
const [AGED_BY, AGED_AT_ONCE] = [80_000, 2_000]
const SAMPLE_MS = 2_000
const PLAN = planOf(SECONDS)
const [MAX_GROWTH, MAX_TURN_MS] = [0.05, 50]
const MIB = 2 ** 20

interface Watched {
  readonly name: string
  readonly pid: number
  readonly samples: Sample[]
  turnMs: number
  waitMs: number
}

if (!isRoot()) {
  console.error('soak: the gate needs a network namespace, which needs root')
  process.exit(1)
}
const dir = mkdtempSync(join(tmpdir(), 'meshbox-soak-'))
const stalls = join(dir, 'stalls')
mkdirSync(stalls)
const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: `--expose-gc --require ${join(import.meta.dirname, 'soak/stall.cjs')}`, MESHBOX_SOAK_STALLS: stalls }
const closers: (() => Promise<void>)[] = []
try {
  process.exitCode = (await soak()) ? 0 : 1
} finally {
  for (const close of closers.toReversed()) await close()
  rmSync(dir, { recursive: true, force: true })
}

async function soak(): Promise<boolean> {
  console.log(`soak: ${SESSIONS} sessions, ${PAYMENTS} payments/s, ${UPLINKS} uplinks/s, sealing; ${SECONDS} s (SECONDS=…), ${AGED_BY} payments before`)
  const program = await bundlePeer(dir, console.log)
  const binding = join(dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')), `prebuilds/linux-${process.arch}.node`)
  const box = await SoakBox.start(dir, SESSIONS, env)
  closers.push(() => box.stop())
  const uplinks = await Uplinks.start(dir, binding, env)
  closers.push(() => uplinks.stop())
  Object.assign(process.env, { NODE_OPTIONS: env['NODE_OPTIONS'], MESHBOX_SOAK_STALLS: stalls }) // the payment nodes inherit them
  const node = (key: number, partner: number): Promise<Peer> => Peer.start(program, { base: dir, key, partners: [partner], route: [partner], transport: 'tcp', isAsOnBox: true })
  const [payer, payee] = [await node(1, 2), await node(2, 1)]
  closers.push(async () => void (await Promise.all([payer.stop(), payee.stop()])))
  await payer.dial(payee, true)
  for (let paid = 0; paid < AGED_BY; paid += AGED_AT_ONCE) await payer.pay('direct', WINDOW, AGED_AT_ONCE)

  const watched: Watched[] = [['box: 1,000 sessions, sealing', box.pid], ['uplinks: server, bills, MQTT', uplinks.pid], ['payments: who pays', payer.pid], ['payments: who is paid', payee.pid]].map(([name, pid]) => ({ name: String(name), pid: Number(pid), samples: [], turnMs: 0, waitMs: 0 }))
  const head = await box.head()
  const from = performance.now()
  const seconds = (): number => (performance.now() - from) / 1_000
  const isOver = (): boolean => seconds() >= SECONDS
  const [frames, payments] = await Promise.all([uplinks.run(UPLINKS, isOver), pay(payer, isOver), watch(watched, seconds, isOver)])

  const [sent, got, books, running, blocks] = [(await payer.figures()).sent, (await payee.figures()).got, await box.missing(), await box.running(), (await box.head()) - head]
  const due = BigInt(payments + AGED_BY) * UNITS_EACH
  const checks: readonly (readonly [what: string, found: string, allowed: string, ok: boolean])[] = [
    ...watched.flatMap(({ name, samples, turnMs, waitMs }) => {
      const { first, last, most, growth } = growthOf(samples, PLAN)
      return [
        [`${name}: memory held`, `${(first / MIB).toFixed(1)} to ${(last / MIB).toFixed(1)} MiB (${(growth * 100).toFixed(1)} %; at most ${(most / MIB).toFixed(1)})`, `< ${MAX_GROWTH * 100} %`, growth < MAX_GROWTH] as const,
        [`${name}: longest turn of the main thread, CPU`, `${turnMs.toFixed(0)} ms (waited for a processor: ${waitMs.toFixed(0)} ms)`, `≤ ${MAX_TURN_MS} ms`, turnMs <= MAX_TURN_MS] as const,
      ]
    }),
    ['sessions that run', String(running), String(SESSIONS), running === SESSIONS],
    ['blocks sealed', String(blocks), 'more than none', blocks > 0],
    ['sessions’ money against the book', `${books.units} units off, ${books.unbalanced} entries that do not add up`, '0, 0', books.units === 0n && books.unbalanced === 0],
    [`payments (${(payments / SECONDS).toFixed(0)}/s)`, `${payments} and ${AGED_BY} before, ${sent} units sent, ${got} got`, `${due} both`, BigInt(sent) === due && sent === got],
    [`uplinks (${(uplinks.sent / SECONDS).toFixed(0)}/s)`, `${uplinks.sent} sent, ${uplinks.acknowledged} acknowledged, ${frames.done} billed, ${frames.failed} failed`, 'all acknowledged are billed', frames.done >= uplinks.acknowledged && frames.failed === 0],
  ]
  console.log(`\n${table([['what', 'found', 'allowed', ''], ...checks.map(([what, found, allowed, ok]) => [what, found, allowed, ok ? 'ok' : 'MISSED'])])}`)
  return checks.every(([, , , ok]) => ok)
}

/** So many a second, each on both disks before it counts. Result: how many. */
async function pay(payer: Peer, isOver: () => boolean): Promise<number> {
  const from = performance.now()
  let done = 0
  while (!isOver()) {
    const due = Math.floor(((performance.now() - from) * PAYMENTS) / 1_000) - done
    if (due >= WINDOW) {
      await payer.pay('direct', WINDOW, due)
      done += due
    } else await pause(20)
  }
  return done
}

async function watch(watched: readonly Watched[], seconds: () => number, isOver: () => boolean): Promise<void> {
  const collections = [PLAN.first.from, PLAN.last.from]
  while (!isOver()) {
    await pause(SAMPLE_MS)
    const at = seconds()
    if (at >= (collections[0] ?? Number.POSITIVE_INFINITY)) {
      collections.shift()
      for (const { pid } of watched) process.kill(pid, 'SIGUSR2') // stall.cjs: collect
      continue
    }
    for (const one of watched) {
      one.samples.push({ seconds: at, rss: Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${one.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024 })
      if (!isIn(PLAN.turns, at)) continue
      const { cpuMs, wallMs } = stallOf(one.pid)
      one.turnMs = Math.max(one.turnMs, cpuMs)
      one.waitMs = Math.max(one.waitMs, wallMs - cpuMs)
    }
  }
}

function stallOf(pid: number): { readonly cpuMs: number; readonly wallMs: number } {
  const text = readFileSync(join(stalls, `${pid}.json`), 'utf8')
  return text === '' ? { cpuMs: 0, wallMs: 0 } : (JSON.parse(text) as { cpuMs: number; wallMs: number }) // it is being written
}

function secondsOrEnd(text: string): number {
  if (/^\d{2,6}$/.test(text) && Number(text) >= LEAST_SECONDS) return Number(text)
  console.error(`soak: SECONDS '${text}': a whole number from ${LEAST_SECONDS} to 999999 expected, as in SECONDS=3600 make soak`)
  return process.exit(2)
}
