/** What the bundle consists of, and how its programs start on a Node that is too old and with native parts that are damaged. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle } from '../../../scripts/bundle.ts'
import { bannedIn } from '../../../scripts/bundle/programs.ts'
import { V8_FLAGS } from '../../../scripts/bundle/start-scripts.ts'
import { nodeProblem } from '../../../src/main/node-version.ts'
import { waitFor } from '../../support/town-services.ts'
import { runService, temporaryFolder, type BundledBox } from './bundled-box.ts'

const PARTS = ['better_sqlite3', 'secp256k1']
let top: string
let made: string
const said: string[] = []
beforeAll(async () => {
  top = temporaryFolder()
  made = join(top, 'bundle')
  await bundle({ out: made, say: (line) => said.push(line) })
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

/** A copy whose native parts may be damaged. */
function copy(name: string): string {
  const folder = join(top, name)
  cpSync(made, folder, { recursive: true })
  return folder
}

describe('the bundle', () => {
  it('holds the programs, the pages and the native parts, with the modes they keep on a box', () => {
    const modes = Object.fromEntries(globSync('**/*', { cwd: made }).map((file) => [file, (statSync(join(made, file)).mode & 0o777).toString(8)]))
    expect(modes).toMatchObject({
      meshboxd: '755',
      meshbox: '755',
      'meshboxd.cjs': '644',
      'meshbox-cli.cjs': '644',
      'service.cjs': '644',
      parts: '755',
      'cli.cjs': '644',
      'cli-chain.cjs': '644',
      'cli-tools.cjs': '644',
      'cli-errors.cjs': '644',
      'licences.txt': '644',
      native: '755',
      'native/better_sqlite3.node': '644',
      'native/secp256k1.node': '644',
      web: '755',
      'web/index.html': '644',
      'web/guest.js': '644',
      'web/dashboard.js': '644',
      'web/dashboard-shared.js': '644',
      'web/dashboard-seldom.js': '644',
    })
    for (const [file, mode] of Object.entries(modes)) expect(['644', '755'], file).toContain(mode)
    // A file of its own for each room that a role brings.
    for (const room of ['chain', 'photon', 'mesh', 'iot']) expect(Object.keys(modes).filter((file) => new RegExp(`^parts/${room}-[A-Z0-9]{8}\\.cjs$`).test(file)), room).toHaveLength(1)
  })

  it('is the same when it is made again', async () => {
    const again = join(top, 'again')
    await bundle({ out: again, say: () => undefined })
    const files = globSync('**/*', { cwd: made }).filter((file) => statSync(join(made, file)).isFile())
    expect(globSync('**/*', { cwd: again }).filter((file) => statSync(join(again, file)).isFile()).sort()).toEqual(files.sort())
    for (const file of files) expect(readFileSync(join(again, file)).equals(readFileSync(join(made, file))), file).toBe(true)
  })

  it('replaces an older bundle and nothing else, and leaves nothing half made when it fails', async () => {
    const folder = join(top, 'kept')
    mkdirSync(folder)
    writeFileSync(join(folder, 'of-before'), '')
    await expect(bundle({ target: 'mips', out: folder, say: () => undefined })).rejects.toThrow(/unknown target 'mips'; known: host, arm64-musl/)
    await expect(bundle({ out: folder, say: () => undefined })).rejects.toThrow(/is no bundle/)
    await expect(bundle({ out: join(folder, 'of-before'), say: () => undefined })).rejects.toThrow(/is no bundle/)
    expect(readdirSync(folder)).toEqual(['of-before'])
    writeFileSync(join(folder, 'meshboxd.cjs'), '')
    await bundle({ out: folder, say: () => undefined })
    expect(existsSync(join(folder, 'of-before'))).toBe(false)
    expect(readdirSync(top).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('names the licence of everything it carries', () => {
    const text = readFileSync(join(made, 'licences.txt'), 'utf8')
    for (const part of [/^fastify 5\./m, /^@noble\/curves 2\./m, /^preact /m, /^better-sqlite3 13\./m, /^SQLite$/m, /^libsecp256k1 0\.5\.0/m, /^node-addon-api 8\./m, /^qr /m]) expect(text).toMatch(part)
    expect(text).toContain('Copyright (c) 2013 Pieter Wuille')
    expect(text).not.toMatch(/^(ajv|pino|esbuild|vitest) /m)
  })

  it('refuses WebAssembly and fetch, and what only looks like them not', () => {
    for (const text of ['new WebAssembly.Module(x)', 'await fetch("http://x")', 'x=>fetch(x)', 'globalThis.fetch(x)']) expect(bannedIn(text), text).not.toBeNull()
    for (const text of ['this.fetch(x)', 'prefetch(x)', 'request("x")', '#fetch(x)']) expect(bannedIn(text), text).toBeNull()
  })

  it('gives Node its flags in the start scripts, and Node takes them', () => {
    for (const program of ['meshboxd', 'meshbox']) {
      const script = readFileSync(join(made, program), 'utf8')
      expect(script).toContain(V8_FLAGS.join(' '))
      execFileSync('sh', ['-n', join(made, program)])
    }
    expect(execFileSync(process.execPath, [...V8_FLAGS, '-p', '"taken"'], { encoding: 'utf8' })).toBe('taken\n')
  })
})

describe('the service', () => {
  it('runs on the native code, says so, and stops with 0', async () => {
    const ended = await runService(made, {}, async (box) => expect(await box.status()).toMatchObject({ signatures: 'native' }))
    expect(ended).toMatchObject({ code: 0, signal: null })
  })

  it.each(['SIGHUP', 'SIGTERM'] as const)('is not ended halfway by a %s while it starts', async (earlySignal) => {
    const ended = await runService(made, { earlySignal })
    expect(ended).toMatchObject({ code: 0, signal: null })
    expect(ended.output).toMatch(/ready sinceStartMs=[\s\S]*stopped/)
  })

  it('runs in JavaScript, and says so once, where the addon is missing', async () => {
    const folder = copy('without-addon')
    rmSync(join(folder, 'native/secp256k1.node'))
    await expectNoble(folder, /the native secp256k1 addon is not installed/g)
  })

  it.each([0, 20, 4096, 0.5, 0.99])('runs in JavaScript where the addon is cut short to %s', async (left) => {
    const folder = copy(`cut-addon-${left}`)
    cut(join(folder, 'native/secp256k1.node'), left)
    await expectNoble(folder, /secp256k1\.node cannot be used: it is (cut short|no ELF file)/g)
  })

  it.each([0, 20, 4096, 0.5, 0.99])('says what is wrong and ends with 1 where SQLite is cut short to %s', async (left) => {
    const folder = copy(`cut-sqlite-${left}`)
    cut(join(folder, 'native/better_sqlite3.node'), left)
    const ended = await runService(folder)
    expect(ended).toMatchObject({ code: 1, signal: null })
    expect(ended.output).toMatch(/meshboxd: could not start: the SQLite addon .*better_sqlite3\.node cannot be loaded: it is (cut short|no ELF file); install the package again/)
  })

  it('says what is wrong and ends with 1 where SQLite is missing or another machine\'s', async () => {
    const folder = copy('other-sqlite')
    const file = join(folder, 'native/better_sqlite3.node')
    const bytes = readFileSync(file)
    bytes[18] = 0xf3 // e_machine: RISC-V
    writeFileSync(file, bytes)
    expect(await runService(folder)).toMatchObject({ code: 1, signal: null, output: expect.stringContaining('cannot be loaded') as string })
    rmSync(file)
    expect(await runService(folder)).toMatchObject({ code: 1, signal: null, output: expect.stringContaining('ENOENT') as string })
  })

  async function expectNoble(folder: string, words: RegExp): Promise<void> {
    const ended = await runService(folder, {}, async (box: BundledBox) => expect(await box.status()).toMatchObject({ signatures: 'noble' }))
    expect(ended).toMatchObject({ code: 0, signal: null })
    expect(ended.output.match(words)).toHaveLength(1)
    expect(ended.output).toContain('signatures are computed in JavaScript')
  }

  function cut(file: string, left: number): void {
    truncateSync(file, left < 1 ? Math.floor(statSync(file).size * left) : left)
  }
})

describe('an old Node', () => {
  it('is told what to install, before anything native is loaded', async () => {
    const preload = join(top, 'older.cjs')
    writeFileSync(preload, "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2', napi: '9' } })")
    const folder = copy('old-node')
    // Were it loaded, this would be what is complained about.
    for (const part of PARTS) truncateSync(join(folder, `native/${part}.node`), 0)
    const ended = await runService(folder, { nodeArguments: ['--require', preload] })
    expect(ended).toEqual({ code: 1, signal: null, output: `${nodeProblem('meshboxd', { node: '20.20.2', napi: '9' })}\n` })
  })

  it('that is really one reads the launcher and says the same', async () => {
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find((file) => existsSync(file) && nodeProblem('', versionsOf(file)) !== null)
    if (old === undefined) return console.warn('NOT RUN: there is no Node older than 22.14 in /usr/bin or /usr/local/bin to try the launcher with')
    const ended = await runService(made, { node: old })
    expect(ended).toEqual({ code: 1, signal: null, output: `${nodeProblem('meshboxd', versionsOf(old))}\n` })
  })

  it('that is not there at all is said, too', async () => {
    const ended = await runService(made, { node: join(top, 'no-node') })
    expect(ended).toMatchObject({ code: 127, signal: null, output: expect.stringMatching(/no program '.*no-node'; install Node 22\.14/) as string })
  })
})

describe('the compile cache', () => {
  const bytesIn = (folder: string): number =>
    Math.max(0, ...globSync('**/*', { cwd: folder }).map((file) => statSync(join(folder, file))).filter((found) => found.isFile()).map((found) => found.size))

  it('is written while the service runs: a router ends by losing its power', async () => {
    const folder = join(top, 'early-cache')
    const preload = join(top, 'quick-minute.cjs')
    writeFileSync(preload, 'const later = setTimeout; globalThis.setTimeout = (run, ms, ...rest) => later(run, ms === 60_000 ? 50 : ms, ...rest)')
    let found = 0
    const ended = await runService(made, { env: { NODE_COMPILE_CACHE: folder }, nodeArguments: ['--require', preload] }, async () => {
      found = await waitFor('the compile cache', () => (existsSync(folder) && bytesIn(folder) > 100_000 ? bytesIn(folder) : undefined))
    })
    expect(found).toBeGreaterThan(100_000)
    expect(ended).toMatchObject({ code: 0, signal: null })
  })

  it('lies in the folder the environment names, and only there', async () => {
    const folder = join(top, 'cache')
    const before = readdirSync(made)
    expect(await runService(made, { env: { NODE_COMPILE_CACHE: folder } })).toMatchObject({ code: 0 })
    expect(bytesIn(folder)).toBeGreaterThan(100_000)
    for (const env of [{ NODE_COMPILE_CACHE: '' }, {}]) expect(await runService(made, { env: env as Record<string, string> })).toMatchObject({ code: 0 })
    expect(readdirSync(made)).toEqual(before)
  })
})

function versionsOf(node: string): { node: string; napi: string } {
  return JSON.parse(execFileSync(node, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' })) as { node: string; napi: string }
}
