/** `lora`, `mqtt`, `tenant`, `rule` on a terminal, over the control socket, before the whole room and a real mosquitto. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { openPlace } from '../../support/iot-place.ts'
import type { Place } from '../../support/iot-place.ts'
import { TOKEN } from '../iot-tenants/tenant-box.ts'
import { makeAuthority, makeCertificate } from '../portal/certificate-maker.ts'
import { PASSWORD, buildHouse } from '../owner/house.ts'
import type { House } from '../owner/house.ts'
import { meshbox } from './console.ts'
import type { Given, Run } from './console.ts'
import { APP_KEY, IOT_LINES, IOT_MISTAKES, NWK_S_KEY } from './iot-lines.ts'

let house: House
let place: Place
const run = (line: string, given: Given = {}): Promise<Run> => meshbox(line, { cwd: house.dir, ...given, env: { MESHBOX_SOCKET: join(house.dir, 'control.sock') } })

beforeEach(async () => {
  house = await buildHouse({ iot: { get desk() { return place.room.desk }, tokens: () => [{ address: TOKEN, symbol: 'TOK', decimals: 6 }] } })
  const folder = join(house.dir, 'iot')
  mkdirSync(folder)
  for (const each of [house.dir, folder]) chmodSync(each, 0o711) // mosquitto gives up root
  place = await openPlace(folder, { gwmp: 0, server: 9, broker: await freePort() })
  await house.control().start()
})
afterEach(async () => {
  await place.room.stop()
  await place.store.close()
  await house.close()
})

describe('each command of IoT', () => {
  it('works, in 80 columns, with nothing on stderr', async () => {
    for (const [name, [line, given]] of Object.entries(IOT_LINES)) {
      const { code, out, err } = await run(line, given)
      expect([name, code, err]).toEqual([name, 0, ''])
      expect([name, out]).toEqual([name, expect.stringMatching(/\S[^]*\n$/)])
      if (name !== 'tenant bill') expect([name, Math.max(80, ...out.split('\n').map((text) => [...text].length))]).toEqual([name, 80])
    }
  })

  it('gives one JSON document with --json, and no key or password in it but the one that is shown once', async () => {
    for (const [name, [line, given]] of Object.entries(IOT_LINES)) {
      const { code, out, err } = await run(`${line} --json`, given)
      expect([name, code, err]).toEqual([name, 0, ''])
      expect([name, typeof JSON.parse(out)]).toEqual([name, 'object'])
      for (const secret of [APP_KEY, NWK_S_KEY, PASSWORD]) expect([name, out.includes(secret)]).toEqual([name, false])
    }
  })

  it('shows both counters downward of a device of LoRaWAN 1.1, and the one of another', async () => {
    const fixed = (devEui: string, rest: string): Promise<Run> => run(`lora device set ${devEui} --dev-addr 26010001 --nwk-s-key ${NWK_S_KEY} --app-s-key ${APP_KEY} ${rest}`)
    const made = await fixed('70b3d57ed00000a1', `--version 1.1 --s-nwk-s-int-key ${'31'.repeat(16)} --nwk-s-enc-key ${'32'.repeat(16)}`)
    expect([made.code, made.err, made.out]).toEqual([0, '', expect.stringMatching(/26010001, up 0, down 0, DR\d+\n +down to its application 0\n/)])
    expect(JSON.parse((await run('lora device show 70b3d57ed00000a1 --json')).out)).toMatchObject({ session: { fCntDown: 0, aFCntDown: 0 } })
    expect((await fixed('70b3d57ed00000a2', '--version 1.0.3')).out).not.toContain('application')
  })

  it('takes the password of a tenant\'s broker from standard input, never shows it, and keeps it when something else is changed', async () => {
    const urlOf = (): string | undefined => place.room.desk.tenants().flatMap(({ id, destination }) => (id === 'hill' && destination.kind === 'chirpstack' ? [destination.url] : []))[0]
    const made = await run(`tenant set hill --payer 0x${'a1'.repeat(20)} --route 'dev-addr 27000000/16' --price 1 --ask-password --to 'chirpstack mqtts://gate@127.0.0.1:9 eu868 protobuf'`, { stdin: 'p@ss %41/word\n' })
    expect([made.code, made.err, made.out]).toEqual([0, '', expect.stringContaining('mqtts://gate:***@127.0.0.1:9')])
    const stored = urlOf()
    expect(decodeURIComponent(new URL(stored ?? '').password)).toBe('p@ss %41/word')
    const changed = await run('tenant set hill --price 2')
    expect([changed.code, changed.err, urlOf()]).toEqual([0, '', stored])
    const station = await run(`tenant set vale --payer 0x${'a2'.repeat(20)} --route 'dev-addr 28000000/16' --price 1 --ask-password --to 'station ws://127.0.0.1:9'`, { stdin: 't0ken\n' })
    expect([station.code, station.err, station.out]).toEqual([0, '', expect.stringContaining('ws://:***@127.0.0.1:9')])
    for (const [line, stdin] of [["tenant set hill --ask-password --to broker", 'x'], ["tenant set hill --ask-password --to 'chirpstack mqtt://127.0.0.1 eu868 json'", 'x'], ["tenant set hill --ask-password --to 'chirpstack mqtt://a@127.0.0.1 eu868 json'", '']] as const) {
      const { code, err } = await run(line, { stdin })
      expect([line, code, err]).toEqual([line, 2, expect.stringMatching(/password/)])
    }
    expect(urlOf()).toBe(stored)
  })

  it('reads certificates for the way to a tenant\'s server, shows whose they are and never their key, and keeps them until another place is named', async () => {
    const wish = { notBeforeMs: Date.UTC(2000, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) }
    const authority = makeAuthority(`Acme ${'long '.repeat(20)}CA`)
    const [own, other] = [makeCertificate(authority, { names: ['box.acme'], ...wish }), makeCertificate(authority, { names: ['old.acme'], ...wish, notAfterMs: Date.UTC(2010, 0, 1) })]
    for (const [name, text] of [['ca.pem', authority.certificatePem], ['box.pem', own.certificatePem], ['old.pem', other.certificatePem], ['old.key', other.keyPem]] as const) writeFileSync(join(house.dir, name), text)
    const secret = own.keyPem.split('\n')[1] ?? '-'
    const set = async (line: string, given: Given = {}): Promise<string> => {
      const { code, out, err } = await run(`tenant set vale ${line}`, given)
      expect([line, code, err]).toEqual([line, 0, ''])
      expect(Math.max(...out.split('\n').map((text) => [...text].length))).toBeLessThanOrEqual(80)
      return out
    }
    const made = await set(`--payer 0x${'a2'.repeat(20)} --route 'dev-addr 28000000/16' --price 1 --to 'station wss://127.0.0.1:9' --ca ca.pem --client-cert box.pem --client-key -`, { stdin: own.keyPem })
    expect(made).toMatch(/^Own CA +CN=Acme long.*\u2026, until 2049-01-01$/m)
    expect(made).toMatch(/^Client certificate +CN=box\.acme, until 2049-01-01$/m)
    expect(await set('--price 2')).toContain('CN=box.acme')
    for (const shown of [made, (await run('tenant show vale --json')).out, (await run('tenant list --json')).out]) expect([shown.includes(secret), shown.includes('PRIVATE')]).toEqual([false, false])
    const refused: readonly (readonly [string, number, RegExp])[] = [
      ['--client-key old.key', 1, /clientKey.*another certificate/], ['--client-cert old.pem --client-key old.key', 1, /clientCertificate.*expired/], ['--ca box.pem --to broker', 1, /destination.*broker/], ['--ca - --client-key -', 2, /standard input/],
      ["--ask-password --ca - --to 'station wss://127.0.0.1:9'", 2, /standard input/], ['--ca nowhere.pem', 1, /nowhere\.pem/], ['--ca old.key', 1, /ca.*certificates in PEM form/],
    ]
    for (const [line, code, said] of refused) expect([line, await run(`tenant set vale ${line}`, { stdin: other.keyPem })]).toEqual([line, expect.objectContaining({ code, out: '', err: expect.stringMatching(said) })])
    expect(await set('--price 3')).toContain('CN=box.acme')
    expect(await set("--price 3 --to 'station wss://127.0.0.1:9'")).not.toMatch(/Own CA|Client certificate/)
  })

  it('has a new tenant pay for late frames as for others, and keeps what was said of their price', async () => {
    const price = async (line: string): Promise<unknown> => {
      const { code, out, err } = await run(`tenant set late ${line}`)
      expect([line, code, err]).toEqual([line, 0, ''])
      return [place.room.desk.tenant('late')?.prices.perLateFrame, /[^ ]+( as one in time|.* for a late frame)/.exec(out)?.[0]]
    }
    expect(await price(`--payer 0x${'a9'.repeat(20)} --route 'dev-addr 29000000/16' --price 2`)).toEqual([null, 'frame as one in time'])
    expect(await price('--late-price 0')).toEqual([0n, expect.stringMatching(/ 0 .*for a late frame/)])
    expect(await price('--price 3')).toEqual([0n, expect.anything()])
    const [shown] = (JSON.parse((await run('tenant list --json')).out) as { tenants: { id: string; prices: { perLateFrame: unknown } }[] }).tenants.filter(({ id }) => id === 'late')
    expect(shown?.prices.perLateFrame).toMatchObject({ units: '0' })
    expect(await price('--late-price live')).toEqual([null, 'frame as one in time'])
    expect((await price('--late-price 0.5')) as unknown[]).not.toContain(null)
    // Whoever ended and is let in again is new.
    expect(await run('tenant end late')).toMatchObject({ code: 0 })
    expect(await price(`--payer 0x${'a9'.repeat(20)} --route 'dev-addr 29000000/16' --price 2`)).toEqual([null, 'frame as one in time'])
    expect(await run('tenant set late --late-price soon')).toMatchObject({ code: 1, err: expect.stringMatching(/perLateFrame/) })
  })

  it('registers devices of 1.1 with all their keys, keeps what is left out, and leaves the NwkKey to a device that falls back to 1.0', async () => {
    const [joining, fixed] = ['70b3d57ed0001235', '70b3d57ed0001236']
    const version = (devEui: string): string | undefined => place.room.desk.device(devEui)?.macVersion
    const good = async (line: string): Promise<void> => {
      const { code, out, err } = await run(line)
      expect([line, code, err]).toEqual([line, 0, ''])
      expect([line, out.includes(APP_KEY), out.includes(NWK_S_KEY)]).toEqual([line, false, false])
    }
    await good(`lora device set ${joining} --app-key ${APP_KEY} --nwk-key ${NWK_S_KEY}`)
    expect(version(joining)).toBe('1.1')
    for (const change of ['--name hill', `--nwk-key ${APP_KEY}`, '--version 1.0.4', '--name field']) await good(`lora device set ${joining} ${change}`)
    expect(version(joining)).toBe('1.0.4')
    // The one root key of 1.0 is no NwkKey, and there is no AppKey beside it.
    expect(await run(`lora device set ${joining} --version 1.1`)).toMatchObject({ code: 1, err: expect.stringMatching(/nwkKey/) })
    await good(`lora device set ${fixed} --dev-addr 01020304 --nwk-s-key ${NWK_S_KEY} --s-nwk-s-int-key ${APP_KEY} --nwk-s-enc-key ${NWK_S_KEY} --app-s-key ${APP_KEY}`)
    await good(`lora device set ${fixed} --name pump`)
    expect(place.room.desk.device(fixed)).toMatchObject({ macVersion: '1.1', activation: 'abp', name: 'pump', session: { devAddr: 0x01020304, aFCntDown: 0 } })
  })

  it('says what is wrong with a mistaken one, and changes nothing', async () => {
    const known = (): readonly unknown[] => [place.room.desk.devices(), place.room.desk.tenants(), place.room.desk.rules(), place.room.desk.brokerUsers()]
    const before = known()
    for (const [line, said] of IOT_MISTAKES) {
      const { code, out, err } = await run(line)
      expect([line, code === 0, out]).toEqual([line, false, ''])
      expect([line, err]).toEqual([line, expect.stringMatching(said)])
    }
    expect(known()).toEqual(before)
  })
})
