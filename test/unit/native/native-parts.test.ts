/** Native parts that are missing or unusable are done without; what is unusable is said. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { udpOpener } from '../../../src/main/native-parts.ts'
import { builtAddon } from './built-addon.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshbox-native-parts-'))
let addon: string
const said: string[] = []
const log = { ...silentLog, warn: (message: string): void => void said.push(message) }

beforeAll(async () => {
  addon = await builtAddon('host', 'udp')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('opens UDP sockets by the addon where it is installed', () => {
  const open = udpOpener(addon, log)
  const socket = open?.({ address: '127.0.0.1', port: 0, receiveBytes: 4096, closeMs: 0, gatherMs: 0 }, () => undefined)
  expect(socket?.port).toBeGreaterThan(0)
  socket?.close()
  expect(said).toEqual([])
})
it('leaves them to node:dgram where it is not, and says so where it is damaged', () => {
  expect(udpOpener(join(folder, 'udp.node'), log)).toBeNull()
  expect(said).toEqual([])
  writeFileSync(join(folder, 'udp.node'), readFileSync(addon).subarray(0, 10_000))
  expect(udpOpener(join(folder, 'udp.node'), log)).toBeNull()
  expect(said).toEqual([expect.stringMatching(/udp\.node cannot be used: .*; datagrams come through node:dgram$/)])
})
