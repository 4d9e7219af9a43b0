/**
 * Many batches over one socket, and many sockets that come and go: what memory and which files they leave behind. Prints one line of JSON with the resident
 * memory in KiB and the open files after each tenth. Usage: node --expose-gc many.ts <addon> <batches>
 */
import { readFileSync, readdirSync } from 'node:fs'
import { loadUdp } from '../../../../src/native/index.ts'
import type { UdpSocket } from '../../../../src/native/index.ts'

const [path = '', batches = '20000'] = process.argv.slice(2)
const STEPS = 10
const AT_ONCE = 8
const SOCKETS = 30
const openUdp = loadUdp(path)
if (openUdp === null) throw new Error('no addon')
let heard = 0
let arrived = (): void => undefined

const listener = (from: UdpSocket, count: number): void => {
  for (let slot = 0; slot < count; slot++) {
    heard += from.bytes(slot).length > 0 && from.from(slot).port > 0 ? 1 : 0
    from.mark(slot, Uint8Array.of(1))
  }
  from.answer()
  arrived()
}
const open = (): UdpSocket => openUdp({ address: '127.0.0.1', port: 0, receiveBytes: 1 << 20, closeMs: 0, gatherMs: 0 }, listener)
const socket = open()
/** What is answered to it is heard by nobody. */
const sender = openUdp({ address: '127.0.0.1', port: 0, receiveBytes: 1 << 20, closeMs: 0, gatherMs: 0 }, () => undefined)
const datagram = new Uint8Array(500).fill(1)

async function round(to: UdpSocket): Promise<void> {
  const goal = heard + AT_ONCE
  const all = new Promise<void>((resolve) => (arrived = () => heard >= goal && resolve()))
  for (let n = 0; n < AT_ONCE; n++) sender.send(datagram, { host: '127.0.0.1', port: to.port })
  await all
}

const residents: number[] = []
const files: number[] = []
for (let step = 0; step < STEPS; step++) {
  for (let n = 0; n < Number(batches) / STEPS; n++) await round(socket)
  for (let n = 0; n < SOCKETS; n++) {
    const brief = open()
    await round(brief)
    brief.close()
  }
  // What a collection frees is given back by another thread of V8's, some turns later.
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.()
    await new Promise((later) => setTimeout(later, 20))
  }
  residents.push(Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]))
  files.push(readdirSync('/proc/self/fd').length)
}
console.log(JSON.stringify({ heard, residents, files }))
socket.close()
sender.close()
