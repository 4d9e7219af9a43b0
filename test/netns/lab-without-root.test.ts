/**
 * `make run` for who is not root: the same lab as an unprivileged user, with two bundled services, their chain, a wallet on it, a channel between them, and
 * sensors: a reading, a rule, a tenant who is billed and pays.
 * In a namespace of its own, so that the lab's fixed ports are free; a developer who is not root runs it as he is.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Dice } from '../../scripts/lab/dice.ts'
import { storyPlan } from '../../scripts/lab/story-plan.ts'
import type { IotReadingsJson, IotTenantJson } from '../../src/owner/index.ts'
import { Namespace, isRoot, runProgram, thisMachine, type Host, type RunResult } from '../support/netns.ts'
import { NODE, ROOT, waitFor } from '../support/town-services.ts'

/** `nobody`: owns nothing, may nothing. */
const USER = 65_534
const LAB = join(ROOT, 'scripts/lab/run.ts')
const PATIENCE_MS = 1_200_000
/** Of the seed that is taken when nobody names one. */
const PLAN = storyPlan(new Dice(1))
/** What `make run` says of itself, in this order. */
const STORY = [
  'Not root: the same service on this machine', 'no Wi-Fi, no nftables rules (nobody is cut off), no network namespaces', 'live page   http://127.0.0.1:2099/', '3 vouchers made',
  'Its own chain, and a wallet', "✔ the box seals its community's chain", `✔ a wallet sends ${PLAN.him} 5 tokens`, '✔ and any balance comes with its proof',
  'A second box, next door', '✔ the box next door (127.0.0.2) has put 20 SMT into a channel to ours',
  `✔ the owner's probe says humidity_3 ${PLAN.wet} %`, '✔ and a broker (aedes, in this program) has it', `opens the valve over the air (humidity_3 was ${PLAN.dry}, < 20)`,
  '✔ frame 3: delivered, billed 0.03, owed 0.01; paid through the channel: 0.03 in all, owed 0', '✔ a frame that somebody recorded and sends again is not sold', '✔ the neighbour checks the bill on his side: VALID',
  'The books are closed and compared', '✔ Corner café: meshbox audit finds no difference in', '✔ Corner café: its entries come to what its report says', '✔ Next door: meshbox audit finds no difference in',
  '✔ Corner café and Next door: what each has paid is what came to the other: nothing one way, 0.03 SMT the other',
  'It stays up. Ctrl-C ends it',
]

const folder = mkdtempSync(join(tmpdir(), 'meshbox-lab-test-'))
/** Of the lab: where it makes its own folder. */
const scratch = join(folder, 'tmp')
let place: Host = thisMachine
let namespace: Namespace | null = null

beforeAll(async () => {
  mkdirSync(scratch)
  if (!isRoot()) return
  chmodSync(folder, 0o755)
  chownSync(scratch, USER, USER)
  namespace = new Namespace(`mblab-${randomBytes(3).toString('hex')}`)
  place = namespace
  const made = await runProgram('ip', ['netns', 'add', namespace.name])
  expect([made.code, made.stderr]).toEqual([0, ''])
  await namespace.ip('link', 'set', 'lo', 'up')
})
afterAll(async () => {
  if (namespace !== null) {
    await namespace.killAll()
    await runProgram('ip', ['netns', 'del', namespace.name])
  }
  rmSync(folder, { recursive: true, force: true })
})

/** As that user; root's groups and home are not his. */
function asUser(...words: readonly string[]): readonly string[] {
  const own = ['env', `TMPDIR=${scratch}`, `HOME=${scratch}`, ...words]
  return namespace === null ? own : ['setpriv', '--reuid', String(USER), '--regid', String(USER), '--clear-groups', ...own]
}
function run(...words: readonly string[]): Promise<RunResult> {
  const [command = '', ...rest] = asUser(...words)
  return place.run(command, rest, { timeoutMs: PATIENCE_MS })
}
/** Status and first line with `mark` of a page, as a browser on this machine has it. */
async function page(port: number, host: string, mark: string): Promise<string> {
  const ask = `require('node:http').get({ host: '127.0.0.1', port: ${port}, path: '/', headers: { host: '${host}' } }, (answer) => {
    let text = ''
    answer.on('data', (part) => (text += part)).on('end', () => console.log(answer.statusCode, text.includes('${mark}')))
  })`
  const { stdout, stderr } = await run(NODE, '-e', ask)
  return stdout.trim() + stderr
}
function expectStory(said: string): void {
  let from = 0
  for (const words of STORY) {
    const at = said.indexOf(words, from)
    if (at < 0) throw new Error(`the lab did not say '${words}' where it should:\n${said}`)
    from = at
  }
}

it('tells its whole story as somebody who may nothing, stays up with its pages and its sensors until Ctrl-C, and leaves nothing behind', async () => {
  expect((await run('id', '-u')).stdout.trim()).not.toBe('0')
  const [command = '', ...rest] = asUser(NODE, LAB)
  const lab = place.spawn(command, rest)
  let said = ''
  lab.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  lab.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => lab.once('exit', resolve))
  await waitFor('the lab to stay up', () => {
    if (lab.exitCode !== null) throw new Error(`the lab ended with ${lab.exitCode}:\n${said}`)
    return said.includes('the field goes on')
  }, PATIENCE_MS)
  expectStory(said)
  expect(await page(2080, 'wifi.meshbox.lan:2080', '</html>')).toBe('200 true')
  expect(await page(2090, '127.0.0.1:2090', '</html>')).toBe('200 true')
  expect(await page(2099, '127.0.0.1:2099', 'The town, live')).toBe('200 true')
  // The line as a reader would copy it: his shell's own node may be an older one.
  const [, node = '', program = '', socket = ''] = /command line of the box: (MESHBOX_NODE=\S+) (\S+) --socket (\S+)/.exec(said) ?? []
  const ask = async <T>(...words: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await run('env', node, program, '--socket', socket, '--json', ...words)
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as T
  }
  // What goes on behind the story: one more frame is sold, and one more reading is there.
  const sold = await waitFor('one more frame sold and paid', async () => ((one) => Number(one.units) > 3 && one.owed.units === '0' && one)(await ask<IotTenantJson>('tenant', 'show', 'next-door')), PATIENCE_MS)
  expect(sold.paid.units).toBe(sold.billed.units)
  await waitFor('one more reading', async () => (await ask<IotReadingsJson>('lora', 'readings', 'field-3')).readings.length > 2, PATIENCE_MS)
  lab.kill('SIGINT')
  expect([await ended, readdirSync(scratch)], said).toEqual([0, []])
}, 2 * PATIENCE_MS)
