/**
 * `make run` for who is not root: the same lab as an unprivileged user, with the bundled service, its own chain and a wallet on it.
 * In a namespace of its own, so that the lab's fixed ports are free; a developer who is not root runs it as he is.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace, isRoot, runProgram, thisMachine, type Host, type RunResult } from '../support/netns.ts'
import { NODE, ROOT, waitFor } from '../support/town-services.ts'

/** `nobody`: owns nothing, may nothing. */
const USER = 65_534
const LAB = join(ROOT, 'scripts/lab/run.ts')
const PATIENCE_MS = 240_000
/** What `make run` says of itself, in this order. */
const STORY = ['Not root: the same service on this machine', '3 vouchers made', 'Its own chain, and a wallet', '✔ the box seals its community’s chain', '✔ a wallet sends Ben 5 tokens', '✔ and any balance comes with its proof', 'It stays up. Ctrl-C ends it']

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
    const at = said.indexOf(words.replace('’', "'"), from)
    if (at < 0) throw new Error(`the lab did not say '${words}' where it should:\n${said}`)
    from = at
  }
}

it('tells its whole story and ends, as somebody who may nothing', async () => {
  expect((await run('id', '-u')).stdout.trim()).not.toBe('0')
  const { code, stdout, stderr } = await run(NODE, LAB, '--once')
  expect([code, stderr], stdout).toEqual([0, ''])
  expectStory(stdout)
  expect(readdirSync(scratch)).toEqual([])
})

it('stays up with its pages until Ctrl-C, and leaves nothing behind', async () => {
  const [command = '', ...rest] = asUser(NODE, LAB)
  const lab = place.spawn(command, rest)
  let said = ''
  lab.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  lab.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => lab.once('exit', resolve))
  await waitFor('the lab to stay up', () => {
    if (lab.exitCode !== null) throw new Error(`the lab ended with ${lab.exitCode}:\n${said}`)
    return said.includes('JSON-RPC')
  }, PATIENCE_MS)
  expectStory(said)
  expect(await page(2080, 'wifi.meshbox.lan:2080', '</html>')).toBe('200 true')
  expect(await page(2090, '127.0.0.1:2090', '</html>')).toBe('200 true')
  lab.kill('SIGINT')
  expect([await ended, readdirSync(scratch)], said).toEqual([0, []])
})
