/** The index of a feed, and its signature as another program sees it: signify of OpenBSD, from which usign has its format. */
import { spawnSync, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLuci, describeService } from '../../../scripts/package/describe.ts'
import { indexFeed } from '../../../scripts/package/feed.ts'
import { buildIpk, ipkName } from '../../../scripts/package/ipk.ts'
import { keyName, newSigningKey, publicKeyText, readSecretKey, secretKeyText } from '../../../scripts/package/usign.ts'
import { REPOSITORY } from './router-root.ts'
import { EPOCH, sampleBuild } from './sample.ts'

let folder = ''
const files = new Map<string, Buffer>()
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-feed-'))
  for (const { about, contents } of [describeService(sampleBuild(join(folder, 'dist'), 'aarch64_generic')), describeLuci()]) files.set(ipkName(about), buildIpk(about, contents, EPOCH))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** True when signify takes the signature. */
function signifySays(message: string | Buffer, signature: string, publicKey: string): boolean {
  const place = mkdtempSync(join(folder, 'sig-'))
  writeFileSync(join(place, 'Packages'), message)
  writeFileSync(join(place, 'Packages.sig'), signature)
  writeFileSync(join(place, 'key.pub'), publicKey)
  const done = spawnSync('signify-openbsd', ['-V', '-p', 'key.pub', '-m', 'Packages', '-x', 'Packages.sig'], { cwd: place, encoding: 'utf8' })
  if (done.error !== undefined) throw new Error(`signify-openbsd: ${done.error.message}; apt-get install signify-openbsd`)
  return done.status === 0
}

describe('the index', () => {
  const key = newSigningKey()

  it('has an entry for each package, with what it must be, before the description', () => {
    const { packages } = indexFeed(files, key)
    const entries = packages.trimEnd().split('\n\n')
    expect(entries.map((entry) => /^Package: (.*)$/m.exec(entry)?.[1])).toEqual(['luci-app-meshbox', 'meshbox'])
    for (const entry of entries) {
      const name = /^Filename: (.*)$/m.exec(entry)?.[1] ?? ''
      const bytes = files.get(name) ?? Buffer.alloc(0)
      expect(entry).toContain(`Size: ${bytes.length}\nSHA256sum: ${createHash('sha256').update(bytes).digest('hex')}\nDescription: `)
    }
    expect(packages.endsWith('\n\n')).toBe(true)
  })

  it('is the same compressed, and the same made again', () => {
    const first = indexFeed(files, key)
    expect(gunzipSync(first.compressed).toString()).toBe(first.packages)
    const again = indexFeed(new Map([...files].reverse()), key)
    expect([again.packages, again.compressed.toString('hex'), again.signature]).toEqual([first.packages, first.compressed.toString('hex'), first.signature])
  })
})

describe('the signature', () => {
  const key = newSigningKey()

  it('is good for signify, and nothing else is', () => {
    const { packages, signature } = indexFeed(files, key)
    expect(signifySays(packages, signature, publicKeyText(key))).toBe(true)
    const tampered = Buffer.from(packages)
    tampered[100] = (tampered[100] ?? 0) ^ 1
    expect(signifySays(tampered, signature, publicKeyText(key))).toBe(false)
    expect(signifySays(`${packages}\n`, signature, publicKeyText(key))).toBe(false)
    expect(signifySays(packages, signature, publicKeyText(newSigningKey()))).toBe(false)
    expect(signifySays(packages, indexFeed(files, newSigningKey()).signature, publicKeyText(key))).toBe(false)
  })

  it('can be made by signify with our secret key, and is the same', () => {
    const { packages, signature } = indexFeed(files, key)
    writeFileSync(join(folder, 'ours.sec'), secretKeyText(key))
    writeFileSync(join(folder, 'message'), packages)
    execFileSync('signify-openbsd', ['-S', '-s', join(folder, 'ours.sec'), '-m', join(folder, 'message'), '-x', join(folder, 'message.sig')])
    expect(readFileSync(join(folder, 'message.sig'), 'utf8').split('\n')[1]).toBe(signature.split('\n')[1])
  })

  it('can be made by us with a secret key of signify', () => {
    execFileSync('signify-openbsd', ['-G', '-n', '-p', join(folder, 'theirs.pub'), '-s', join(folder, 'theirs.sec')])
    const theirs = readSecretKey(readFileSync(join(folder, 'theirs.sec'), 'utf8'), 'theirs.sec')
    const { packages, signature } = indexFeed(files, theirs)
    expect(signifySays(packages, signature, readFileSync(join(folder, 'theirs.pub'), 'utf8'))).toBe(true)
  })
})

describe('a secret key', () => {
  it('is read as it was written', () => {
    const key = newSigningKey()
    expect(readSecretKey(secretKeyText(key), 'x')).toEqual(key)
  })

  it('is refused when it is none, was changed, or is locked', () => {
    const lines = secretKeyText(newSigningKey()).split('\n')
    const bytes = Buffer.from(lines[1] ?? '', 'base64')
    const changed = (at: number): string => {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ 1
      return `${lines[0]}\n${copy.toString('base64')}\n`
    }
    expect(() => readSecretKey('text', 'my.key')).toThrow(/^my\.key: not a secret key/)
    expect(() => readSecretKey(publicKeyText(newSigningKey()), 'k')).toThrow(/not a secret key/)
    expect(() => readSecretKey(changed(60), 'k')).toThrow(/checksum/)
    expect(() => readSecretKey(changed(7), 'k')).toThrow(/locked with a password/)
  })
})

describe('scripts/feed.ts', () => {
  const feed = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    spawnSync(process.execPath, [join(REPOSITORY, 'scripts/feed.ts'), ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', ...env } })

  it('indexes each folder with the key it is given, and lays the public key beside', () => {
    const packages = join(folder, 'packages')
    mkdirSync(join(packages, 'aarch64_generic'), { recursive: true })
    for (const [name, bytes] of files) writeFileSync(join(packages, 'aarch64_generic', name), bytes)
    const key = newSigningKey()
    writeFileSync(join(folder, 'feed.sec'), secretKeyText(key), { mode: 0o600 })
    const done = feed(['--packages', packages, '--key', join(folder, 'feed.sec')])
    expect(done.stderr).toBe('')
    expect(done.status).toBe(0)
    expect(readdirSync(join(packages, 'keys')).sort()).toEqual([keyName(key), 'meshbox.pub'].sort())
    expect(readFileSync(join(packages, 'keys/meshbox.pub'), 'utf8')).toBe(publicKeyText(key))
    const read = (name: string): string => readFileSync(join(packages, 'aarch64_generic', name), 'utf8')
    expect(signifySays(read('Packages'), read('Packages.sig'), readFileSync(join(packages, 'keys', keyName(key)), 'utf8'))).toBe(true)
    const once = read('Packages.sig')
    feed(['--packages', packages], { MESHBOX_FEED_KEY: secretKeyText(key) })
    expect(read('Packages.sig')).toBe(once)
  })

  it('says what is missing', () => {
    mkdirSync(join(folder, 'nothing'))
    expect(feed(['--packages', join(folder, 'nothing'), '--key', join(folder, 'none.sec')]).stderr).toMatch(/none\.sec does not exist/)
    writeFileSync(join(folder, 'k.sec'), secretKeyText(newSigningKey()))
    const done = feed(['--packages', join(folder, 'nothing'), '--key', join(folder, 'k.sec')])
    expect(done.status).toBe(1)
    expect(done.stderr).toMatch(/has no folder with packages; make ipk makes them/)
  })

  it('makes a developer’s key on demand, for its owner alone, outside of what is committed', () => {
    const copy = join(folder, 'copy')
    mkdirSync(join(copy, 'packages/x'), { recursive: true })
    for (const [name, bytes] of files) writeFileSync(join(copy, 'packages/x', name), bytes)
    execFileSync('sh', ['-c', `mkdir -p '${copy}/scripts' && cp -R '${REPOSITORY}/scripts/package' '${REPOSITORY}/scripts/feed.ts' '${copy}/scripts/' && ln -s '${REPOSITORY}/node_modules' '${copy}/node_modules'`])
    copyFileSync(join(REPOSITORY, 'package.json'), join(copy, 'package.json'))
    execFileSync(process.execPath, [join(copy, 'scripts/feed.ts'), '--packages', join(copy, 'packages')], { env: { PATH: process.env['PATH'] ?? '' } })
    const key = join(copy, 'build/feed-key/developer.sec')
    expect(existsSync(key)).toBe(true)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(statSync(join(copy, 'build/feed-key')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(REPOSITORY, '.gitignore'), 'utf8').split('\n')).toContain('build/')
  })
})
