import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemTimers } from '../../../src/base/io/system.ts'
import { BoxCodecs, codecMigrations, createCodecProcess } from '../../../src/iot/codecs/index.ts'
import { openStore } from '../../../src/store/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshbox-codecs-'))
const store = openStore({ path: join(folder, 'box.db'), migrations: codecMigrations, log: silentLog })
const restarts: string[] = []
const entryFile = fileURLToPath(new URL('../../../src/iot/codecs/io/codec-child.ts', import.meta.url))
const codecs = new BoxCodecs(store, createCodecProcess({ entryFile, asUser: null, timers: systemTimers, limitMs: 100, onRestart: (why) => restarts.push(why) }))
afterAll(async () => {
  await codecs.close()
  await store.close()
  rmSync(folder, { recursive: true })
})

const INPUT = { bytes: Uint8Array.of(1, 200), fPort: 5, wallMs: 1_700_000_000_000 }
let named = 0

/** The codec as `decodeUplink`'s body; what it decodes to. */
async function decoded(body: string, before = ''): ReturnType<BoxCodecs['decode']> {
  const name = `codec-${named++ % 40}`
  await codecs.put(name, `${before}\nfunction decodeUplink(input) { ${body} }`)
  return codecs.decode(name, INPUT)
}

describe('the time of a codec', () => {
  it('is what it used itself: one that was kept from the processor is made again', async () => {
    const child = spawn(process.execPath, ['--no-warnings', entryFile], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
    expect(await next()).toEqual({ job: 0, made: '' })
    // Some 20 ms of a quiet machine; stopped for longer than the limit while it runs, as a busy one would do it.
    const source = 'function decodeUplink() { let n = 0; for (let i = 0; i < 1e7; i++) n = (n * 31 + i) % 1009; return { data: { n } } }'
    for (let job = 1; job <= 3; job++) {
      child.stdin.write(`${JSON.stringify({ job, source, call: 'decodeUplink', input: '{"bytes":[],"fPort":1,"wallMs":0}', limitMs: 500 })}\n`)
      await pause(5)
      child.kill('SIGSTOP')
      await pause(600)
      child.kill('SIGCONT')
      expect(await next()).toMatchObject({ job, made: expect.stringContaining('"n"') })
    }
  })
})

describe('the owner\'s JavaScript', () => {
  it('decodes as ChirpStack and The Things Stack call it', async () => {
    expect(await decoded('return { data: { t: (input.bytes[0] << 8 | input.bytes[1]) / 10, port: input.fPort, at: input.recvTime.toISOString(), air: { "relative humidity": 40, ok: true }, list: [1, 2] } }')).toEqual({
      values: [
        { name: 't', value: 45.6, unit: null },
        { name: 'port', value: 5, unit: null },
        { name: 'at', value: '2023-11-14T22:13:20.000Z', unit: null },
        { name: 'air_relative_humidity', value: 40, unit: null },
        { name: 'air_ok', value: true, unit: null },
        { name: 'list_0', value: 1, unit: null },
        { name: 'list_1', value: 2, unit: null },
      ],
      problem: null,
    })
    const view = await decoded('const v = new DataView(new ArrayBuffer(4)); input.bytes.concat([0, 0]).forEach((b, i) => v.setUint8(i, b)); console.log(v); return { data: { v: v.getInt16(0) } }')
    expect(view.values).toEqual([{ name: 'v', value: 456, unit: null }])
  })

  it('encodes, and what it returns is checked', async () => {
    await codecs.put('valve', 'const encodeDownlink = ({ data }) => ({ bytes: [data.open ? 1 : 0, data.minutes], fPort: 7 })')
    expect(await codecs.encode('valve', { open: true, minutes: 10 })).toEqual({ bytes: Uint8Array.of(1, 10), fPort: 7 })
    await expect(codecs.encode('valve', { open: true, minutes: 300 })).rejects.toMatchObject({ kind: 'input', field: 'bytes' })
    await codecs.put('no-port', 'function encodeDownlink(input) { return input.data === 0 ? { errors: ["no zero"] } : { bytes: [], fPort: input.data } }')
    await expect(codecs.encode('no-port', 0)).rejects.toMatchObject({ kind: 'input', value: 'no zero' })
    await expect(codecs.encode('no-port', 224)).rejects.toMatchObject({ kind: 'input', field: 'fPort' })
    await expect(codecs.encode('nobody', 1)).rejects.toMatchObject({ kind: 'input', field: 'codec' })
  })

  it('is refused when it cannot be: the parser\'s words, import, length, name', async () => {
    await expect(codecs.put('a', 'function decodeUplink( {')).rejects.toMatchObject({ kind: 'input', field: 'source' })
    await expect(codecs.put('a', 'import("node:fs")')).rejects.toMatchObject({ kind: 'input', field: 'source' })
    await expect(codecs.put('a', `// ${'x'.repeat(65_536)}`)).rejects.toMatchObject({ kind: 'limit' })
    await expect(codecs.put('../a', '1')).rejects.toMatchObject({ kind: 'input', field: 'codec' })
    await expect(codecs.put('cayenne-lpp', '1')).rejects.toMatchObject({ kind: 'input', field: 'codec' })
    await expect(codecs.put('a', '\\u0069mport("node:fs")')).rejects.toMatchObject({ kind: 'input', field: 'source' })
  })

  it.each([
    ['throws', 'throw new TypeError("broken sensor")', /TypeError: broken sensor/],
    ['throws what is no error', 'throw { get name() { throw 1 } }', /./],
    ['reports errors', 'return { errors: ["too short"] }', /^too short$/],
    ['calls itself without end', 'const f = () => f() + 1; return { data: { a: f() } }', /call stack/],
    ['returns nothing', '', /no data/],
    ['returns a cycle', 'const a = {}; a.a = a; return { data: a }', /circular/i],
    ['returns too much', 'return { data: { a: "x".repeat(40000) } }', /allowed/],
    ['has no function', 'return 1 } decodeUplink = 1; function other() {', /no such function/],
  ])('that %s leaves the reading with a reason', async (_, body, problem) => {
    const { values, problem: said } = await decoded(body)
    expect(values).toBe(null)
    expect(said).toMatch(problem)
  })

  it.each([
    ['a loop', 'for (;;);'],
    ['a loop of promises', 'const again = () => Promise.resolve().then(again); again(); return { data: {} }'],
    ['a regular expression', 'return { data: { a: /^(a+)+$/.test("a".repeat(60) + "b") } }'],
    ['a loop in what it throws', 'throw { get name() { for (;;); } }'],
    ['a loop in toJSON', 'return { toJSON() { for (;;); } }'],
  ])('with %s is ended, the loop of the service goes on, and the next call works', async (_, body) => {
    let turns = 0
    const ticking = setInterval(() => turns++, 5)
    const bad = await decoded(body)
    clearInterval(ticking)
    // Promises that wait for each other fill the memory, which may be the first to end.
    expect(bad).toEqual({ values: null, problem: expect.stringMatching(body.includes('Promise') ? /took more than 100 ms|more memory than it may/ : /took more than 100 ms/) })
    expect(turns).toBeGreaterThan(1)
    expect((await decoded('return { data: { fine: 1 } }')).values).toEqual([{ name: 'fine', value: 1, unit: null }])
  })

  it.each([
    ['an array', 'return { data: { a: new Array(1e8).fill(0).length } }'],
    ['a text', 'let s = "x".repeat(2 ** 28); return { data: { a: s.split("").length } }'],
    ['typed arrays', 'const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1))'],
    ['properties', 'const o = {}; for (let i = 0; ; i++) o["k" + i] = i'],
    ['a BigInt', 'return { data: { a: String((1n << (2n ** 29n)).toString(16).length) } }'],
  ])('that fills the memory with %s ends its own process and nothing else', async (_, body) => {
    expect((await decoded(body)).values).toBe(null)
    expect((await decoded('return { data: { fine: 1 } }')).values).toEqual([{ name: 'fine', value: 1, unit: null }])
  })

  /** Each tries to get at Node, and returns what it got. */
  it.each([
    ['this', 'return { data: { a: typeof this.constructor.constructor("return process")() } }'],
    ['the function of a function', 'return { data: { a: typeof decodeUplink.constructor("return this")() } }'],
    ['the input', 'return { data: { a: input.constructor.constructor("return process")().pid } }'],
    ['the time', 'return { data: { a: input.recvTime.constructor.constructor("return process")().pid } }'],
    ['eval', 'return { data: { a: eval("process.pid") } }'],
    ['an async function', 'return { data: { a: (async () => 1).constructor("return process")() } }'],
    ['require', 'return { data: { a: require("fs").readFileSync("/etc/passwd", "utf8") } }'],
    ['process', 'return { data: { a: process.pid } }'],
    ['the console', 'return { data: { a: console.log.constructor("return process")().pid } }'],
    ['the stack\'s functions', 'Error.prepareStackTrace = (_, sites) => sites.map((site) => [site.getThis(), site.getFunction()]).flat().filter((one) => one && one.process).length; const n = new Error().stack; if (n === 0) throw new Error("nothing"); return { data: { a: n } }'],
    ['the stack\'s constructor', 'Error.prepareStackTrace = (_, sites) => sites; const sites = new Error().stack; return { data: { a: sites.constructor.constructor("return process")().pid } }'],
    ['the deepest call\'s error', 'const f = () => { try { f() } catch (e) { throw e } }; try { f() } catch (e) { return { data: { a: e.constructor.constructor("return process")().pid } } }'],
    ['who called', 'return { data: { a: decodeUplink.caller.caller.constructor("return process")().pid } }'],
    ['fetch', 'return { data: { a: String(fetch("http://127.0.0.1:1/")) } }'],
    ['a timer', 'return { data: { a: setTimeout(() => 1, 1).constructor.name } }'],
    ['the globals', 'return { data: { a: Object.getOwnPropertyNames(globalThis).filter((name) => ["process", "require", "module", "Buffer", "fetch", "setTimeout", "queueMicrotask", "structuredClone", "SharedArrayBuffer", "WebAssembly", "Atomics", "FinalizationRegistry"].includes(name)).length || undefined } }'],
  ])('gets nothing of Node by way of %s', async (_, body) => {
    const { values } = await decoded(body)
    expect(values ?? []).toEqual([])
  })

  it('leaves nothing behind that runs when its call is over: the next one is another\'s', async () => {
    const before = restarts.length
    for (let round = 0; round < 5; round++) {
      const left = await decoded('for (let i = 0; i < 3000; i++) registry.register({ i }, i); let junk = []; for (let i = 0; i < 30; i++) junk = new Array(20000).fill(i); return { data: { junk: junk.length } }', 'const registry = typeof FinalizationRegistry === "undefined" ? { register() {} } : new FinalizationRegistry(() => { for (;;); })')
      expect(left.values).toEqual([{ name: 'junk', value: 20_000, unit: null }])
      expect(await decoded('return { data: { fine: 1 } }')).toEqual({ values: [{ name: 'fine', value: 1, unit: null }], problem: null })
    }
    expect(restarts.slice(before)).toEqual([])
  })

  it.each([
    ['a prototype', 'return JSON.parse(\'{"data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"fine":1}}\')', ['proto___polluted', 'constructor_prototype_polluted', 'fine']],
    ['the way things are written', 'Object.prototype.toJSON = () => ({ made: { data: { fine: 1 } }, isLast: true, job: 0 }); return { data: { other: 1 } }', undefined],
    ['the prototypes of its realm', 'Object.prototype.polluted = Array.prototype.polluted = 1; Object.prototype.isLast = true; JSON.stringify = () => "x"; return { data: { fine: 1 } }', ['fine']],
  ])('reaches only itself with %s', async (_, body, names) => {
    expect((await decoded(body)).values?.map(({ name }) => name)).toEqual(names)
    expect(({} as { polluted?: number }).polluted).toBe(undefined)
    expect((await decoded('return { data: { a: ({}).polluted === undefined ? 1 : 2 } }')).values).toEqual([{ name: 'a', value: 1, unit: null }])
  })

  const NESTED = 'let deep = []; for (let i = 0; i < 12000; i++) deep = [deep];'
  it.each([
    ['errors that are no text', 'return { errors: [{ toString: 1, valueOf: 1 }] }'],
    ['an error nested without end', `${NESTED} return { errors: [deep] }`],
    ['bytes that are no numbers', 'return { bytes: { toString: 1, toJSON: 2 } }'],
    ['bytes nested without end', `${NESTED} return { bytes: deep }`],
    ['a port that is none', 'return { bytes: [1], fPort: { toString: 1 } }'],
    ['a buffer beyond its memory', 'return { data: { a: new ArrayBuffer(2 ** 33).byteLength } }'],
    ['a buffer that grows', 'const b = new ArrayBuffer(8, { maxByteLength: 2 ** 32 }); for (let n = 2 ** 20; ; n *= 2) { b.resize(n); new Uint8Array(b).fill(1) }'],
  ])('that answers with %s is refused in words, up and down', async (_, body) => {
    expect(await decoded(body)).toEqual({ values: null, problem: expect.stringMatching(/./) })
    await codecs.put('down', `function encodeDownlink(input) { ${body} }`)
    await expect(codecs.encode('down', { a: 1 })).rejects.toMatchObject({ name: 'MeshBoxError', kind: expect.stringMatching(/^(input|unavailable)$/) })
    expect((await decoded('return { data: { fine: 1 } }')).values).toEqual([{ name: 'fine', value: 1, unit: null }])
  })

  it('that runs code where its error is looked at is ended all the same', async () => {
    await expect(codecs.put('proxy', 'throw new Proxy({}, { getPrototypeOf() { for (;;); } })')).rejects.toMatchObject({ kind: 'unavailable', message: 'the codec took more than 100 ms' })
    expect((await decoded('return { data: { fine: 1 } }')).values).toEqual([{ name: 'fine', value: 1, unit: null }])
  })

  it('works bundled into one file, and as another user, as on the box', async () => {
    const outfile = join(folder, 'bundle', 'codec.cjs')
    await build({ entryPoints: [entryFile], bundle: true, platform: 'node', target: 'node22', format: 'cjs', minify: true, outfile, logLevel: 'silent' })
    const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null
    const bundled = createCodecProcess({ entryFile: outfile, asUser, timers: systemTimers, limitMs: 100 })
    // Nobody may read here: that it cannot be started shows that it is nobody.
    if (asUser !== null) await expect(bundled.run('1', 'check', '{}')).rejects.toMatchObject({ message: expect.stringMatching(/cannot be started/) })
    chmodSync(folder, 0o711)
    expect(await bundled.run('function decodeUplink(input) { return { data: input.bytes[0] } }', 'decodeUplink', '{"bytes":[7]}')).toBe('{"made":{"data":7}}')
    await bundled.close()
  })

  it('that cannot be started says so, for each call', async () => {
    const missing = createCodecProcess({ entryFile: join(folder, 'none.cjs'), asUser: null, timers: systemTimers })
    await expect(missing.run('1', 'check', '{}')).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringMatching(/cannot be started/) })
    await missing.close()
    await expect(missing.run('1', 'check', '{}')).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('shows one call nothing of another', async () => {
    await codecs.put('keeps', 'var seen = 0; function decodeUplink() { Array.prototype.seen = 1; return { data: { seen: seen++, proto: [].seen ?? 0 } } }')
    await codecs.decode('keeps', INPUT)
    await codecs.put('looks', 'function decodeUplink() { return { data: { has: typeof seen, proto: String([].seen) } } }')
    expect((await codecs.decode('keeps', INPUT)).values?.[0]?.value).toBe(0)
    expect((await codecs.decode('looks', INPUT)).values).toEqual([{ name: 'has', value: 'undefined', unit: null }, { name: 'proto', value: 'undefined', unit: null }])
  })

  it('is kept, listed and forgotten', async () => {
    await codecs.put('kept', 'function decodeUplink() { return { data: {} } }')
    expect(codecs.names()).toEqual(expect.arrayContaining(['cayenne-lpp', 'kept']))
    expect(await codecs.remove('kept')).toBe(true)
    expect(await codecs.remove('kept')).toBe(false)
    expect((await codecs.decode('kept', INPUT)).problem).toMatch(/kept is not allowed/)
  })

  it('that uses up its time or memory three times in a row rests, and others do not', async () => {
    await codecs.put('bomb', 'function decodeUplink(input) { return { data: { a: new Array(1e8).fill(input.fPort).length } } }')
    const before = restarts.length
    await codecs.put('slow', 'function decodeUplink() { for (;;); }')
    const slow: (string | null)[] = []
    for (let n = 0; n < 5; n++) slow.push((await codecs.decode('slow', INPUT)).problem)
    expect(slow.map((problem) => problem?.includes('more than 100 ms') === true)).toEqual([true, true, true, false, false])
    const problems: (string | null)[] = []
    for (let n = 0; n < 6; n++) problems.push((await codecs.decode('bomb', INPUT)).problem)
    expect(restarts.length - before).toBe(3)
    expect(problems.slice(3).every((problem) => problem?.includes('3 times in a row'))).toBe(true)
    expect((await codecs.decode('looks', INPUT)).problem).toBe(null)
  })

  it('waits in a bounded queue, in order', async () => {
    const all = await Promise.all(Array.from({ length: 80 }, () => codecs.decode('looks', INPUT)))
    expect(all.filter(({ problem }) => problem?.includes('wait already'))).toHaveLength(15)
    expect(all.slice(0, 65).every(({ values }) => values !== null)).toBe(true)
  })
})
