/** kill -9 in the middle of traffic, at either end: what was told as stored arrives, once. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { Hash } from '../../../src/base/index.ts'
import type { StoredPayment } from '../../../src/photon/node/tables/history.ts'
import { Box, accountSigner, channelOf, keyOf, noble, tempDir, until } from './box.ts'

interface Said {
  readonly port?: number
  readonly stored?: Hash
  readonly got?: Hash
  readonly done?: boolean
  readonly inFlight?: number
  readonly isReady?: boolean
}

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean()
})

class Child {
  readonly said: Said[] = []
  readonly #process: ChildProcess

  constructor(settings: { dir: string; key: number; partnerKey: number }) {
    this.#process = spawn(process.execPath, [fileURLToPath(new URL('./crash-child.ts', import.meta.url)), JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] })
    cleanUps.push(() => this.kill())
    if (this.#process.stdout !== null) createInterface({ input: this.#process.stdout }).on('line', (line) => this.said.push(JSON.parse(line) as Said))
  }
  tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`)
  }
  async port(): Promise<number> {
    await until(() => this.said.some((line) => line.port !== undefined))
    return this.said.find((line) => line.port !== undefined)?.port ?? 0
  }
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'close')
  }
}

test('killed four times, at both ends in turn: every payment told as stored is there once, and both ends agree', async () => {
  const dirs = [tempDir(cleanUps), tempDir(cleanUps)] as const
  const start = (end: 0 | 1): Child => new Child({ dir: dirs[end], key: end + 1, partnerKey: 2 - end })
  let [a, b] = [start(0), start(1)]
  const stored: Hash[] = []
  const got: Hash[] = []
  const collect = (child: Child): void => {
    for (const line of child.said) {
      if (line.stored !== undefined) stored.push(line.stored)
      if (line.got !== undefined) got.push(line.got)
    }
  }
  a.tell(`dial ${await b.port()}`)
  a.tell('pay 100000')
  for (let crash = 0; crash < 4; crash++) {
    const before = b.said.length
    await until(() => b.said.length > before + 12)
    if (crash % 2 === 0) {
      await b.kill()
      collect(b)
      b = start(1)
      a.tell(`dial ${await b.port()}`)
    } else {
      await a.kill()
      collect(a)
      a = start(0)
      await a.port()
      a.tell(`dial ${await b.port()}`)
      a.tell('pay 100000')
    }
  }
  const last = b.said.length
  await until(() => b.said.length > last + 12)
  await a.kill()
  await b.kill()
  collect(a)
  collect(b)

  // What is on the two disks, brought together once more.
  const [boxA, boxB] = [new Box({ key: 1, dir: dirs[0] }), new Box({ key: 2, dir: dirs[1] })]
  cleanUps.push(() => boxA.stop(), () => boxB.stop())
  boxA.node.start()
  boxB.node.start()
  const channel = channelOf(accountSigner(noble, keyOf(1)).account, accountSigner(noble, keyOf(2)).account)
  await boxA.tcp.dial(await boxB.tcp.listen(0))
  await until(() => boxA.node.isReady(channel) && boxB.node.isReady(channel) && boxA.node.inFlight(channel) === 0)
  const paid = boxA.node.channel(channel)?.own
  const received = boxB.node.channel(channel)?.partner
  const rows: StoredPayment[] = []
  for (let page = boxB.node.payments(null, 1000); page.length > 0; page = boxB.node.payments(rows.at(-1)?.id ?? 0, 1000)) rows.push(...page)
  const ids = rows.map((row) => row.key)
  expect(received?.transferred).toBe(paid?.transferred)
  expect(received?.nonce).toBe(paid?.nonce)
  expect(BigInt(ids.length)).toBe(received?.nonce)
  expect(new Set(ids).size).toBe(ids.length)
  expect(stored.filter((id) => !ids.includes(id))).toEqual([])
  expect(got.filter((id) => !ids.includes(id))).toEqual([])
  expect(new Set(got).size).toBe(got.length)
})
