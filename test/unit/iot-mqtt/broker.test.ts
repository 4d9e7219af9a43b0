/** Against a real mosquitto. Where it is not installed these tests fail and say so: `apt-get install mosquitto`. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../../src/base/io/system.ts'
import type { MqttConnection } from '../../../src/iot/mqtt/connection.ts'
import { Mosquitto } from '../../../src/iot/mqtt/io/broker.ts'
import { connectMqtt } from '../../../src/iot/mqtt/io/client.ts'
import { brokerFiles } from '../../../src/iot/mqtt/mosquitto/configuration.ts'
import type { BrokerPlan, BrokerUser } from '../../../src/iot/mqtt/mosquitto/configuration.ts'
import { dropRetainedOrders } from '../../../src/iot/mqtt/retained-orders.ts'
import { hashPassword, isPasswordOf, newPassword } from '../../../src/iot/mqtt/mosquitto/password.ts'
import { freePort } from '../../support/free-port.ts'
import { seededRandom } from '../../support/fakes.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshbox-broker-'))
// The broker gives up root, and must get through.
chmodSync(folder, 0o711)
const parts = { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 20 }
const PASSWORD = newPassword(seededRandom(1))
let users: readonly BrokerUser[]
let plan: BrokerPlan
let broker: Mosquitto
let service: MqttConnection

beforeAll(async () => {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], { stdio: 'ignore' })
  chmodSync(join(folder, 'key.pem'), 0o644)
  const passwordHash = await hashPassword(PASSWORD, seededRandom(2))
  users = [
    { name: 'home', passwordHash, may: { kind: 'owner' } },
    { name: 'acme', passwordHash, may: { kind: 'tenant', tenant: 'acme' } },
    { name: 'evil', passwordHash, may: { kind: 'tenant', tenant: 'evil' } },
  ]
  const [loopbackPort, plainPort, tlsPort] = [await freePort(), await freePort(), await freePort()]
  plan = {
    loopbackPort,
    listeners: [
      { address: '127.0.0.1', port: plainPort, tls: null },
      { address: '127.0.0.1', port: tlsPort, tls: { certificateFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') } },
    ],
    users,
    topicPrefix: 'meshbox',
    systemUser: 'nobody',
  }
  broker = new Mosquitto(plan, { folder: join(folder, 'broker'), program: noting(join(folder, 'pid')), timers: systemTimers, log: silentLog })
  await broker.start()
  expect(broker.problem).toBe(null)
  service = await connected(connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'meshbox-service', will: null }, parts))
})
afterAll(async () => {
  await service?.close()
  await broker?.stop()
  rmSync(folder, { recursive: true })
})

/** A mosquitto that writes down its process. */
function noting(pidFile: string): string {
  const program = `${pidFile}-program`
  writeFileSync(program, `#!/bin/sh\necho $$ > ${pidFile}\nexec mosquitto "$@"\n`, { mode: 0o755 })
  return program
}

/** TCP ports on which that process listens, from /proc. */
function listeningPorts(pidFile: string): readonly number[] {
  const pid = readFileSync(pidFile, 'utf8').trim()
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]))
  return ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, local, , state, , , , , , inode]) => (state === '0A' && own.has(inode) ? [parseInt(local?.split(':')[1] ?? '', 16)] : [])),
  )
}

function connected(client: MqttConnection): Promise<MqttConnection> {
  return new Promise((resolve) => {
    if (client.isConnected) return resolve(client)
    const cancel = client.onState((isConnected) => {
      if (!isConnected) return
      cancel()
      resolve(client)
    })
  })
}

function asUser(name: string | null, given: { readonly password?: string | null; readonly clientId?: string; readonly tls?: boolean } = {}): MqttConnection {
  const listener = plan.listeners[given.tls === true ? 1 : 0]!
  const client = connectMqtt(
    { url: `${given.tls === true ? 'mqtts' : 'mqtt'}://127.0.0.1:${listener.port}`, userName: name, password: given.password === undefined ? PASSWORD : given.password, clientId: given.clientId ?? 'any', will: null, tls: given.tls === true ? { ca: readFileSync(join(folder, 'cert.pem'), 'utf8'), certificate: null, key: null } : null },
    parts,
  )
  onTestFinished(() => client.close())
  return client
}

/** Topics below a filter of which the broker has something for who comes now; said before anything that is published after it. */
async function keptUnder(filter: string): Promise<string[]> {
  const late = await connected(connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'meshbox-late', will: null }, parts))
  try {
    const kept: string[] = []
    const ended = new Promise<void>((resolve) => {
      late.subscribe(filter, (topic, payload, isRetained) => {
        if (isRetained && payload.length > 0) kept.push(topic)
      })
      late.subscribe('late/end', () => resolve())
    })
    while (!(await late.publishHeard({ topic: 'late/end', payload: Buffer.from('x'), isRetained: false }))) continue
    await ended
    return kept
  } finally {
    await late.close()
  }
}

/** What a client gets of `topics`, when each is published by the service in turn; the last one marks the end. */
async function heardBy(client: MqttConnection, filters: readonly string[], topics: readonly string[], mark: string): Promise<string[]> {
  const heard: string[] = []
  const ended = new Promise<void>((resolve) => {
    for (const filter of [...filters, mark])
      client.subscribe(filter, (topic) => {
        if (topic === mark) resolve()
        else heard.push(topic)
      })
  })
  // Subscriptions are in order before this: it is heard, or the mark is not.
  while (!(await service.publishHeard({ topic: mark, payload: Buffer.from('ready?'), isRetained: false }))) continue
  for (const topic of topics) await service.publish({ topic, payload: Buffer.from('x'), qos: 1, isRetained: false })
  await service.publish({ topic: mark, payload: Buffer.from('end'), qos: 1, isRetained: false })
  await ended
  return heard
}

describe('passwords', () => {
  it('are as mosquitto wants them', async () => {
    const hash = await hashPassword('a long password', seededRandom(3))
    expect(hash).toMatch(/^\$7\$101\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/)
    expect([await isPasswordOf(hash, 'a long password'), await isPasswordOf(hash, 'a long passwore'), await isPasswordOf('$6$x$y', 'a long password')]).toEqual([true, false, false])
    await expect(hashPassword('short', seededRandom(3))).rejects.toMatchObject({ field: 'password' })
    const file = join(folder, 'made-by-mosquitto')
    execFileSync('mosquitto_passwd', ['-b', '-c', file, 'someone', 'their password'], { stdio: 'ignore' })
    const [, made = ''] = readFileSync(file, 'utf8').trim().split(':')
    expect([await isPasswordOf(made, 'their password'), await isPasswordOf(made, 'their passworx')]).toEqual([true, false])
  })
})

describe('the configuration', () => {
  it.each([
    ['user', { users: [{ name: 'a+b' }] }],
    ['user', { users: [{ name: 'a\ntopic readwrite #' }] }],
    ['tenant', { users: [{ may: { kind: 'tenant', tenant: '#' } }] }],
    ['passwordHash', { users: [{ passwordHash: '$7$1$a\nb:$7$1' }] }],
    ['topicPrefix', { topicPrefix: 'tenant/acme' }],
    ['topicPrefix', { topicPrefix: '#' }],
    ['listen.address', { listeners: [{ address: '0.0.0.0\nallow_anonymous true', port: 1883, tls: null }] }],
    ['listen.port', { listeners: [{ address: '::', port: 0, tls: null }] }],
    ['certificateFile', { listeners: [{ address: '::', port: 1, tls: { certificateFile: '/a\nb', keyFile: '/a' } }] }],
    ['systemUser', { systemUser: 'root\nuser' }],
  ])('never has a wrong %s', (field, wrong) => {
    const given = { ...plan, ...wrong, users: 'users' in wrong ? wrong.users.map((user) => ({ ...users[1]!, ...user })) : users } as BrokerPlan
    expect(() => brokerFiles(given, '/var/run/broker')).toThrow(expect.objectContaining({ kind: 'input', field }))
  })

  it('lies where only the broker reads it', () => {
    for (const name of ['mosquitto.conf', 'passwords', 'rights']) expect(statSync(join(folder, 'broker', name)).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'broker')).mode & 0o777).toBe(0o700)
  })
})

describe('our mosquitto', () => {
  it('listens where it was told, and nowhere else', () => {
    expect([...listeningPorts(join(folder, 'pid'))].sort()).toEqual([plan.loopbackPort, ...plan.listeners.map(({ port }) => port)].sort())
  })

  it('lets nobody in without the right name and password, and the service without one', async () => {
    for (const client of [asUser(null, { password: null }), asUser('acme', { password: 'wrong password' }), asUser('nobody-known')]) {
      await new Promise<void>((resolve) => {
        const look = setInterval(() => {
          if (client.problem !== 'not connected yet') {
            clearInterval(look)
            resolve()
          }
        }, 5)
      })
      expect([client.isConnected, client.problem]).toEqual([false, expect.stringMatching(/not authorized/i)])
    }
    await connected(asUser('acme'))
    await connected(asUser('home', { tls: true }))
    expect(service.isConnected).toBe(true)
  })

  it('shows a tenant what is his, however he asks', async () => {
    const topics = ['tenant/acme/gateway/016c001ff10a2035/event/up', 'tenant/acme/receipt', 'tenant/acme/gateway/016c001ff10a2035/command/down', 'tenant/acme', 'tenant/acmex/receipt', 'meshbox/device/0102030405060708/state', 'homeassistant/status', 'tenant/evil/gateway/016c001ff10a2035/event/up']
    const attacks = ['#', 'tenant/#', 'tenant/acme/#', '+/acme/#', 'tenant/+/receipt', 'meshbox/#', '$share/group/tenant/acme/#', '$share/group/#', '$SYS/#', 'tenant/acme/gateway/+/event/up', 'tenant/evil/../acme/#']
    const client = await connected(asUser('evil'))
    expect(new Set(await heardBy(client, attacks, topics, 'tenant/evil/receipt'))).toEqual(new Set(['tenant/evil/gateway/016c001ff10a2035/event/up']))
  })

  it('takes of a tenant only commands to his own gateways', async () => {
    const client = await connected(asUser('evil'))
    const heard: string[] = []
    const ended = new Promise<void>((resolve) => {
      service.subscribe('#', (topic) => {
        heard.push(topic)
        if (topic === 'tenant/evil/gateway/016c001ff10a2035/command/down') resolve()
      })
    })
    while (!(await service.publishHeard({ topic: 'ready', payload: Buffer.from('?'), isRetained: false }))) continue
    for (const topic of ['tenant/acme/gateway/016c001ff10a2035/command/down', 'tenant/evil/gateway/016c001ff10a2035/event/up', 'tenant/evil/receipt', 'homeassistant/device/x/config', 'meshbox/device/0102030405060708/set', 'tenant/evil/gateway/016c001ff10a2035/command/down'])
      await client.publish({ topic, payload: Buffer.from('x'), qos: 1, isRetained: topic.startsWith('home') }).catch((thrown: Error) => expect(thrown.message).toMatch(/not authorized/i))
    await ended
    expect(heard.filter((topic) => topic !== 'ready')).toEqual(['tenant/evil/gateway/016c001ff10a2035/command/down'])
  })

  it('keeps nothing of what a tenant tells it to keep, so that he cannot fill it', async () => {
    const cancel = dropRetainedOrders(service, silentLog)
    onTestFinished(cancel)
    const evil = await connected(asUser('evil'))
    // More than all the room the broker has, each on a topic of its own.
    const [orders, bytes] = [640, 60_000]
    for (let n = 0; n < orders; n++) await evil.publish({ topic: `tenant/evil/gateway/${n}/command/down`, payload: new Uint8Array(bytes), qos: 1, isRetained: true })
    await service.publish({ topic: 'meshbox/big', payload: new Uint8Array(bytes), qos: 1, isRetained: false })
    while ((await keptUnder('tenant/evil/gateway/+/command/#')).length > 0) continue
    expect([service.isConnected, evil.isConnected]).toEqual([true, true])
  })

  it('takes out what was kept before the service came', async () => {
    const evil = await connected(asUser('evil'))
    await evil.publish({ topic: 'tenant/evil/gateway/1/command/down', payload: Buffer.from('x'), qos: 1, isRetained: true })
    expect(await keptUnder('tenant/evil/gateway/+/command/#')).toEqual(['tenant/evil/gateway/1/command/down'])
    onTestFinished(dropRetainedOrders(service, silentLog))
    while ((await keptUnder('tenant/evil/gateway/+/command/#')).length > 0) continue
  })

  it('does not let a tenant take the place of the service or of another', async () => {
    const [acme, evil] = [await connected(asUser('acme', { clientId: 'x' })), await connected(asUser('evil', { clientId: 'meshbox-service' }))]
    await connected(asUser('home', { clientId: 'acme' }))
    await service.publish({ topic: 'meshbox/x', payload: Buffer.from('x'), qos: 1, isRetained: false })
    expect([service.isConnected, acme.isConnected, evil.isConnected]).toEqual([true, true, true])
  })

  it('has room for a connection of each gateway of many tenants at once', async () => {
    const many = await Promise.all(Array.from({ length: 150 }, (_, n) => connected(connectMqtt({ url: broker.url, userName: null, password: null, clientId: `Tenant_t${n}_meshbox`, will: null }, parts))))
    expect(many.filter(({ isConnected }) => isConnected)).toHaveLength(150)
    await Promise.all(many.map((one) => one.close()))
  })
  it('says when nobody is there to hear', async () => {
    expect(await service.publishHeard({ topic: 'tenant/acme/nobody', payload: Buffer.from('x'), isRetained: false })).toBe(true)
    const alone = await connected(connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'meshbox-alone', will: null }, parts))
    await service.close()
    expect(await alone.publishHeard({ topic: 'tenant/acme/nobody', payload: Buffer.from('x'), isRetained: false })).toBe(false)
    await alone.close()
    service = await connected(connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'meshbox-service', will: null }, parts))
  })

  it('knows whether a tenant is there himself, whoever else has asked for everything', async () => {
    const topic = 'tenant/acme/gateway/016c001ff10a2035/event/up'
    const becomesTrue = async (is: () => boolean | null, wanted: boolean): Promise<void> => {
      while (is() !== wanted) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const [evil, home] = [await connected(asUser('evil')), await connected(asUser('home'))]
    for (const client of [evil, home]) for (const filter of ['#', 'tenant/#', 'tenant/acme/#', 'tenant/evil/#', '+/acme/#']) client.subscribe(filter, () => undefined)
    await becomesTrue(() => broker.hasListener('evil', 'tenant/evil/gateway/016c001ff10a2035/event/up'), true)
    // The broker would call it wanted.
    while (!(await service.publishHeard({ topic, payload: Buffer.from('x'), isRetained: false }))) continue
    expect(broker.hasListener('acme', topic)).toBe(false)
    const acme = asUser('acme')
    acme.subscribe('tenant/acme/gateway/+/event/up', () => undefined)
    await becomesTrue(() => broker.hasListener('acme', topic), true)
    expect(broker.hasListener('acme', topic.replace('/up', '/late'))).toBe(false)
    // Who has his name and not his password does not make him gone: with a name in its place, the log calls both the same.
    const intruder = asUser('acme', { password: 'wrong password' })
    while (!/not authorized/i.test(intruder.problem ?? '')) await new Promise((resolve) => setTimeout(resolve, 5))
    await intruder.close()
    await evil.close()
    await becomesTrue(() => broker.hasListener('evil', topic.replace('acme', 'evil')), false)
    expect(broker.hasListener('acme', topic)).toBe(true)
    await acme.close()
    await becomesTrue(() => broker.hasListener('acme', topic), false)
    // A program on the box itself, which has no name, says whose frames it wants.
    const local = connectMqtt({ url: broker.url, userName: null, password: null, clientId: 'local', will: null }, parts)
    onTestFinished(() => local.close())
    local.subscribe('tenant/acme/#', () => undefined)
    await becomesTrue(() => broker.hasListener('acme', topic), true)
  })

  it('has no file that a tenant could fill by asking for thousands of topics: its words go to the service, which reads them and keeps none', async () => {
    const topic = 'tenant/acme/gateway/016c001ff10a2036/event/up'
    const becomes = async (is: () => boolean | null): Promise<void> => {
      while (is() !== true) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim()
    const opened = (): string[] => readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)).filter((path) => path.startsWith('/') && !path.startsWith('/dev/'))
    const files = (): (string | number)[][] => readdirSync(join(folder, 'broker')).sort().map((name) => [name, statSync(join(folder, 'broker', name)).size])
    const before = files()
    const evil = await connected(asUser('evil'))
    for (let n = 0; n < 3_000; n++) evil.subscribe(`none/of/his/${n}/${'x'.repeat(200)}`, () => undefined)
    // The last of them was read: his own topic stands behind it.
    evil.subscribe('tenant/evil/gateway/+/event/end', () => undefined)
    await becomes(() => broker.hasListener('evil', 'tenant/evil/gateway/016c001ff10a2036/event/end'))
    expect([readlinkSync(`/proc/${pid}/fd/2`), opened(), files()]).toEqual([expect.stringMatching(/^(?:pipe|socket):/), [], before])
    // And nobody else is hidden by it.
    asUser('acme').subscribe('tenant/acme/gateway/+/event/up', () => undefined)
    await becomes(() => broker.hasListener('acme', topic))
    expect(broker.problem).toBe(null)
  })

  it('takes new names and drops old ones without a restart', async () => {
    broker.setUsers([...users, { ...users[1]!, name: 'new-one' }])
    await connected(asUser('new-one'))
    expect(() => broker.setUsers([users[0]!, users[0]!])).toThrow(expect.objectContaining({ field: 'users' }))
    expect(service.isConnected).toBe(true)
  })
})

describe('a broker that dies', () => {
  it('is started again, and clients come back', async () => {
    const pidFile = join(folder, 'pid-2')
    const own = new Mosquitto({ ...plan, loopbackPort: await freePort(), listeners: [] }, { folder: join(folder, 'dies'), program: noting(pidFile), timers: systemTimers, log: silentLog })
    onTestFinished(() => own.stop())
    await own.start()
    expect(`mqtt://127.0.0.1:${listeningPorts(pidFile).join()}`).toBe(own.url)
    const box = connectMqtt({ url: own.url, userName: null, password: null, clientId: 'meshbox-service', will: null }, parts)
    onTestFinished(() => box.close())
    await connected(box)
    const gone = new Promise<void>((resolve) => {
      box.onState((isConnected) => {
        if (!isConnected) resolve()
      })
    })
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
    await gone
    await connected(box)
    await box.publish({ topic: 'meshbox/x', payload: Buffer.from('x'), qos: 1, isRetained: false })
    expect(box.problem).toBe(null)
  })
})

describe('without a broker', () => {
  it('the reason is known, and it is tried again', async () => {
    const missing = new Mosquitto({ ...plan, loopbackPort: await freePort() }, { folder: join(folder, 'other'), program: 'no-such-program', timers: systemTimers, log: silentLog })
    await missing.start()
    expect(missing.problem).toBe('no-such-program is not installed')
    await missing.stop()
  })

  it('whose port another has, the reason is in its words', async () => {
    const second = new Mosquitto({ ...plan, listeners: [] }, { folder: join(folder, 'second'), timers: systemTimers, log: silentLog })
    await second.start()
    while (second.problem === null || second.problem === 'not started') await new Promise((resolve) => setTimeout(resolve, 20))
    expect(second.problem).toMatch(/in use/)
    await second.stop()
  })
})
