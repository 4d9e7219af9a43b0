import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openOwnerPassword } from '../../../src/identity/index.ts'
import { silentLog, toHex } from '../../../src/base/index.ts'
import { openMetricsToken, openPhotonToken } from '../../../src/owner/index.ts'
import { writeTar } from '../../../src/owner/tar.ts'
import { seededRandom } from '../../support/fakes.ts'
import { Browser } from './http.ts'
import { CONFIG_TEXT, PASSWORD, buildHouse } from './house.ts'
import type { House } from './house.ts'
import { CODE } from './scripted-desk.ts'

let house: House
let folder: string
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-bundle-'))
  house = await buildHouse({ configText: `${CONFIG_TEXT}\n# wifi password 'hunter22' is on the wall\n` })
})
afterEach(async () => {
  await house.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Unpacks with the system's own tar. */
function unpack(bundle: Uint8Array): Record<string, string> {
  const path = join(folder, 'bundle.tar.gz')
  writeFileSync(path, bundle)
  execFileSync('tar', ['-xzf', path, '-C', folder])
  const inside = join(folder, 'meshbox-support')
  return Object.fromEntries(readdirSync(inside).map((name) => [name, readFileSync(join(inside, name), 'utf8')]))
}

describe('support bundle', () => {
  it('holds state, configuration, log and the shape of the books', async () => {
    house.ports.log.warn('gate put back', { repairs: 3 })
    const files = unpack(await house.owner.supportBundle())
    expect(Object.keys(files).sort()).toEqual(['README.txt', 'books.json', 'config.txt', 'log.txt', 'status.json'])
    expect(JSON.parse(files['status.json'] ?? '')).toMatchObject({ address: house.ports.identity.address, version: '1.2.3', gate: { state: 'ready' }, facts: { memory: { rssBytes: 60_000_000 } } })
    expect(files['log.txt']).toContain('warn meshbox: gate put back repairs=3')
    expect(files['config.txt']).toContain("option price_per_minute '0.1'")
    const books = JSON.parse(files['books.json'] ?? '') as { table: string; rows: number; form: string }[]
    expect(books.length).toBeGreaterThan(0)
    for (const table of books) expect(table.form).toMatch(/create table/i)
  })

  it('holds no secret, whatever found its way into the log, the state and the configuration', async () => {
    const { ports, owner, desk } = house
    const server = house.server()
    const browser = new Browser(server)
    await browser.login(PASSWORD)
    const password = await openOwnerPassword({ dataDir: house.dir, randomness: seededRandom(3), log: silentLog })
    await password.set(PASSWORD)
    const words = (await ports.identity.revealRecoveryWords()).join(' ')
    const voucherWords = ports.voucherKeys.revealVoucherWords().join(' ')
    const keyFiles = readdirSync(house.dir)
      .filter((name) => !name.startsWith('books') && statSync(join(house.dir, name)).isFile())
      .map((name) => readFileSync(join(house.dir, name), 'utf8'))
    const hexes = keyFiles.flatMap((text) => text.match(/[0-9a-fA-F]{32,}/g) ?? []).filter((hex) => !ports.identity.address.includes(hex)) // the address is public
    const hashes = keyFiles.flatMap((text) => text.match(/[A-Za-z0-9+/_-]{22,}/g) ?? []).filter((text) => !ports.identity.address.includes(text))
    expect(hexes.length + hashes.length).toBeGreaterThan(0)
    const mac = '02:00:00:00:00:01'
    const ticket = 'U7K3QHM9XWTABCDEFGHJKMNPQRSTVWXYZ01234'
    const secrets = [PASSWORD, words, voucherWords, CODE, CODE.replace('-', ''), CODE.toLowerCase(), ticket, mac, mac.toUpperCase(), browser.cookie ?? '', browser.csrf ?? '', owner.access.firstRun.setupCode, toHex(seededRandom(5).bytes(32)), ...hexes, ...hashes]
    for (const secret of secrets) {
      ports.log.info(`something happened with ${secret}`)
      ports.log.warn('and in a field', { about: secret, detail: { inner: secret } })
    }
    ports.log.info(`password=${PASSWORD}`)
    desk.hotspot = { ...desk.hotspot, alarms: secrets.map((detail) => ({ kind: 'degraded', detail, mac, wallMs: 0 })), gate: { state: 'degraded', reason: `${mac} ${CODE}`, repairs: 0, devices: 0 } }
    const all = Object.values(unpack(await owner.supportBundle())).join('\n')
    const plainPassword = new Set([PASSWORD]) // free text that looks like any other: only hidden where it is named
    for (const secret of secrets.filter((one) => !plainPassword.has(one))) expect([secret, all.includes(secret)]).toEqual([secret, false])
    expect(all).not.toContain(`password=${PASSWORD}`)
    expect(all).not.toContain('hunter22')
    expect(all).toMatch(/mac-[0-9a-f]{6}/)
  })

  it('holds none of the keys and tokens of payment channels, as hex, in capitals or as base64', async () => {
    const { ports, owner, desk } = house
    const derived = (['photon-account', 'photon-v1-account', 'photon-peer', 'photon-backup', 'chain-miner', 'chain-node'] as const).map((purpose) => house.identity.deriveSecret(purpose))
    const tokens = [openPhotonToken(house.dir, seededRandom(8)), openMetricsToken(house.dir, seededRandom(9))]
    const signature = seededRandom(10).bytes(65)
    const ofPage = `http://wifi.example:2080/wallet#${toHex(seededRandom(11).bytes(16))}`
    const forms = (bytes: Uint8Array): string[] => [toHex(bytes), `0x${toHex(bytes)}`, toHex(bytes).toUpperCase(), Buffer.from(bytes).toString('base64'), Buffer.from(bytes).toString('base64url')]
    const secrets = [...derived.flatMap(forms), ...tokens, ...forms(signature), ofPage.split('#')[1] ?? '']
    for (const secret of secrets) {
      ports.log.info(`a channel said ${secret} and went on`)
      ports.log.error('photon', { preimage: secret, inner: { secretHash: secret } })
    }
    ports.log.info(`the page was ${ofPage}`)
    ports.log.info(`Authorization: Bearer ${tokens[0] ?? ''}`)
    desk.hotspot = { ...desk.hotspot, alarms: secrets.map((detail) => ({ kind: 'degraded', detail, mac: '02:00:00:00:00:01', wallMs: 0 })) }
    const files = unpack(await owner.supportBundle())
    const all = Object.values(files).join('\n')
    for (const secret of secrets) expect([secret, all.includes(secret.replace(/^0x/, ''))]).toEqual([secret, false])
    expect(Object.keys(files)).not.toContain('photon-token')
  })

  it('never reads a row of the books', async () => {
    await house.store.turn((tx) => {
      tx.run('create table planted (secret text) strict')
      tx.run("insert into planted values ('PLANTED-ROW-CONTENT')")
    })
    const files = unpack(await house.owner.supportBundle())
    expect(JSON.parse(files['books.json'] ?? '')).toContainEqual({ table: 'planted', rows: 1, form: 'CREATE TABLE planted (secret text) strict' })
    expect(Object.values(files).join('\n')).not.toContain('PLANTED-ROW')
  })
})

describe('tar', () => {
  it('is unpacked by tar as it was packed', () => {
    const files = [
      { name: 'a/empty', body: new Uint8Array() },
      { name: 'a/block', body: new Uint8Array(512).fill(65) },
      { name: 'a/more', body: new Uint8Array(1025).fill(66) },
    ]
    const path = join(folder, 'x.tar')
    writeFileSync(path, writeTar(files, 1_700_000_000))
    execFileSync('tar', ['-xf', path, '-C', folder])
    for (const file of files) expect(new Uint8Array(readFileSync(join(folder, file.name)))).toEqual(file.body)
    expect(statSync(join(folder, 'a/more')).mtimeMs).toBe(1_700_000_000_000)
  })
  it.each(['', 'x'.repeat(101), 'a b', 'ä'])('refuses the name %j', (name) => {
    expect(() => writeTar([{ name, body: new Uint8Array() }], 0)).toThrow('name')
  })
})
