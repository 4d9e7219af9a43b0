/**
 * The nfnetlink addon against the kernel it finds: commits in the call and in the pool, dumps, refusals, events,
 * losses, a namespace by its name. For machines without our tests: bundled as CommonJS it runs on an emulated
 * router. `node guest.cjs <nfnetlink.node>` prints one line of JSON with what was checked.
 */
import { execFileSync } from 'node:child_process'
import { hostWord, loadNfnetlink } from '../../../src/native/index.ts'
import type { NfEvent, Nfnetlink } from '../../../src/native/index.ts'

const inet = { family: 'inet', table: 't' } as const
const MANY = 5000
const namespace = `mbnfg-${process.pid}`
const checks: { name: string; ok: boolean; detail: string }[] = []

function check(name: string, got: unknown, expected: unknown): void {
  const [gotText, expectedText] = [JSON.stringify(got), JSON.stringify(expected)]
  checks.push({ name, ok: gotText === expectedText, detail: gotText === expectedText ? '' : `${gotText} instead of ${expectedText}` })
}

function nft(commands: string): string {
  return execFileSync('ip', ['netns', 'exec', namespace, 'nft', commands], { encoding: 'utf8' })
}

/** What a watch tells, and a way to wait for it. */
class Ear {
  readonly events: NfEvent[] = []
  losses = 0
  #wake = (): void => undefined

  readonly watcher = {
    onEvents: (events: readonly NfEvent[]): void => {
      this.events.push(...events)
      this.#wake()
    },
    onLost: (): void => {
      this.losses++
      this.#wake()
    },
  }

  async until(isThere: () => boolean): Promise<void> {
    while (!isThere()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  /** Until so many transactions have been told; then their events, in short, and nothing is left. */
  async transactions(count: number): Promise<string[]> {
    await this.until(() => this.events.filter((event) => event.kind === 'generation').length >= count)
    return this.events.splice(0).map((event) => (event.kind === 'quota-used-up' ? event.kind : `${event.kind}${event.isOwn ? ' of ours' : event.kind === 'generation' ? ` of ${event.processName}` : ''}`))
  }
}

async function checkSmall(nf: Nfnetlink, ear: Ear): Promise<void> {
  await nf.commit([
    { op: 'add-quota', ...inet, quota: { name: 'pass', bytes: 2 ** 41, usedBytes: 3, isOver: true } },
    { op: 'add-elements', ...inet, set: 'quotas', elements: [{ key: hostWord(1), object: 'pass' }] },
    { op: 'add-elements', ...inet, set: 'bytes', elements: [{ key: hostWord(1), counter: { packets: 5, bytes: 2 ** 40 } }] },
    { op: 'add-elements', ...inet, set: 'paid', elements: [{ key: hostWord(1), timeoutMs: 60_000 }] },
    { op: 'delete-elements', ...inet, set: 'paid', elements: [{ key: hostWord(1) }] },
    { op: 'add-elements', ...inet, set: 'paid', elements: [{ key: hostWord(1), timeoutMs: 120_000 }] },
  ])
  check('events of our commit', await ear.transactions(1), ['object of ours', ...Array.from({ length: 5 }, () => 'element of ours'), 'generation of ours'])
  nft('add chain inet t somebody')
  check("events of a stranger's", await ear.transactions(1), ['chain', 'generation of nft'])
  check('the quota', await nf.dumpQuotas(inet), [{ name: 'pass', bytes: 2 ** 41, usedBytes: 3, isOver: true }])
  check('who has it', (await nf.dumpElements({ ...inet, set: 'quotas' })).map((element) => element.object), ['pass'])
  check('the counter', (await nf.dumpElements({ ...inet, set: 'bytes' })).map((element) => element.counter), [{ packets: 5, bytes: 2 ** 40 }])
  check('the lease, as nft sees it', /timeout 2m expires (1m5\d|2m)/.test(nft('list set inet t paid')), true)
}

async function checkMany(nf: Nfnetlink, ear: Ear): Promise<void> {
  const elements = Array.from({ length: MANY }, (_, index) => ({ key: hostWord(index + 100) }))
  await nf.commit([{ op: 'add-elements', ...inet, set: 'bytes', elements }])
  check('many at once', (await nf.dumpElements({ ...inet, set: 'bytes' })).length, MANY + 1)
  check('their events', (await ear.transactions(1)).length, MANY + 1)
  const refused = await nf.commit([{ op: 'delete-elements', ...inet, set: 'bytes', elements: [...elements, { key: hostWord(77) }] }]).catch((error: unknown) => error)
  const { errno, changeIndex, elementIndex } = refused as { errno?: string; changeIndex?: number; elementIndex?: number }
  check('one that is not there among them', [errno, changeIndex, elementIndex], ['ENOENT', 0, MANY])
  check('and nothing was deleted', (await nf.dumpElements({ ...inet, set: 'bytes' })).length, MANY + 1)
}

async function checkShort(nf: Nfnetlink): Promise<void> {
  await nf.commit([{ op: 'add-elements', ...inet, set: 'paid', elements: [{ key: hostWord(5), timeoutMs: 1 }] }])
  for (let left = 1000; left > 0 && (await nf.dumpElements({ ...inet, set: 'paid' })).length > 1; left--) await new Promise((resolve) => setTimeout(resolve, 10))
  check('the shortest timeout runs out', (await nf.dumpElements({ ...inet, set: 'paid' })).length, 1)
}

async function checkLosses(nf: Nfnetlink): Promise<void> {
  const ear = new Ear()
  nf.watch(ear.watcher, { bufferBytes: 65_536 })
  nft(`add element inet t paid { ${Array.from({ length: MANY }, (_, index) => index + 100).join(', ')} }`)
  await ear.until(() => ear.losses > 0)
  ear.events.length = 0
  await nf.commit([{ op: 'flush-set', ...inet, set: 'quotas' }])
  await ear.until(() => ear.events.some((event) => event.kind === 'generation' && event.isOwn))
  check('after losses the watch goes on', ear.events.some((event) => event.kind === 'element' && event.isOwn && event.change === 'deleted'), true)
}

async function main(path: string): Promise<void> {
  const alive = setInterval(() => undefined, 1000) // a watch alone keeps no process
  execFileSync('ip', ['netns', 'add', namespace])
  try {
    nft('add table inet t; add set inet t paid { type classid; flags timeout; }; add set inet t bytes { type classid; counter; }; add map inet t quotas { type classid : quota; }')
    const nf = loadNfnetlink(path)?.open({ namespacePath: `/var/run/netns/${namespace}` })
    if (nf === undefined) throw new Error(`${path} was not loaded`)
    const ear = new Ear()
    const stop = nf.watch(ear.watcher)
    await checkSmall(nf, ear)
    await checkMany(nf, ear)
    await checkShort(nf)
    stop()
    await checkLosses(nf)
    await nf.close()
  } finally {
    clearInterval(alive)
    execFileSync('ip', ['netns', 'del', namespace])
  }
  console.log(JSON.stringify({ checks }))
}

void main(process.argv[2] ?? '')
