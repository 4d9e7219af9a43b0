/** Photon's REST on the owner's server: who gets in, and by what no browser is made to ask. */
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../../../src/base/io/system.ts'
import { openPhotonToken } from '../../../src/owner/index.ts'
import { ProgramAccess } from '../../../src/owner/program-access.ts'
import { createRest, deskApi, serveRest } from '../../../src/photon/rest/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { GUEST, MINUTE, hash } from '../../support/photon-views.ts'
import { PASSWORD, PlainPassword, buildHouse } from './house.ts'
import type { House } from './house.ts'
import { scriptedPrograms } from '../../support/photon-programs.ts'

const TOKEN = 'photon-token-of-the-test'
const basic = (password: string): string => `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`
interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

let house: House
let port: number
const programs = scriptedPrograms()
const { asked: stopped } = programs
async function open(): Promise<void> {
  const { desk } = house.photon
  const parts = { desk, programs, build: { version: '1.2.3', commit: '', built: '' }, revealTimeout: 30, randomness: seededRandom(1), timers: systemTimers }
  const rest = createRest(deskApi(parts), () => undefined)
  const server = house.server({ photonRest: { serve: (app, authorize) => serveRest(app, rest, authorize), token: TOKEN } })
  port = Number(new URL(await server.start()).port)
}
function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers: { host: `127.0.0.1:${port}`, ...headers } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, headers: answer.headers }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
const codeOf = ({ body }: Answer): string => (JSON.parse(body) as { error: string }).error

beforeEach(async () => {
  house = await buildHouse()
  stopped.length = 0
})
afterEach(() => house.close())

describe('the REST of Photon', () => {
  it("lets the owner's password and the token in, and answers as the original", async () => {
    await open()
    for (const authorization of [basic(PASSWORD), `Bearer ${TOKEN}`]) {
      const { status, body, headers } = await ask('/api/1/address', { authorization })
      expect([status, headers['www-authenticate']]).toEqual([200, undefined])
      expect(body).toMatch(/^\{"error_code":0,"error_message":"SUCCESS","data":"0x(a1){20}"\}$/i)
    }
    const paid = await ask(`/api/1/transfers/${MINUTE}/${GUEST}`, { authorization: `Bearer ${TOKEN}` }, 'POST', '{"amount":12345,"is_direct":true}')
    expect(paid.body).toContain('"amount":12345,')
    expect(house.photon.asked.at(-1)).toBe(`pay ${GUEST} ${MINUTE} 12345 true 0 0 null`)
  })

  it('takes paths as long as the original has', async () => {
    await open()
    const { status } = await ask(`/api/1/getunfinishedreceivedtransfer/${MINUTE}/${hash(1)}`, { authorization: `Bearer ${TOKEN}` })
    expect(status).toBe(200)
  })

  it('lets no cookie in: a GET of it can stop the node', async () => {
    await open()
    const { token } = await house.owner.access.login('127.0.0.1', { password: PASSWORD })
    const refused = await ask('/api/1/stop', { cookie: `meshbox_owner=${token}` })
    expect([refused.status, codeOf(refused), stopped]).toEqual([401, 'needs-password', []])
    expect((await ask('/api/1/stop', { authorization: `Bearer ${TOKEN}` })).status).toBe(200)
    expect(stopped).toEqual(['stop'])
  })

  it('never asks a browser to keep a login', async () => {
    await open()
    const refused = await ask('/api/1/address')
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer realm="photon"'])
  })

  it.each([
    ['another site', { origin: 'http://evil.example' }, 'cross-site'],
    ["another site's picture", { 'sec-fetch-site': 'cross-site' }, 'cross-site'],
    ['a link of another site', { referer: 'http://evil.example/page' }, 'cross-site'],
    ['a name that points at the box', { host: 'evil.example' }, 'wrong-host'],
  ])('refuses %s even with the password', async (_what, headers, code) => {
    await open()
    const refused = await ask('/api/1/stop', { authorization: basic(PASSWORD), ...headers })
    expect([refused.status, codeOf(refused), stopped]).toEqual([403, code, []])
  })

  it.each([
    ['nothing', ''], ['a scheme alone', 'Basic'], ['what is no base64', 'Basic !!!!'], ['no password', `Basic ${Buffer.from('no colon').toString('base64')}`], ['a short token', 'Bearer x'], ['a token with more', `Bearer ${TOKEN}x`],
    ['another scheme', 'Digest a'], ['very much', `Bearer ${'x'.repeat(2000)}`],
  ])('refuses %s', async (_what, authorization) => {
    await open()
    expect((await ask('/api/2/channels', { authorization })).status).toBe(401)
  })

  it('makes who guesses wait, and tells nothing', async () => {
    await open()
    for (let guess = 0; guess < 3; guess++) expect(codeOf(await ask('/api/1/address', { authorization: basic(`guess ${guess}`) }))).toBe('wrong-password')
    expect(codeOf(await ask('/api/1/address', { authorization: basic('guess 5') }))).toBe('too-many-tries')
    expect((await ask('/api/1/address', { authorization: `Bearer ${TOKEN}` })).status).toBe(200)
    // A program with an old password does not keep the owner out.
    expect((await house.owner.access.login('127.0.0.1', { password: PASSWORD })).state.state).toBe('in')
  })

  it('is not there unless it is wanted', async () => {
    const server = house.server()
    port = Number(new URL(await server.start()).port)
    expect((await ask('/api/1/address', { authorization: basic(PASSWORD) })).status).toBe(404)
  })

  it('is closed while nobody owns the box', async () => {
    await house.close()
    house = await buildHouse({ password: new PlainPassword() })
    await open()
    expect(codeOf(await ask('/api/1/address', { authorization: `Bearer ${TOKEN}` }))).toBe('not-set-up')
  })
})

describe('the password of a program', () => {
  it('is checked once in a while, by one check at a time, and anew after a change', async () => {
    let checks = 0
    class Counted extends PlainPassword {
      override async verify(password: string): Promise<boolean> {
        checks++
        return super.verify(password)
      }
    }
    await house.close()
    house = await buildHouse({ password: new Counted(PASSWORD) })
    const programs = new ProgramAccess({ access: house.owner.access, token: TOKEN, boottimeMs: () => house.time.boottimeMs(), randomness: seededRandom(2) })
    await Promise.all(Array.from({ length: 8 }, () => programs.require('10.0.0.1', basic(PASSWORD))))
    await programs.require('10.0.0.1', basic(PASSWORD))
    expect(checks).toBe(1)
    await house.owner.access.setPassword('another password')
    await expect(programs.require('10.0.0.1', basic(PASSWORD))).rejects.toMatchObject({ code: 'wrong-password' })
    expect(checks).toBe(2)
  })

  it('the token is made once, readable only for the service', () => {
    const dir = mkdtempSync(join(tmpdir(), 'meshbox-token-'))
    try {
      const token = openPhotonToken(dir, seededRandom(3))
      expect(openPhotonToken(dir, seededRandom(4))).toBe(token)
      expect([readFileSync(join(dir, 'photon-token'), 'utf8').trim(), statSync(join(dir, 'photon-token')).mode & 0o777]).toEqual([token, 0o600])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
