/**
 * One device authorised (the ten element changes of the gate's book), by netlink from the addon, by a running
 * `nft -i`, and by a new nft each time, in turns in one namespace; a thousand elements in one transaction;
 * and a thousand counters read. In CPU time: this process with its threads, and nft. Goals: P14.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { hostWord, loadNfnetlink } from '../../src/native/index.ts'
import { concatenation } from '../../src/native/nfnetlink-keys.ts'
import type { NfChange, Nfnetlink } from '../../src/native/index.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { costOf, inTurns, pairs, summary } from './measure.ts'

const ROUNDS = 7
const DEVICES = { netlink: 2000, interactive: 150, spawn: 15 }
const MANY = 1000
const BULK_TIMES = 10
const AIM = { authoriseMicroseconds: 50, ofInteractive: 1 / 20, ofSpawn: 1 / 100, bulkMs: 10, dumpMs: 5 }

const TABLE = `table inet t {
  map up4 { type ether_addr . ipv4_addr : classid; }
  map down4 { type ipv4_addr : classid; }
  map upmac { type ether_addr : classid; }
  set devmac { type ether_addr . classid; }
  set paid { type classid; flags timeout; }
  map classes { type classid : classid; }
  set bytes_up { type classid; counter; }
  set bytes_down { type classid; counter; }
  set counted { type classid; counter; }
}`
const inet = { family: 'inet', table: 't' } as const

export const nfnetlink: Bench = { name: 'nfnetlink', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  await buildNative('host', place.say, { only: ['nfnetlink'] })
  const name = `mbnfb-${randomBytes(4).toString('hex')}`
  const inside = ['netns', 'exec', name, 'nft']
  execFileSync('ip', ['netns', 'add', name])
  const nf = loadNfnetlink(addonPath('host', 'nfnetlink'))?.open({ namespacePath: `/run/netns/${name}` })
  if (nf === undefined) throw new Error('no addon')
  const interactive = new Interactive(inside)
  try {
    const clear = (): void => {
      execFileSync('ip', [...inside, `flush ruleset; ${TABLE}`])
    }
    clear()
    await interactive.do('list tables')
    let next = 1
    const cpuEach = async (times: number, authorise: (device: number) => Promise<void>): Promise<number> => {
      clear()
      const first = (next += times)
      const cpuMs = await cpuMsOf(async () => {
        for (let i = 0; i < times; i++) await authorise(first + i)
      })
      return (cpuMs * 1000) / times
    }
    await cpuEach(2000, (device) => nf.commit(changesOf(device))) // warm
    const each = await inTurns(ROUNDS, {
      netlink: () => cpuEach(DEVICES.netlink, (device) => nf.commit(changesOf(device))),
      interactive: () => cpuEach(DEVICES.interactive, (device) => interactive.do(commandsOf(device))),
      spawn: () => cpuEach(DEVICES.spawn, (device) => spawned([...inside, commandsOf(device)])),
    })
    const file = join(place.dir, 'bulk.nft')
    writeFileSync(file, `add element inet t counted { ${Array.from({ length: MANY }, (_, i) => i + 1).join(', ')} }\n`)
    const bulkMs = async (times: number, work: () => Promise<void>): Promise<number> => {
      let sum = 0
      for (let i = 0; i < times; i++) {
        await nf.commit([{ op: 'flush-set', ...inet, set: 'counted' }])
        sum += await cpuMsOf(work)
      }
      return sum / times
    }
    const bulk: NfChange[] = [{ op: 'add-elements', ...inet, set: 'counted', elements: Array.from({ length: MANY }, (_, i) => ({ key: hostWord(i + 1), counter: { packets: i, bytes: i * 1000 } })) }]
    const filled = await inTurns(ROUNDS, { netlink: () => bulkMs(BULK_TIMES, () => nf.commit(bulk)), spawn: () => bulkMs(2, () => spawned([...inside, '-f', file])) })
    await nf.commit([{ op: 'flush-set', ...inet, set: 'counted' }, ...bulk])
    const read = await inTurns(ROUNDS, {
      netlink: async () => (await cpuMsOf(() => repeat(BULK_TIMES, () => dump(nf)))) / BULK_TIMES,
      spawn: async () => (await cpuMsOf(() => repeat(2, async () => void JSON.parse(await output([...inside, '-j', 'list', 'set', 'inet', 't', 'counted']))))) / 2,
    })

    const ratio = (ours: readonly number[], theirs: readonly number[]): number => summary(pairs(ours, theirs, (a, b) => a / b)).p50
    const row = (text: string, unit: string, ours: readonly number[], peer: string, theirs: readonly number[], aim: string, isMet: (p50: number, ratio: number) => boolean): BenchRow => {
      const of = ratio(ours, theirs)
      return { name: text, unit, ours: summary(ours), peer: { name: peer, value: summary(theirs) }, ratio: of, aim: { text: aim, met: isMet(summary(ours).p50, of) } }
    }
    return [
      row('authorise a device by netlink, CPU', 'µs', each.netlink, 'nft -i', each.interactive, `≤ ${AIM.authoriseMicroseconds} µs and 1/20`, (p50, of) => p50 <= AIM.authoriseMicroseconds && of <= AIM.ofInteractive),
      row('authorise a device by netlink, CPU', 'µs', each.netlink, 'new nft', each.spawn, '≤ 1/100', (_, of) => of <= AIM.ofSpawn),
      row(`${MANY} elements in one transaction, CPU`, 'ms', filled.netlink, 'nft -f', filled.spawn, `≤ ${AIM.bulkMs} ms`, (p50) => p50 <= AIM.bulkMs),
      row(`${MANY} counters read, CPU`, 'ms', read.netlink, 'nft -j', read.spawn, `≤ ${AIM.dumpMs} ms`, (p50) => p50 <= AIM.dumpMs),
    ]
  } finally {
    interactive.end()
    await nf.close()
    execFileSync('ip', ['netns', 'del', name])
  }
}

/** A device with its lease, as the gate's book would add it: add, delete, add sets the lease's time anew. */
function changesOf(device: number): NfChange[] {
  const [mac, ip, handle] = [Uint8Array.of(2, 0, 0, 0, device >> 8, device & 255), Uint8Array.of(10, 0, device >> 8, device & 255), hostWord(0x0010_0000 + device)]
  const add = (set: string, key: Uint8Array, value?: Uint8Array): NfChange => ({ op: 'add-elements', ...inet, set, elements: [value === undefined ? { key } : { key, value }] })
  const lease: NfChange = { op: 'add-elements', ...inet, set: 'paid', elements: [{ key: handle, timeoutMs: 3_600_000 }] }
  return [
    add('up4', concatenation(mac, ip), handle),
    add('down4', ip, handle),
    add('upmac', mac, handle),
    add('devmac', concatenation(mac, handle)),
    add('classes', handle, hostWord(0x1_0000 + device)),
    add('bytes_up', handle),
    add('bytes_down', handle),
    lease,
    { op: 'delete-elements', ...inet, set: 'paid', elements: [{ key: handle }] },
    lease,
  ]
}

/** The same in nft's language. */
function commandsOf(device: number): string {
  const hex = (number: number): string => number.toString(16).padStart(2, '0')
  const [mac, ip, handle] = [`02:00:00:00:${hex(device >> 8)}:${hex(device & 255)}`, `10.0.${device >> 8}.${device & 255}`, `0x${(0x0010_0000 + device).toString(16).padStart(8, '0')}`]
  const add = (set: string, element: string): string => `add element inet t ${set} { ${element} }`
  return [
    add('up4', `${mac} . ${ip} : ${handle}`),
    add('down4', `${ip} : ${handle}`),
    add('upmac', `${mac} : ${handle}`),
    add('devmac', `${mac} . ${handle}`),
    add('classes', `${handle} : 0x${(0x1_0000 + device).toString(16).padStart(8, '0')}`),
    add('bytes_up', handle),
    add('bytes_down', handle),
    add('paid', `${handle} timeout 1h`),
    `delete element inet t paid { ${handle} }`,
    add('paid', `${handle} timeout 1h`),
  ].join('; ')
}

/** `nft -i`: a word it does not know comes back as a complaint when what was before it is done. */
class Interactive {
  readonly #child
  #words = 0
  #heard = ''
  #wake = (): void => undefined

  constructor(command: readonly string[]) {
    this.#child = spawn('ip', [...command, '-i'], { stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, HOME: '/dev/null', LC_ALL: 'C' } })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#heard += text
      this.#wake()
    })
  }

  async do(line: string): Promise<void> {
    const word = `done_${++this.#words}`
    this.#heard = ''
    this.#child.stdin.write(`${line}\n${word}\n`)
    while (!this.#heard.includes(word)) await new Promise<void>((resolve) => (this.#wake = resolve))
    if (this.#heard.split('Error:').length > 2) throw new Error(this.#heard.slice(0, 300)) // one is the word's own
  }

  end(): void {
    this.#child.stdin.end()
  }
}

async function dump(nf: Nfnetlink): Promise<void> {
  const found = await nf.dumpElements({ ...inet, set: 'counted' })
  if (found.length !== MANY || found.some((element) => element.counter === null)) throw new Error(`${found.length} counters were read`)
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await work()
}

async function spawned(args: readonly string[]): Promise<void> {
  await output(args)
}

function output(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ip', [...args], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  })
}

/** Of this process, of the children that live on, and of those that came and went. */
async function cpuMsOf(work: () => Promise<void>): Promise<number> {
  const before = endedChildrenCpuMs()
  const cost = await costOf(work)
  return cost.cpuMs + cost.childrenCpuMs + endedChildrenCpuMs() - before
}

/** In the kernel's steps of 10 ms: proc(5), cutime and cstime. */
function endedChildrenCpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}
