/**
 * A guest that knocks: told `knock <ms between> <ms in all>`, it sends numbered datagrams to the Internet's
 * echo port and says when the first and the last of those were sent that came back. Told
 * `post <url> <form body>`, it sends that form and knocks until the first datagram comes back.
 */
import { createSocket } from 'node:dgram'
import { request } from 'node:http'
import { say, task, told } from './lines.ts'

/** CLOCK_MONOTONIC, ms; null when nothing came back. */
export interface Knocked {
  readonly startedAtMs: number
  readonly firstMs: number | null
  readonly lastMs: number | null
  readonly sent: number
  readonly answered: number
  /** Only for `post`: when the answer to the form was complete, and its status. */
  readonly postedAtMs: number | null
  readonly status: number | null
}

const ECHO_PORT = 7
/** After the last datagram, for those still on their way. */
const PATIENCE_MS = 60

const { address } = task<{ address: string }>()
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
const socket = createSocket('udp4')
await new Promise<void>((resolve) => socket.connect(ECHO_PORT, address, resolve))
socket.on('error', () => undefined) // "administratively prohibited": that is what unpaid means

let round = 0
let sentAt: number[] = []
let answered: number[] = []
socket.on('message', (message) => {
  if (message.readUInt32BE(0) === round) answered.push(message.readUInt32BE(4))
})

function send(): void {
  const datagram = Buffer.alloc(22)
  datagram.writeUInt32BE(round, 0)
  datagram.writeUInt32BE(sentAt.length, 4)
  sentAt.push(monotonicMs())
  socket.send(datagram, () => undefined) // a refusal comes back as an error; the missing echo says the same
}

/** Sends at an even pace until `isOver`; below a timer's millisecond it keeps a core busy for it. */
async function knock(everyMs: number, isOver: () => boolean): Promise<void> {
  const rest = (): Promise<void> => new Promise((resolve) => (everyMs >= 1 ? setTimeout(resolve, everyMs) : setImmediate(resolve)))
  let due = monotonicMs()
  while (!isOver()) {
    if (monotonicMs() >= due) {
      send()
      due = Math.max(due + everyMs, monotonicMs())
    }
    await rest()
  }
}

async function post(url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body), origin: new URL(url).origin }
    const sent = request(url, { method: 'POST', headers, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

say({ ready: true })
for await (const line of told()) {
  const [what, first = '', second = ''] = line.split(' ')
  round++
  sentAt = []
  answered = []
  const startedAtMs = monotonicMs()
  let [postedAtMs, status]: [number | null, number | null] = [null, null]
  if (what === 'knock') {
    const endMs = startedAtMs + Number(second)
    await knock(Number(first), () => monotonicMs() >= endMs)
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))
  } else {
    const posted = what === 'post' ? post(first, second).then((code) => { [postedAtMs, status] = [monotonicMs(), code] }) : Promise.resolve()
    const giveUpMs = startedAtMs + 10_000
    await Promise.all([posted, knock(0.5, () => answered.length > 0 || monotonicMs() >= giveUpMs)])
  }
  const times = answered.map((index) => sentAt[index] ?? Number.NaN)
  const knocked: Knocked = {
    startedAtMs,
    firstMs: times.length > 0 ? Math.min(...times) : null,
    lastMs: times.length > 0 ? Math.max(...times) : null,
    sent: sentAt.length,
    answered: times.length,
    postedAtMs,
    status,
  }
  say(knocked)
}
socket.close()
