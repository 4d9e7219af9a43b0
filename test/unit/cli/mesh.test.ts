/** The mesh on a terminal: every text to the letter; joining shown, done, undone and left again. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { ControlServer, Owner } from '../../../src/owner/index.ts'
import { ROOF, scriptedMesh } from '../../support/mesh-views.ts'
import { buildHouse } from '../owner/house.ts'
import type { House } from '../owner/house.ts'
import { meshbox } from './console.ts'
import type { Given, Run } from './console.ts'
import { meshCode } from './mesh-code.ts'

let house: House
const run = (line: string, given: Given = {}): Promise<Run> => meshbox(line, { cwd: house.dir, ...given, env: { MESHBOX_SOCKET: join(house.dir, 'control.sock') } })

beforeEach(async () => {
  house = await buildHouse()
  await house.control().start()
})
afterEach(() => house.close())

describe('meshbox mesh', () => {
  it('says the same as before, to the letter, in 80 columns', async () => {
    let all = ''
    for (const line of ['mesh', 'mesh peers', 'mesh path 02:00:00:00:00:02', 'mesh prices', 'mesh invite', 'mesh invitations', 'mesh take-back 3', `mesh expel ${ROOF}`, `mesh pardon ${ROOF}`, `mesh ban ${ROOF} --reason noisy`, `mesh unban ${ROOF}`, 'mesh guests', `mesh carriage end ${ROOF}`, `mesh carriage readmit ${ROOF}`, `mesh carriage write-off ${ROOF}`]) {
      const { code, out, err } = await run(line)
      expect([line, code, err]).toEqual([line, 0, ''])
      all += `$ meshbox ${line}\n${out}\n`
    }
    expect(Math.max(...all.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80)
    await expect(all).toMatchFileSnapshot('golden/mesh.txt')
    expect(house.mesh.asked).toEqual(['invite 1 null', 'take-back 3', `expel ${ROOF}`, `pardon ${ROOF}`, `ban ${ROOF} noisy`, `unban ${ROOF}`, `end ${ROOF} by the owner`, `readmit ${ROOF}`, `write-off ${ROOF}`])
  })

  it('tells the other box why, and says where no session walks', async () => {
    expect((await run(`mesh carriage end ${ROOF} --reason 'the roof is mended'`)).code).toBe(0)
    expect(house.mesh.asked).toEqual([`end ${ROOF} the roof is mended`])
    const socketPath = join(house.dir, 'still.sock')
    const still = new ControlServer({ owner: new Owner({ ...house.ports, mesh: scriptedMesh({}, { guests: () => null }) }), socketPath, log: silentLog })
    await still.start()
    expect((await meshbox('mesh guests', { env: { MESHBOX_SOCKET: socketPath } })).out).toMatch(/mesh\.roam_enforcement/)
    await still.stop()
  })

  it('fails by an alarm, and says what is missing on a box without a mesh', async () => {
    const socketPath = join(house.dir, 'other.sock')
    const alarmed = new ControlServer({ owner: new Owner({ ...house.ports, mesh: scriptedMesh({ alarms: [{ code: 'batman-adv', text: 'install kmod-batman-adv', sinceMs: 940_000 }], condition: { kind: 'no-module', reason: 'no module' }, unitsPerMiB: null, reach: 'none' }) }), socketPath, log: silentLog })
    await alarmed.start()
    const { code, out } = await meshbox('mesh', { env: { MESHBOX_SOCKET: socketPath } })
    await alarmed.stop()
    expect([code, out.split('\n')[0]]).toEqual([1, 'ALARM batman-adv for 0:01:00: install kmod-batman-adv'])
    const elsewhere = join(house.dir, 'none.sock')
    const none = new ControlServer({ owner: new Owner({ ...house.ports, mesh: null }), socketPath: elsewhere, log: silentLog })
    await none.start()
    const refused = await meshbox('mesh', { env: { MESHBOX_SOCKET: elsewhere } })
    await none.stop()
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('meshbox join')])
  })

  it.each(['mesh expel 0x12', 'mesh take-back x', 'mesh invite --uses 33', 'mesh path', 'mesh carriage end', 'mesh carriage write-off 0x12'])('does not understand: meshbox %s', async (line) => {
    expect((await run(line)).code).toBe(2)
  })
})

describe('meshbox join', () => {
  const WIRELESS = "config wifi-device 'radio0'\n\toption band '5g'\n\toption channel '36'\n"
  const read = (name: string): string => readFileSync(join(house.dir, name), 'utf8')
  beforeEach(() => {
    mkdirSync(join(house.dir, 'uci'))
    writeFileSync(join(house.dir, 'uci/meshbox'), `# mine\nconfig meshbox 'main'\n\toption data_dir '${house.dir}'\n`)
    writeFileSync(join(house.dir, 'uci/wireless'), WIRELESS, { mode: 0o600 })
  })

  it('shows, writes when told to, and puts everything back', async () => {
    const code = meshCode()
    const shown = await run('join - --config-dir uci', { stdin: code })
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('Nothing was written')])
    expect(shown.out).not.toContain('correct-horse')
    expect([read('uci/wireless'), existsSync(join(house.dir, 'mesh-code'))]).toEqual([WIRELESS, false])

    const done = await run('join - --apply --config-dir uci', { stdin: `${code.slice(0, 70)}\n${code.slice(70)}\n` })
    expect([done.code, done.out]).toEqual([0, expect.stringContaining('wifi reload')])
    expect(read('uci/wireless')).toContain("option key 'correct-horse-battery'")
    expect([read('mesh-code'), statSync(join(house.dir, 'mesh-code')).mode & 0o777, statSync(join(house.dir, 'mesh-join.json')).mode & 0o777, statSync(join(house.dir, 'uci/wireless')).mode & 0o777]).toEqual([`${code}\n`, 0o600, 0o600, 0o600])

    expect(await run('join-undo --config-dir uci')).toMatchObject({ code: 0 })
    expect([read('uci/wireless'), existsSync(join(house.dir, 'uci/firewall')), existsSync(join(house.dir, 'mesh-code'))]).toEqual([WIRELESS, false, false])
    expect(await run('join-undo --config-dir uci')).toMatchObject({ code: 1 })
  })

  it('does not undo over what somebody changed since; leaving still works', async () => {
    await run('join - --apply --config-dir uci', { stdin: meshCode() })
    writeFileSync(join(house.dir, 'uci/wireless'), `${read('uci/wireless')}# and more\n`)
    const refused = await run('join-undo --config-dir uci')
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('/etc/config/wireless')])
    expect((await run('leave --apply --config-dir uci')).code).toBe(0)
    expect(read('uci/wireless')).not.toContain('correct-horse')
    expect(read('uci/wireless')).toContain('# and more')
  })

  it('changes nothing by a code with a mistake in it', async () => {
    const code = meshCode()
    const wrong = await run('join - --apply --config-dir uci', { stdin: `${code.slice(0, 60)}x${code.slice(61)}` })
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('mistake')])
    expect(read('uci/wireless')).toBe(WIRELESS)
  })

  it('begins a community of its own, which no code of another may take', async () => {
    const made = await run("mesh new 'Roofs of Alma' --apply --config-dir uci")
    expect([made.code, made.out]).toEqual([0, expect.stringContaining('meshbox.mesh.community = own')])
    const wireless = read('uci/wireless')
    const secret = /option key '([^']+)'/.exec(wireless)?.[1] ?? ''
    expect([secret.length, made.out.includes(secret), wireless.includes("option channel '36'")]).toEqual([20, false, true])
    const mesh = loadConfig(read('uci/meshbox'), 'box').mesh
    expect([mesh.community, mesh.communityName, /^fd[0-9a-f:]+::\/64$/.test(mesh.ulaPrefix ?? '')]).toEqual(['own', 'Roofs of Alma', true])
    for (const line of ['join - --config-dir uci', 'mesh new again --apply --config-dir uci']) {
      const again = await run(line, { stdin: meshCode() })
      expect([line, again.code, again.err]).toEqual([line, 1, expect.stringContaining('leave it first')])
    }
    expect(read('uci/wireless')).toBe(wireless)
    expect(await run('join-undo --config-dir uci')).toMatchObject({ code: 0 })
    expect(read('uci/wireless')).toBe(WIRELESS)
  })

  it('needs no service when it is told the address', async () => {
    const alone = await meshbox(`join - --config-dir uci --box 0x${'b2'.repeat(20)}`, { cwd: house.dir, stdin: meshCode(), env: { MESHBOX_SOCKET: '/nowhere' } })
    expect([alone.code, alone.out]).toEqual([0, expect.stringContaining(':b2b2:b2b2:b2b2:b2b2/64')])
  })
})
