import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ControlServer } from '../../../src/owner/index.ts'
import { silentLog } from '../../../src/base/index.ts'
import { ControlClient } from '../../../src/cli/control-client.ts'
import { Browser } from './http.ts'
import { PASSWORD, PlainPassword, buildHouse } from './house.ts'
import type { House } from './house.ts'

let house: House
let path: string
beforeEach(async () => {
  house = await buildHouse()
  path = join(house.dir, 'control.sock')
})
afterEach(() => house.close())

describe('the socket', () => {
  it('can be opened by its own user only, and is gone after stop', async () => {
    const umask = process.umask()
    const control = house.control()
    await control.start()
    expect(statSync(path).isSocket()).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(process.umask()).toBe(umask)
    await control.stop()
    expect(existsSync(path)).toBe(false)
  })

  it('takes the place of one that a killed service left behind', async () => {
    const left = spawn(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(left.stdout, 'data')
    left.kill('SIGKILL')
    await once(left, 'exit')
    expect(existsSync(path)).toBe(true)
    await house.control().start()
    expect(await new ControlClient(path).call('status', {})).toMatchObject({ name: 'Café Alegría' })
  })

  it('leaves a running service alone', async () => {
    await house.control().start()
    await expect(house.control().start()).rejects.toMatchObject({ code: 'already-running', field: 'control_socket' })
    expect(await new ControlClient(path).call('status', {})).toMatchObject({ name: 'Café Alegría' })
  })

  it('leaves another program on that path alone, even one that never answers', async () => {
    const other = createServer(() => undefined)
    other.listen(path)
    await once(other, 'listening')
    await expect(house.control().start()).rejects.toMatchObject({ code: 'already-running' })
    expect(other.listening).toBe(true)
    other.close()
  })

  it('does not remove a file that is no socket', async () => {
    writeFileSync(path, 'precious')
    await expect(house.control().start()).rejects.toMatchObject({ kind: 'conflict', code: 'control-socket' })
    expect(readFileSync(path, 'utf8')).toBe('precious')
  })

  it.each(['relative.sock', `/${'x'.repeat(107)}`, '/a\0b'])('refuses the path %j', (socketPath) => {
    expect(() => new ControlServer({ owner: house.owner, socketPath, log: silentLog })).toThrow('control_socket')
  })

  it('says why it cannot listen', async () => {
    const control = new ControlServer({ owner: house.owner, socketPath: join(house.dir, 'nothing/here.sock'), log: silentLog })
    await expect(control.start()).rejects.toMatchObject({ kind: 'unavailable', code: 'control-socket' })
  })
})

describe('what only the box itself may ask', () => {
  it('is not on the dashboard\'s door', async () => {
    const browser = new Browser(house.server())
    await browser.login(PASSWORD)
    for (const route of ['consoleStatus', 'backup', 'identityWords', 'voucherKeyWords', 'voucherKeyAdopt', 'setPassword', 'sendCoins'] as const) {
      const answer = await browser.ask(route, { body: { password: 'another password', path: join(house.dir, 'x'), words: [] } })
      expect([route, answer.status]).toEqual([route, 404])
    }
  })

  it('sets a forgotten password anew and ends all logins', async () => {
    const browser = new Browser(house.server())
    await browser.login(PASSWORD)
    await house.control().start()
    expect(await new ControlClient(path).call('setPassword', { body: { password: 'another password' } })).toEqual({ passwordSet: true })
    expect((await browser.ask('status')).status).toBe(401)
    expect((await browser.login('another password')).status).toBe(200)
  })

  it('shows the set-up code while nobody owns the box', async () => {
    const fresh = await buildHouse({ password: new PlainPassword() })
    try {
      const control = fresh.control()
      await control.start()
      const client = new ControlClient(join(fresh.dir, 'control.sock'))
      expect((await client.call('consoleStatus', {})).setupCode).toBe(fresh.owner.access.firstRun.setupCode)
      await client.call('setPassword', { body: { password: 'another password' } })
      expect(await client.call('consoleStatus', {})).not.toHaveProperty('setupCode')
    } finally {
      await fresh.close()
    }
  })

  it('writes a backup, and never over a file', async () => {
    await house.control().start()
    const client = new ControlClient(path)
    const target = join(house.dir, 'copy.sqlite3')
    const { bytes } = await client.call('backup', { body: { path: target } })
    expect(statSync(target).size).toBe(bytes)
    await expect(client.call('backup', { body: { path: target } })).rejects.toMatchObject({ kind: 'conflict' })
    await expect(client.call('backup', { body: { path: 'relative' } })).rejects.toMatchObject({ field: 'path' })
  })

  it('carries voucher keys from one box to another', async () => {
    const other = await buildHouse()
    try {
      await Promise.all([house.control().start(), other.control().start()])
      const [here, there] = [new ControlClient(path), new ControlClient(join(other.dir, 'control.sock'))]
      const keyOf = async (client: ControlClient): Promise<string> => (await client.call('settings', {})).identity.voucherPublicKey
      expect(await keyOf(there)).not.toBe(await keyOf(here))
      const { words } = await here.call('voucherKeyWords', {})
      const adopted = await there.call('voucherKeyAdopt', { body: { words, replace: true } })
      expect(adopted.voucherPublicKey).toBe(await keyOf(here))
      expect(await keyOf(there)).toBe(await keyOf(here))
      await expect(there.call('voucherKeyAdopt', { body: { words: [...words.slice(1), 'zzzz'], replace: true } })).rejects.toMatchObject({ kind: 'input' })
    } finally {
      await other.close()
    }
  })

  it('gives metrics without a token', async () => {
    const control = house.control()
    expect((await control.app.inject('/metrics')).body).toContain('meshbox_uptime_seconds 0\n')
  })
})
