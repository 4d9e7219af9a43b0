/**
 * Two ways out in namespaces, one is lost: from the last datagram that came back to the first over the other way, with the watch and the
 * routes of the service. `silent`: nothing comes back any more; `cable`: the kernel sees that the link is gone.
 */
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Namespace, runProgram } from '../support/netns.ts'
import type { Bench, BenchRow } from './measure.ts'
import { summary } from './measure.ts'
import type { UplinksSaid, UplinksTask } from './workers/mesh-uplinks.ts'

export const meshUplinks: Bench = { name: 'mesh-uplinks', run }

const WORKER = new URL('./workers/mesh-uplinks.ts', import.meta.url).pathname
const FAR = '198.51.100.1'
const FAR_PORT = 7777
const LOSSES = 4
const AIM_MS = 3000
/** Datagrams leave every 10 ms: one came back so lately that there is no gap now. */
const ANSWERED_MS = 100
/** Answers datagrams with the same, and takes connections. */
const ECHO = `const s = require('dgram').createSocket('udp4'); s.on('message', (m, f) => s.send(m, f.port, f.address)); s.bind(${FAR_PORT}, '${FAR}'); require('net').createServer((c) => c.on('error', () => c.destroy()).resume()).listen(${FAR_PORT}, '${FAR}')`

async function run(): Promise<BenchRow[]> {
  const prefix = `mb${process.pid.toString(36)}${randomBytes(2).toString('hex')}`
  const router = new Namespace(`${prefix}-router`)
  const fars = [0, 1].map((n) => new Namespace(`${prefix}-far${n}`))
  try {
    for (const place of [router, ...fars]) {
      await runProgram('ip', ['netns', 'add', place.name])
      await place.ip('link', 'set', 'lo', 'up')
    }
    for (const [n, far] of fars.entries()) {
      await router.ip('link', 'add', `up${n}`, 'type', 'veth', 'peer', 'name', 'wan', 'netns', far.name)
      await router.ip('link', 'set', `up${n}`, 'up')
      await far.ip('link', 'set', 'wan', 'up')
      await router.ip('addr', 'add', `10.${n + 1}.0.2/24`, 'dev', `up${n}`)
      await far.ip('addr', 'add', `10.${n + 1}.0.1/24`, 'dev', 'wan')
      await far.ip('addr', 'add', `${FAR}/32`, 'dev', 'lo')
      far.spawn(process.execPath, ['-e', ECHO], { stdio: 'ignore' })
      await router.ip('route', 'add', 'default', 'via', `10.${n + 1}.0.1`, 'dev', `up${n}`, 'metric', String(10 + n))
    }
    const box = new Box(router)
    const silent: number[] = []
    const cable: number[] = []
    for (let loss = 0; loss < LOSSES; loss++) {
      await box.until((state) => Object.values(state.health).every((health) => health === 'good' || health === 'poor'))
      const chosen = Number(box.chosen?.slice(2))
      const far = fars[chosen]
      if (far === undefined) throw new Error(`the way out is ${box.chosen}`)
      const isSilent = loss % 2 === 0
      box.longestGapMs = 0
      if (isSilent) await far.ip('addr', 'del', `${FAR}/32`, 'dev', 'lo')
      else await far.ip('link', 'set', 'wan', 'down')
      // Twice: what the first saw may have come over the old way, and the gap may still go on.
      for (let seen = 0; seen < 2; seen++) await box.until((state) => state.chosen === `up${1 - chosen}` && state.silentMs < ANSWERED_MS)
      ;(isSilent ? silent : cable).push(box.longestGapMs)
      if (isSilent) await far.ip('addr', 'add', `${FAR}/32`, 'dev', 'lo')
      else {
        await far.ip('link', 'set', 'wan', 'up')
        // The kernel took it away with the link; on a router netifd brings it back.
        await router.ip('route', 'replace', 'default', 'via', `10.${chosen + 1}.0.1`, 'dev', `up${chosen}`, 'metric', String(10 + chosen))
      }
    }
    const row = (name: string, values: readonly number[]): BenchRow => ({ name: `mesh uplinks: ${name} → traffic over the other`, unit: 'ms', ours: summary(values), aim: { text: `≤ ${AIM_MS} ms`, met: Math.max(...values) <= AIM_MS } })
    return [row('a way out falls silent', silent), row('its cable is out', cable)]
  } finally {
    for (const place of [router, ...fars]) {
      await place.killAll()
      await runProgram('ip', ['netns', 'del', place.name])
    }
  }
}

type State = Extract<UplinksSaid, { readonly health: unknown }>

class Box {
  chosen: string | null = null
  /** Of the gaps in what came back, since it was set to 0; those of less than two datagrams are not told. */
  longestGapMs = 0
  readonly #listeners = new Set<(said: UplinksSaid | null) => void>()

  constructor(router: Namespace) {
    const task: UplinksTask = { interfaceNames: ['up0', 'up1'], far: FAR, farPort: FAR_PORT }
    const child = router.spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORKER, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (child.stdout === null) throw new Error('no output')
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => this.#tell(JSON.parse(line) as UplinksSaid))
    lines.on('close', () => this.#tell(null))
  }

  until(isSo: (state: State) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const listener = (said: UplinksSaid | null): void => {
        if (said !== null && !('health' in said && isSo(said))) return
        this.#listeners.delete(listener)
        if (said === null) reject(new Error('the box with two ways out ended'))
        else resolve()
      }
      this.#listeners.add(listener)
    })
  }

  #tell(said: UplinksSaid | null): void {
    if (said !== null && 'chosen' in said) this.chosen = said.chosen
    if (said !== null && 'gapMs' in said) this.longestGapMs = Math.max(this.longestGapMs, said.gapMs)
    for (const listener of this.#listeners) listener(said)
  }
}
