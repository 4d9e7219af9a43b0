/** Channels, payments and guards on a terminal: every text to the letter, ids cut short, what goes wrong. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Owner } from '../../../src/owner/index.ts'
import type { OwnerPorts } from '../../../src/owner/index.ts'
import { ALARMED, CHANNELS, GUEST, NEIGHBOUR, hash, scriptedPhoton } from '../../support/photon-views.ts'
import { ControlServer } from '../../../src/owner/index.ts'
import { silentLog } from '../../../src/base/index.ts'
import { buildHouse } from '../owner/house.ts'
import type { House } from '../owner/house.ts'
import { meshbox } from './console.ts'
import type { Run } from './console.ts'

let house: House
let other: ControlServer | null = null
const run = (line: string | readonly string[]): Promise<Run> => meshbox(line, { env: { MESHBOX_SOCKET: join(house.dir, 'control.sock') } })

beforeEach(async () => {
  house = await buildHouse()
  await house.control().start()
})
afterEach(async () => {
  await other?.stop()
  other = null
  await house.close()
})

/** The same box with other channels, at a socket of its own. */
async function boxWith(photon: OwnerPorts['photon']): Promise<(line: string) => Promise<Run>> {
  const socketPath = join(house.dir, 'other.sock')
  other = new ControlServer({ owner: new Owner({ ...house.ports, photon: photon ?? null }), socketPath, log: silentLog })
  await other.start()
  return (line) => meshbox(line, { env: { MESHBOX_SOCKET: socketPath } })
}

describe('on a terminal', () => {
  it('says the same as before, to the letter, in 80 columns', async () => {
    let all = ''
    for (const line of [
      'channel status', 'channel', 'channel list --limit 2', 'channel show 0x9e37', `channel show ${hash(2)}`, `channel show ${hash(3)}`, `channel show ${hash(4)}`, `channel open ${NEIGHBOUR} 2.5`, `channel deposit ${hash(1)} 2.5`, `channel withdraw ${hash(2)} 0.5`,
      `channel close ${hash(1)}`, `channel close ${hash(5)} --force`, `channel show ${hash(5)}`, 'channel wrap 2.5', 'channel unwrap 1', 'channel alarm', 'channel alarm clear 1', 'channel duties', 'channel peers', `channel peers add ${GUEST} /ip4/192.0.2.7/tcp/4011`, 'pay list', 'pay list --limit 2', `pay show ${hash(102)}`, `pay show ${hash(105)}`,
      `pay ${GUEST} 4 --data tea`, `pay ${GUEST} 4 --hold ${hash(9)}`, `pay cancel ${hash(101)}`, `pay allow-reveal ${hash(107)}`, `pay paths ${GUEST} 2.5`, 'watch status',
    ]) {
      const { code, out, err } = await run(line)
      expect([line, code, err]).toEqual([line, 0, ''])
      all += `$ meshbox ${line}\n${out}\n`
    }
    expect(Math.max(...all.split('\n').filter((line) => !line.startsWith('$')).map((line) => [...line].length))).toBeLessThanOrEqual(80)
    await expect(all).toMatchFileSnapshot('golden/photon.txt')
  })

  it('says what to do where there is nothing', async () => {
    const empty = scriptedPhoton({ channels: () => [], payments: () => ({ rows: [], next: null }), duties: () => [], peers: () => [], paths: () => [], watching: () => ({ jobs: 0, guardians: [] }) })
    const at = await boxWith(empty)
    let all = ''
    for (const line of ['channel', 'channel duties', 'channel peers', 'pay list', `pay paths ${GUEST} 2`, 'watch']) all += `$ meshbox ${line}\n${(await at(line)).out}\n`
    await expect(all).toMatchFileSnapshot('golden/photon-empty.txt')
  })

  it('begins with the alarm, and fails by it', async () => {
    const at = await boxWith(scriptedPhoton({ status: () => ALARMED }))
    const { code, out } = await at('channel status')
    expect([code, out.split('\n')[0]]).toEqual([1, 'ALARM chain-gap since 2026-11-21 18:04: Blocks 48,010 to 48,030 could not be'])
    const alarms = await at('channel alarm')
    expect(alarms.code).toBe(1)
    await expect(alarms.out).toMatchFileSnapshot('golden/photon-alarms.txt')
  })

  it('takes away the alarm that the owner has looked at, and says which stands', async () => {
    const raised = [...ALARMED.alarms]
    const at = await boxWith(scriptedPhoton({ status: () => ({ ...ALARMED, alarms: raised }), clearAlarm: async (id) => void raised.splice(raised.findIndex((one) => one.id === id), 1) }))
    const { code, out } = await at('channel alarm clear 1')
    expect([code, out]).toEqual([0, 'ALARM gas-money since 2026-11-21 18:05: The account has too little for gas\n(update).\nIt goes by itself when its reason goes.\n'])
  })
})

describe('a payment', () => {
  it('that failed makes the command fail, and says why', async () => {
    const { desk, tokens } = scriptedPhoton()
    const at = await boxWith({ desk: { ...desk, pay: async () => ({ id: hash(105) }) }, tokens })
    const { code, out } = await at(`pay ${GUEST} 1`)
    expect([code, out]).toEqual([1, expect.stringContaining('FAILED: no path with enough money')])
  })

  it('is waited for until it has ended', async () => {
    const { desk, tokens } = scriptedPhoton()
    const row = desk.payment(hash(101))
    let looks = 0
    const at = await boxWith({ desk: { ...desk, pay: async () => ({ id: hash(101) }), payment: () => (row === null ? null : { ...row, status: ++looks < 3 ? 1 : 3 }) }, tokens })
    const { code, out } = await at(`pay ${GUEST} 1`)
    expect([code, looks, out]).toEqual([0, 3, expect.stringMatching(/^State +done$/m)])
  })
})

describe('closing together', () => {
  const at = async (looks: readonly Partial<(typeof CHANNELS)[number]>[]): Promise<Run> => {
    const { desk, tokens } = scriptedPhoton()
    let look = 0
    const channel: typeof desk.channel = (id) => {
      const found = desk.channel(id)
      const change = looks[Math.min(look++, looks.length - 1)]
      return found === null || change === undefined ? null : { ...found, ...change }
    }
    return (await boxWith({ desk: { ...desk, channel, close: async () => undefined }, tokens }))(`channel close ${hash(1)}`)
  }
  const asked = { phase: 'cooperative-settling' } as const

  it('fails by a refusal, says why, and what is left', async () => {
    const { code, out } = await at([{}, asked, asked, { ...asked, closeRefusal: { code: 5025, reason: 'locks\u001b[2J are there' } }])
    expect(code).toBe(1)
    expect(out.replace(/\s+/g, ' ')).toContain('The partner refused to close it together: locks')
    expect(out).toMatch(/5025[^]*--force/)
    expect(out).not.toContain('\u001b')
    expect(out).toMatch(/^May be +force-close$/m)
  })

  it('ends when it is over', async () => {
    const { desk, tokens } = scriptedPhoton()
    let look = 0
    const [one] = CHANNELS
    const box = await boxWith({ desk: { ...desk, close: async () => undefined, channel: () => (one === undefined || ++look > 3 ? null : { ...one, ...asked }) }, tokens })
    const { code, out } = await box(`channel close ${hash(1)}`)
    expect([code, out]).toEqual([0, expect.stringMatching(/^State +over/m)])
  })
})

describe('what goes wrong', () => {
  it.each([
    ['channel show 0x9e3', 2, "CHANNEL: '0x9e3' is not an id"],
    ['channel show 0xffff', 1, 'there is no channel 0xffff'],
    [`channel show ${hash(77)}`, 1, `there is no channel ${hash(77)}`],
    ['pay show 0xabcd', 1, 'there is no payment 0xabcd'],
    [`pay ${GUEST} cheap`, 2, "AMOUNT: 'cheap' is not an amount"],
    [`pay ${GUEST} 0.0000001`, 1, 'amount: 0.0000001 is not allowed'],
    ['pay 0x12 1', 2, "TARGET: '0x12' is not an account"],
    [`pay ${GUEST} 1 --hold 0x12`, 2, '--hold'],
    [`pay ${GUEST} 1 --max-fee -1`, 2, '--max-fee'],
    [`pay ${GUEST} 1 --token GOLD`, 1, 'allowed: MIN (0x7070'],
    [`channel open ${NEIGHBOUR} 1 --settle-blocks 5`, 2, '--settle-blocks'],
    [`channel peers add ${GUEST} 192.0.2.7`, 2, 'ADDRESS'],
    ['channel wrap much', 2, "AMOUNT: 'much' is not an amount"],
    ['channel unwrap 0', 1, 'more than 0'],
    ['channel alarm clear 7', 1, 'there is no alarm 7'],
    ["channel alarm clear '#1'", 2, "is not what meshbox channel alarm shows"],
    [`pay cancel ${hash(104)}`, 1, 'the payment has ended'],
  ])('%s: exit code %i, %s', async (line, code, text) => {
    const done = await run(line)
    expect([done.code, done.out]).toEqual([code, ''])
    expect(done.err).toContain(text)
  })

  it('several ids begin the same: more of it is asked for', async () => {
    const [one] = CHANNELS
    if (one === undefined) throw new Error('no channel in the sample')
    const twins = [one, { ...one, id: `0x9e37${'00'.repeat(30)}` as const }]
    const at = await boxWith(scriptedPhoton({ channels: () => twins }))
    const { code, err } = await at('channel show 0x9e37')
    expect([code, err]).toEqual([1, 'meshbox: 2 channels begin with 0x9e37: give more of it\n'])
  })

  it('a box without channels says so', async () => {
    const at = await boxWith(null)
    expect((await at('channel')).err).toContain('this box has no payment channels')
  })
})
