/** Ways out in a real kernel: the chosen one is taken, a socket with an uplink's address takes that uplink, and nothing leaks. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import type { Timers } from '../../src/base/index.ts'
import { KernelUplinkRoutes } from '../../src/mesh/uplinks/index.ts'
import type { UplinkLinks } from '../../src/mesh/uplinks/index.ts'
import { Namespace, runProgram } from '../support/netns.ts'

type Places = ReturnType<UplinkLinks['places']>

const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs)
    return () => clearInterval(timer)
  },
}
const FAR = '198.51.100.1'
const FAR6 = '2001:db8:ffff::1'
const place = (n: number): Places[number] => ({
  interfaceName: `up${n}`,
  addresses: [
    { family: 4, address: `10.${n + 1}.0.2` },
    { family: 6, address: `2001:db8:${n + 1}::2` },
  ],
  routes: [
    { family: 4, interfaceName: `up${n}`, gateway: `10.${n + 1}.0.1` },
    { family: 6, interfaceName: `up${n}`, gateway: `2001:db8:${n + 1}::1` },
  ],
})

let router: Namespace
let routes: KernelUplinkRoutes
let places: Places
beforeEach(async () => {
  router = new Namespace(`mbup${randomBytes(3).toString('hex')}`)
  await runProgram('ip', ['netns', 'add', router.name])
  await router.ip('link', 'set', 'lo', 'up')
  for (const n of [0, 1]) {
    await router.ip('link', 'add', `up${n}`, 'type', 'veth', 'peer', 'name', `far${n}`)
    for (const end of [`up${n}`, `far${n}`]) await router.ip('link', 'set', end, 'up')
    await router.ip('addr', 'add', `10.${n + 1}.0.2/24`, 'dev', `up${n}`)
    await router.ip('addr', 'add', `2001:db8:${n + 1}::2/64`, 'dev', `up${n}`, 'nodad')
  }
  // The firmware's own.
  await router.ip('route', 'add', 'default', 'via', '10.1.0.1', 'dev', 'up0', 'metric', '10')
  places = [place(0), place(1)]
  routes = new KernelUplinkRoutes({
    interfaceNames: ['up0', 'up1'],
    links: { places: () => places },
    gatewayMode: { set: async () => undefined },
    timers,
    log: silentLog,
    ipCommand: ['ip', 'netns', 'exec', router.name, 'ip'],
    conntrackCommand: ['true'],
  })
  await routes.start()
})
afterEach(async () => {
  await routes.stop()
  await router.killAll()
  await runProgram('ip', ['netns', 'del', router.name])
})

/** The interface that a packet would take; null: none. */
async function way(to: string, from?: string): Promise<string | null> {
  const { code, stdout } = await router.run('ip', ['route', 'get', to, ...(from === undefined ? [] : ['from', from])])
  return code === 0 ? (/ dev (\S+)/.exec(stdout)?.[1] ?? null) : null
}

it("without a choice the firmware's own holds; with one, that is taken, and what is near stays near", async () => {
  expect(await way(FAR)).toBe('up0')
  await routes.choose('up1')
  expect([await way(FAR), await way(FAR6)]).toEqual(['up1', 'up1'])
  expect([await way('10.1.0.9'), await way('2001:db8:1::9')]).toEqual(['up0', 'up0'])
  await routes.choose('up0')
  expect([await way(FAR), await way(FAR6)]).toEqual(['up0', 'up0'])
  await routes.choose(null)
  expect(await way(FAR)).toBe('up0')
  await expect(routes.choose('up7')).rejects.toMatchObject({ field: 'interfaceName' })
})

it("an uplink's address takes that uplink whatever is chosen, and none where that one has no gateway", async () => {
  await routes.choose('up0')
  expect([await way(FAR, '10.1.0.2'), await way(FAR, '10.2.0.2'), await way(FAR6, '2001:db8:2::2')]).toEqual(['up0', 'up1', 'up1'])
  const without = place(1)
  places = [place(0), without === null ? null : { ...without, routes: [] }]
  await routes.refresh([])
  expect([await way(FAR, '10.2.0.2'), await way(FAR, '10.1.0.2')]).toEqual([null, 'up0'])
})

it('an interface that was down has its routes again, and another address replaces the old one', async () => {
  await routes.choose('up1')
  await router.ip('link', 'set', 'up1', 'down')
  await router.ip('link', 'set', 'up1', 'up')
  await router.ip('addr', 'add', '10.2.0.7/24', 'dev', 'up1')
  places = [place(0), { interfaceName: 'up1', addresses: [{ family: 4, address: '10.2.0.7' }], routes: [{ family: 4, interfaceName: 'up1', gateway: '10.2.0.1' }] }]
  await routes.refresh(['up1'])
  expect([await way(FAR), await way(FAR, '10.2.0.7')]).toEqual(['up1', 'up1'])
  expect(await router.ip('rule', 'show')).not.toContain('10.2.0.2')
})

it('nothing of it is left at the end', async () => {
  await routes.choose('up1')
  await routes.stop()
  const rules = `${await router.ip('-4', 'rule', 'show')}${await router.ip('-6', 'rule', 'show')}`
  expect(rules).not.toMatch(/^52\d\d:/m)
  expect(await way(FAR)).toBe('up0')
})
