/** What `make run` is made of: the live page, the control socket, the street of roofs with its story. The whole of it is run by `make run ARGS=--once`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNative } from '../../scripts/native.ts'
import { withPalette } from '../../scripts/guide/palette-png.ts'
import { Control, type Command } from '../../scripts/lab/control.ts'
import { LiveServer } from '../../scripts/lab/live/server.ts'
import { onSaid, note } from '../../scripts/lab/say.ts'
import { Scene } from '../../scripts/lab/scene.ts'
import { Street } from '../../scripts/lab/street.ts'
import { tellOfStreet } from '../../scripts/lab/street-story.ts'
import { isRoot } from '../support/netns.ts'

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

describe.skipIf(!isRoot())('a street of roofs (needs root)', () => {
  it('carries and pays, outlives a power cut, catches a cheat, and its books agree', async () => {
    await buildNative('host', undefined, { only: ['nfnetlink', 'secp256k1'] })
    const claims: string[] = []
    onSaid(({ kind, text }) => {
      if (kind === 'claim') claims.push(text)
    })
    const street = await Street.create(join(folder, 'street'), `mbl${process.pid.toString(36)}`)
    try {
      await tellOfStreet(street)
      expect(claims.filter((claim) => claim.startsWith('both books and the channel')).length).toBe(3)
      expect(claims.some((claim) => claim.startsWith('caught at the next signed readings'))).toBe(true)
    } finally {
      await street.destroy()
    }
  }, 400_000)
})
