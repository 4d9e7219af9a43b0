/**
 * `make run` as its reader starts it, as root: the story and its claims, hands that interfere, the books at its end; and parts of it by themselves (the live
 * page, the control socket). It uses the lab's own addresses on this machine, so no other file may run it.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../scripts/native.ts'
import { withPalette } from '../../scripts/guide/palette-png.ts'
import { Control, type Command } from '../../scripts/lab/control.ts'
import { Dice } from '../../scripts/lab/dice.ts'
import { LiveServer } from '../../scripts/lab/live/server.ts'
import { note } from '../../scripts/lab/say.ts'
import { Scene } from '../../scripts/lab/scene.ts'
import { storyPlan } from '../../scripts/lab/story-plan.ts'
import { isRoot, runProgram, type RunResult } from '../support/netns.ts'
import { NODE, ROOT, waitFor } from '../support/town-services.ts'

const PATIENCE_MS = 1_800_000
/** What every comparison of the books claims. */
const BOOKS = [
  'The books are closed and compared', '✔ Corner café: meshbox audit finds no difference in', '✔ Corner café: its entries come to what its report says', '✔ sessions by voucher:', '✔ sessions by stream:',
  '✔ Village hall: meshbox audit finds no difference in', '✔ Next door: meshbox audit finds no difference in',
  '✔ Corner café and Next door: what each has paid is what came to the other:', '✔ both books and the channel of each hop say the same, to the unit:',
]
const SEED = 7
const PLAN = storyPlan(new Dice(SEED))
/** What is claimed, in this order. */
const STORY = [
  'live page   http://127.0.0.1:2099/', '✔ ready after', '✔ three codes with a check symbol', '✔ any page leads to ours: 302', '✔ HTTPS is refused at once', '✔ surfs: "Welcome to the Internet"', `✔ ${PLAN.him} has not paid and stays outside`,
  '✔ nothing passes while paused', `✔ ${PLAN.her} is still online: the kernel holds her lease`, '✔ no block is lost', '✔ the table is back within a second or so', '✔ a second voucher adds its time', '✔ cut off by the kernel',
  '✔ her receipt verifies', "✔ the box seals its community's chain", '✔ the hall seals, blocks come', `✔ both boxes have the same list: ${PLAN.villageTokens} VTK direct done; ${PLAN.direct} SMT direct done; ${PLAN.locked} SMT locked done`, '✔ page, session, ledger and channel agree to the unit', '✔ the neighbour has seen the chain again',
  `(humidity_3 was ${PLAN.dry}, < 20)`, '✔ frame 3: delivered', '✔ the neighbour checks the bill on his side: VALID', '✔ together 20.0: what was there at the beginning, to the unit',
  '✔ all of it leaves the baker', '✔ it finds its neighbours again', '✔ caught at the next signed readings', '✔ he takes the rule away', 'What the chain says at the end', '✔ together 5.0: what was there at the beginning, to the unit',
]

const folder = mkdtempSync(join(tmpdir(), 'meshbox-lab-town-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the live page', () => {
  const scene = new Scene()
  let live: LiveServer
  beforeAll(async () => {
    live = await LiveServer.start(scene, 7)
  })
  afterAll(() => live.stop())

  const ask = (path: string, options: { method?: string; host?: string } = {}): Promise<{ status: number; body: string; type: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, live.url), { method: options.method ?? 'GET', headers: options.host === undefined ? {} : { host: options.host } }, (response) => {
        let body = ''
        response.on('data', (part: Buffer) => (body += part.toString())).on('end', () => resolve({ status: response.statusCode ?? 0, body, type: response.headers['content-type'] ?? '' }))
      })
      sent.on('error', reject)
      sent.end()
    })

  it('is four files, only looked at, under its own name only', async () => {
    expect(await ask('/')).toMatchObject({ status: 200, type: 'text/html; charset=utf-8', body: expect.stringContaining('The town, live') as string })
    expect([(await ask('/live.css')).status, (await ask('/live.js')).status, (await ask('/layout.js')).status, (await ask('/../run.ts')).status]).toEqual([200, 200, 200, 404])
    expect([(await ask('/', { method: 'POST' })).status, (await ask('/', { host: 'elsewhere.example' })).status]).toEqual([405, 421])
  })

  it('tells who opens it all that was, and then what comes', async () => {
    note('before it was opened')
    scene.box('box1', { name: 'Café', state: 'on' })
    const said = await new Promise<string>((resolve, reject) => {
      const sent = request(new URL('/events', live.url), (response) => {
        let text = ''
        response.on('data', (part: Buffer) => {
          text += part.toString()
          if (text.includes('event: flow')) sent.destroy()
          else if (text.includes('event: scene')) scene.flow({ kind: 'money', by: ['g1', 'box1'], label: '+1' })
        })
        response.on('close', () => resolve(text))
      })
      sent.on('error', (error) => (sent.destroyed ? undefined : reject(error)))
      sent.end()
    })
    expect(said).toMatch(/event: hello\ndata: \{"seed":7.*before it was opened/)
    expect(said).toMatch(/event: scene\ndata: .*"name":"Café"/)
    expect(said).toContain('event: flow\ndata: {"kind":"money","by":["g1","box1"],"label":"+1"}')
  })
})

describe('the control socket', () => {
  const path = join(folder, 'lab.sock')
  let isTelling = true
  let control: Control
  const command = (mayInterrupt: boolean, run: Command['run']): Command => ({ usage: 'x', help: 'y', mayInterrupt, run })
  beforeAll(async () => {
    const commands = new Map([['status', command(true, async () => 'all is well')], ['kill', command(false, async ([id]) => (id === 'box2' ? 'box2 is off' : Promise.reject(new Error(`'${id}' is no box`))))]])
    control = await Control.start(path, commands, () => isTelling)
  })
  afterAll(() => control.stop())

  const say = (line: string): Promise<{ ok: boolean; text: string }> =>
    new Promise((resolve, reject) => {
      let text = ''
      createConnection(path).on('error', reject).on('data', (part) => (text += part.toString())).on('end', () => resolve(JSON.parse(text) as { ok: boolean; text: string })).write(`${line}\n`)
    })

  it('answers, refuses what would break the story, and names what is not there', async () => {
    expect(await say('status')).toEqual({ ok: true, text: 'all is well' })
    expect(await say('kill box2')).toMatchObject({ ok: false, text: expect.stringContaining('would break the story') as string })
    isTelling = false
    expect(await say('kill box2')).toEqual({ ok: true, text: 'box2 is off' })
    expect(await say('kill box9')).toEqual({ ok: false, text: "kill: 'box9' is no box" })
    expect(await say('burn')).toMatchObject({ ok: false, text: expect.stringMatching(/no command 'burn'; allowed:/) as string })
    expect(await say('')).toMatchObject({ ok: true, text: expect.stringContaining('make lab') as string })
  })
})

it('makes a picture small and leaves its plain colours as they are', () => {
  // Two pixels, red and blue, truecolour, no filter.
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGP4zwAE/wEHAAH/4iOeWQAAAABJRU5ErkJggg==', 'base64')
  const small = withPalette(png, 16)
  expect(small.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a')
  expect(small.readUInt32BE(16)).toBe(2)
  expect(small[25]).toBe(3) // a palette
  const palette = small.subarray(small.indexOf('PLTE') + 4)
  expect(new Set([palette.toString('hex', 0, 3), palette.toString('hex', 3, 6)])).toEqual(new Set(['ff0000', '0000ff']))
  expect(() => withPalette(Buffer.from('GIF89a'), 16)).toThrow('no PNG')
})

describe.skipIf(!isRoot())('make run, as root', () => {
  const program = (name: string, ...words: readonly string[]): Promise<RunResult> => runProgram(NODE, [join(ROOT, 'scripts', name), ...words], { timeoutMs: PATIENCE_MS })
  const lab = (...words: readonly string[]): Promise<string> => program('lab/command.ts', ...words).then(({ code, stdout, stderr }) => (code === 0 ? stdout : Promise.reject(new Error(`make lab ARGS="${words.join(' ')}": ${stderr}`))))
  const namespaces = async (): Promise<string> => (await runProgram('ip', ['netns', 'list'])).stdout

  it('tells its whole story, lets hands in, compares the books at its end, and leaves nothing behind', async () => {
    await buildNative('host', undefined, { only: ['nfnetlink', 'secp256k1'] })
    // Without a town: what needs one says so.
    expect(await program('guide/pictures.ts')).toMatchObject({ code: 1, stderr: expect.stringContaining('no town is running, so town.png and sensors.png cannot be taken') as string })
    expect(await program('lab/command.ts', 'status')).toMatchObject({ code: 1, stderr: expect.stringContaining('no town is running') as string })

    // A process group of its own, as a terminal gives it to what it starts.
    const run = spawn(NODE, [join(ROOT, 'scripts/lab/run.ts'), '--quick', '--seed', String(SEED)], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const output of [run.stdout, run.stderr]) output.on('data', (part: Buffer) => (said += part.toString()))
    const ended = new Promise<number | null>((resolve) => run.once('exit', resolve))
    const isSaid = (words: string, from = 0): Promise<true> =>
      waitFor(`the town to say '${words}'`, () => {
        if (run.exitCode !== null) throw new Error(`the town ended with ${run.exitCode}:\n${said}`)
        return said.includes(words, from)
      }, PATIENCE_MS)
    try {
      await isSaid("her page says")
      expect(await program('lab/command.ts', 'kill', 'box1')).toMatchObject({ code: 1, stderr: expect.stringContaining("'kill' would break the story that is being told") as string })
      await isSaid('The town stays up and lives on. Ctrl-C ends it')
      await isSaid("the box's own command line")
      expectStory(said)
      const [, prefix = 'none'] = /namespaces (\S+)-\{/.exec(said) ?? []
      expect(await namespaces()).toContain(`${prefix}-box7`)

      expect(await lab('add-guest')).toMatch(/ \(guest 3\) has come, got 10\.77\.0\.\d+, bought '\w+' and is on line/)
      expect((await program('lab/guest.ts', '3', 'curl', '-s', 'http://shop.example/')).stdout).toContain('Welcome to the Internet')
      expect(await lab('cut-wan')).toContain('the cable is out')
      expect((await program('lab/guest.ts', '3', 'curl', '-s', '-m', '2', 'http://shop.example/')).stdout).not.toContain('Welcome to the Internet')
      expect(await lab('kill', 'box2')).toContain('box2 has no power')
      expect(await lab('status')).toMatch(/links: .*box1–internet: cut/)
      expect(await lab('heal')).toContain('the cable is in; box2 is on')

      const before = said.length
      process.kill(-(run.pid ?? 0), 'SIGINT')
      expect(await ended, said).toBe(0)
      const last = said.slice(before)
      for (const words of BOOKS) expect(last, said).toContain(words)
      expect(await namespaces()).not.toContain(prefix)
      expect((await runProgram('ip', ['-br', 'link'])).stdout).not.toContain(`mbo${prefix.slice(-6)}`)
      expect((await program('lab/command.ts', 'status')).code).toBe(1)
    } finally {
      run.kill('SIGTERM')
      await ended
    }
  }, 2 * PATIENCE_MS)
})

function expectStory(said: string): void {
  let from = 0
  for (const words of [...STORY, ...BOOKS, '✔ the four greatest of its 7 boxes took at most', 'The town stays up and lives on']) {
    const at = said.indexOf(words, from)
    if (at < 0) throw new Error(`the town did not say '${words}' where it should:\n${said}`)
    from = at
  }
}
