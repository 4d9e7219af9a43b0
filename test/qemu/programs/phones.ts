/**
 * Runs in the guest, in the namespace of town.sh's phones: is all of them by turns. Says JSON lines.
 *   online  pays `rounds` times, each time measures until the first datagram comes back from the Internet
 *   fill    each phone pays once and stays
 *   spend   pays until the power goes; writes into `log` what it asks and what it was promised
 */
import { appendFileSync } from 'node:fs'
import { createSocket, type Socket } from 'node:dgram'
import { request, type RequestOptions } from 'node:http'
import type { SessionsJson, VoucherCreateReply } from '../../../src/owner/index.ts'
import { say, task } from '../../bench/workers/lines.ts'

export interface PhonesTask {
  readonly what: 'online' | 'fill' | 'spend'
  /** `http://<address>:<port>` of the guest page. */
  readonly portal: string
  /** The service's control socket: makes vouchers, ends sessions. */
  readonly control: string
  /** Their IPv4 addresses. */
  readonly phones: readonly string[]
  readonly packageId: string
  readonly rounds?: number
  /** Echoes datagrams on port 7. */
  readonly internet?: string
  readonly log?: string
}

/** One line of `online`. Milliseconds. */
export interface Paid {
  /** From sending the form to sending the first datagram that came back. */
  readonly onlineMs: number
  /** From sending the form to its answer. */
  readonly answeredMs: number
}

interface Answer {
  readonly status: number
  readonly body: string
}

const ECHO_PORT = 7
const KNOCK_MS = 2
const GIVE_UP_MS = 30_000
const now = (): number => Number(process.hrtime.bigint()) / 1e6
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function ask(options: RequestOptions, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, timeout: GIVE_UP_MS, ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${GIVE_UP_MS} ms`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

const { what, portal, control, phones, packageId, rounds = 0, internet = '', log = '' } = task<PhonesTask>()
const { hostname, port } = new URL(portal)

async function owner<T>(method: string, path: string, body?: unknown): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const answer = await ask({ socketPath: control, method, path, headers: text === undefined ? {} : { 'content-type': 'application/json' } }, text)
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
  return JSON.parse(answer.body) as T
}

async function buy(count: number): Promise<string[]> {
  const { batch, vouchers } = await owner<VoucherCreateReply>('POST', '/api/vouchers', { packageId, count })
  if (log !== '') appendFileSync(log, `batch ${batch} ${vouchers.length}\n`)
  return vouchers.map((voucher) => voucher.code)
}

/** A box that sees a device for the first time may ask it to wait a moment. */
async function formToken(phone: string): Promise<string> {
  const giveUpAt = now() + GIVE_UP_MS
  for (;;) {
    const page = await ask({ hostname, port, path: '/', localAddress: phone })
    const token = /name="token" value="([^"]*)"/.exec(page.body)?.[1]
    if (token !== undefined) return token
    if (now() > giveUpAt) throw new Error(`${phone} sees no form: ${page.status} ${page.body.slice(0, 300)}`)
    await pause(100)
  }
}

async function redeem(phone: string, token: string, code: string): Promise<number> {
  const form = new URLSearchParams({ token, code }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form), origin: portal }
  return (await ask({ hostname, port, path: '/redeem', method: 'POST', localAddress: phone, headers }, form)).status
}

async function endAll(): Promise<void> {
  const { sessions } = await owner<SessionsJson>('GET', '/api/sessions?state=open')
  for (const { id } of sessions) await owner('POST', `/api/sessions/${id}/kick`)
}

/** Datagrams from one phone at an even pace; remembers when each that came back was sent. */
class Knocker {
  readonly #socket: Socket
  readonly #sentAt = new Map<number, number>()
  #number = 0
  #firstMs: number | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message) => {
      const sentAt = this.#sentAt.get(message.readUInt32BE(0))
      if (sentAt !== undefined) this.#firstMs = Math.min(this.#firstMs ?? Infinity, sentAt)
    })
    socket.on('error', () => undefined) // "administratively prohibited": that is what unpaid means
  }

  /** When the first one was sent that came back. */
  async firstBack(): Promise<number> {
    this.#sentAt.clear()
    this.#firstMs = undefined
    const giveUpAt = now() + GIVE_UP_MS
    while (this.#firstMs === undefined) {
      if (now() > giveUpAt) throw new Error('paid, but nothing came back from the Internet')
      const datagram = Buffer.alloc(4)
      datagram.writeUInt32BE(++this.#number, 0)
      this.#sentAt.set(this.#number, now())
      this.#socket.send(datagram, ECHO_PORT, internet, () => undefined) // a refusal shows as a missing echo
      await pause(KNOCK_MS)
    }
    return this.#firstMs
  }
}

async function knockerOf(phone: string): Promise<Knocker> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, phone, resolve))
  return new Knocker(socket)
}

async function online(): Promise<void> {
  const knockers = await Promise.all(phones.map(knockerOf))
  const codes = await buy(rounds)
  for (const [round, code] of codes.entries()) {
    const phone = phones[round % phones.length] as string
    const token = await formToken(phone)
    const startedAt = now()
    let answeredAt = 0
    const posted = redeem(phone, token, code).then((status) => {
      answeredAt = now()
      if (status !== 303) throw new Error(`the voucher was answered with ${status}`)
    })
    const [firstMs] = await Promise.all([(knockers[round % phones.length] as Knocker).firstBack(), posted])
    say({ onlineMs: firstMs - startedAt, answeredMs: answeredAt - startedAt } satisfies Paid)
    await endAll()
  }
}

async function fill(): Promise<void> {
  for (const [index, code] of (await buy(phones.length)).entries()) {
    const phone = phones[index] as string
    const status = await redeem(phone, await formToken(phone), code)
    if (status !== 303) throw new Error(`${phone}: the voucher was answered with ${status}`)
  }
  say({ filled: phones.length })
}

async function spend(): Promise<void> {
  for (let round = 0; ; ) {
    for (const code of await buy(50)) {
      const phone = phones[round++ % phones.length] as string
      const token = await formToken(phone)
      appendFileSync(log, `asked ${code} ${phone}\n`)
      const status = await redeem(phone, token, code)
      appendFileSync(log, status === 303 ? `paid ${code} ${phone}\n` : `refused ${code} ${status}\n`)
    }
  }
}

await { online, fill, spend }[what]()
process.exit(0)
