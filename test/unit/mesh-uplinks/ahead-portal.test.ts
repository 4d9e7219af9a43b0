/** The portal of a hotspot, asked for real on this machine: where it is, how much of it is read, how long it is waited for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../../../src/base/io/system.ts'
import { createAheadPortal } from '../../../src/mesh/uplinks/index.ts'
import type { AheadPortal } from '../../../src/mesh/uplinks/index.ts'
import { FakeTime } from '../../support/fakes.ts'

const PRICE = { payee: `0x${'11'.repeat(20)}`, token: `0x${'22'.repeat(20)}`, unitsPerMinute: '7' }
const TERMS = { ...PRICE, minSeconds: 60, maxSeconds: 3600, leftSeconds: 12, formToken: 'seal-1' }
const REFERENCE = `0x${'ab'.repeat(32)}` as const
const links = (gateway: string | null) => ({ places: () => [{ interfaceName: 'wan', addresses: [{ family: 4 as const, address: '127.0.0.1' }], routes: [{ family: 4 as const, interfaceName: 'wan', gateway }] }] })

let server: Server
let answer: (request: IncomingMessage, body: string, response: ServerResponse) => void
let port = 0
let portal: AheadPortal
const asked: string[] = []
beforeEach(async () => {
  asked.length = 0
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => { body += piece.toString() })
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`)
      answer(request, body, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  portal = createAheadPortal({ links: links('127.0.0.1'), timers: systemTimers, usualPorts: [port] })
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
const json = (response: ServerResponse, value: unknown, status = 200): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

describe('terms', () => {
  it('are read', async () => {
    answer = (_request, _body, response) => json(response, TERMS)
    expect(await portal.terms('wan')).toEqual({ ...PRICE, unitsPerMinute: 7n, minSeconds: 60, maxSeconds: 3600, leftSeconds: 12 })
  })

  it('are none behind a router that is no hotspot of ours', async () => {
    for (const reply of [(response: ServerResponse) => response.writeHead(404).end('<h1>Router</h1>'), (response: ServerResponse) => json(response, { error: 'not-found', message: 'no' }, 404), (response: ServerResponse) => response.writeHead(302, { location: 'http://evil.example/ahead.json' }).end()]) {
      answer = (_request, _body, response) => void reply(response)
      expect(await portal.terms('wan')).toBeNull()
    }
    await expect(createAheadPortal({ links: links(null), timers: systemTimers }).terms('wan')).rejects.toMatchObject({ message: 'wan has no IPv4 gateway' })
  })

  it('are looked for where the gate leads who has not paid, on the same host alone', async () => {
    const web = createServer((_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/ahead.json` }).end())
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    answer = (_request, _body, response) => json(response, TERMS)
    const led = createAheadPortal({ links: links('127.0.0.1'), timers: systemTimers, usualPorts: [(web.address() as AddressInfo).port] })
    expect(await led.terms('wan')).toMatchObject({ leftSeconds: 12 })
    await new Promise((resolve) => web.close(resolve))
    // It knows by now where the portal is.
    expect(await led.terms('wan')).toMatchObject({ leftSeconds: 12 })
  })

  it.each<[string, unknown]>([
    ['a price of nothing', { ...TERMS, unitsPerMinute: '0' }],
    ['a price below nothing', { ...TERMS, unitsPerMinute: '-7' }],
    ['a price that is a number', { ...TERMS, unitsPerMinute: 7 }],
    ['a price of a million digits', { ...TERMS, unitsPerMinute: '9'.repeat(39) }],
    ['a payee that is none', { ...TERMS, payee: '0x12' }],
    ['less than no time', { ...TERMS, leftSeconds: -1 }],
    ['blocks that end before they begin', { ...TERMS, minSeconds: 600, maxSeconds: 60 }],
    ['half seconds', { ...TERMS, minSeconds: 0.5 }],
    ['no form token', { ...TERMS, formToken: '' }],
    ['a port of boxes that is none', { ...TERMS, boxesPort: 65_536 }],
    ['a port of boxes that is a text', { ...TERMS, boxesPort: '2081' }],
    ['boxes at port 0', { ...TERMS, boxesPort: 0 }],
    ['a list', []],
    ['nothing', null],
  ])('with %s are refused', async (_what, terms) => {
    answer = (_request, _body, response) => json(response, terms)
    await expect(portal.terms('wan')).rejects.toMatchObject({ kind: 'input' })
  })

  it('tell where the hotspot talks with boxes, if it does', async () => {
    const told: string[] = []
    const asking = createAheadPortal({ links: links('127.0.0.1'), timers: systemTimers, usualPorts: [port], onBoxesPort: (gateway, at) => told.push(`${gateway} ${at}`) })
    for (const boxesPort of [undefined, null, 2081]) {
      answer = (_request, _body, response) => json(response, { ...TERMS, boxesPort })
      await asking.terms('wan')
    }
    expect(told).toEqual(['127.0.0.1 2081'])
  })

  it('are not waited for, and not read, without end', async () => {
    answer = (_request, _body, response) => void response.writeHead(200).write('x'.repeat(5000))
    await expect(portal.terms('wan')).rejects.toMatchObject({ message: expect.stringContaining('longer than 4096') })
    const time = new FakeTime()
    const slow = createAheadPortal({ links: links('127.0.0.1'), timers: time, usualPorts: [port] })
    answer = (_request, _body, response) => void response.writeHead(200).write('{')
    const waiting = slow.terms('wan')
    const ended = expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('too slowly') })
    await expect.poll(() => asked.length).toBe(2)
    time.advance(5000)
    await ended
  })
})

describe('an order', () => {
  it('carries the reference and what the page’s forms carry, which is asked for anew after a restart of the hotspot', async () => {
    let seal = 'seal-1'
    answer = (request, body, response) => {
      if (request.method === 'GET') return json(response, { ...TERMS, formToken: seal })
      if (new URLSearchParams(body).get('token') !== seal) return json(response, { error: 'page-old', message: 'old' }, 403)
      return json(response, { state: 'paid', leftSeconds: 600 })
    }
    expect(await portal.order('wan', REFERENCE)).toEqual({ state: 'paid', leftSeconds: 600 })
    seal = 'seal-2'
    expect(await portal.order('wan', REFERENCE)).toEqual({ state: 'paid', leftSeconds: 600 })
    expect(asked.filter((line) => line.startsWith('POST'))).toEqual(['seal-1', 'seal-1', 'seal-2'].map((token) => `POST /ahead reference=${REFERENCE}&token=${token}`))
  })

  it('is answered by what it costs, by the time that is left, or by why not', async () => {
    let reply: readonly [unknown, number] = [{ state: 'ordered', ...PRICE }, 200]
    answer = (request, _body, response) => (request.method === 'GET' ? json(response, TERMS) : json(response, ...reply))
    expect(await portal.order('wan', REFERENCE)).toEqual({ state: 'ordered', ...PRICE, unitsPerMinute: 7n })
    reply = [{ error: 'ahead-other-device', message: 'of another' }, 409]
    expect(await portal.order('wan', REFERENCE)).toEqual({ state: 'elsewhere' })
    reply = [{ error: 'no-room', message: 'all\u001b[2J places\nare taken' }, 429]
    await expect(portal.order('wan', REFERENCE)).rejects.toMatchObject({ kind: 'unavailable', message: 'the hotspot: all?[2J places?are taken' })
    for (const wrong of [{ state: 'free' }, { state: 'paid', leftSeconds: 'many' }, { state: 'ordered' }, 7]) {
      reply = [wrong, 200]
      await expect(portal.order('wan', REFERENCE)).rejects.toMatchObject({ kind: 'input' })
    }
  })
})
