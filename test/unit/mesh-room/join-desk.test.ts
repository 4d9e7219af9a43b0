/** Joining from the dashboard: shown, written, undone, left; files as `meshbox join` leaves them. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { ConfigInForce } from '../../../src/main/config-door.ts'
import { joinDesk } from '../../../src/main/mesh-join.ts'
import { loadConfig } from '../../../src/config/index.ts'
import type { JoinDesk } from '../../../src/owner/index.ts'
import { codeText, makeInvitation } from '../../../src/mesh/joining/index.ts'
import { seededRandom } from '../../support/fakes.ts'
import { TERMS, boxDocuments, curve, keys } from '../mesh-joining/boxes.ts'

const WIRELESS = "config wifi-device 'radio0'\n\toption band '5g'\n\toption channel '36'\n"
const founder = boxDocuments(0)
const BOX = boxDocuments(3).self
const CODE = codeText(keys, makeInvitation(founder, keys, { ...TERMS, community: founder.self, number: 1, uses: 1, notAfterSeconds: null, nonce: new Uint8Array(16).fill(3) }))

let folder: string
let desk: JoinDesk
let own: string
const path = (name: string): string => join(folder, name)
const read = (name: string): string => readFileSync(path(name), 'utf8')

/** As after a start of the service. */
function freshDesk(): JoinDesk {
  const config = new ConfigInForce(path('uci/meshbox'), loadConfig(read('uci/meshbox'), 'meshbox'), silentLog, () => undefined)
  return joinDesk({ configPath: path('uci/meshbox'), config, box: BOX, curve: () => curve, randomness: seededRandom(5) })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshbox-join-'))
  mkdirSync(path('uci'))
  mkdirSync(path('data'))
  own = `# mine\nconfig meshbox 'main'\n\toption data_dir '${path('data')}'\n`
  writeFileSync(path('uci/meshbox'), own)
  writeFileSync(path('uci/wireless'), WIRELESS, { mode: 0o600 })
  desk = freshDesk()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('joining from the dashboard', () => {
  it('shows first, and writes nothing', async () => {
    const shown = await desk.run({ do: 'join', code: CODE })
    expect(shown).toMatchObject({ isWritten: false, community: { address: founder.self, name: TERMS.name, meshId: TERMS.meshId, meshChannel: 36, hasPassword: true } })
    expect(JSON.stringify(shown)).not.toContain(TERMS.meshSecret)
    expect([read('uci/meshbox'), read('uci/wireless'), existsSync(path('data/mesh-code')), existsSync(path('data/mesh-join.json'))]).toEqual([own, WIRELESS, false, false])
    expect(desk.state()).toEqual({ community: null, needsRestart: false, canUndo: false })
  })

  it('writes what it showed, says that a restart is needed, and puts everything back', async () => {
    const shown = await desk.run({ do: 'join', code: CODE })
    const done = await desk.run({ do: 'join', code: `${CODE.slice(0, 80)}\n ${CODE.slice(80)}`, apply: true })
    expect(done).toEqual({ ...shown, isWritten: true })
    expect(read('uci/wireless')).toContain(`option key '${TERMS.meshSecret}'`)
    expect([read('data/mesh-code'), statSync(path('data/mesh-code')).mode & 0o777, statSync(path('data/mesh-join.json')).mode & 0o777, statSync(path('uci/wireless')).mode & 0o777]).toEqual([`${CODE}\n`, 0o600, 0o600, 0o600])
    expect(desk.state()).toEqual({ community: { address: founder.self, name: TERMS.name }, needsRestart: true, canUndo: true })
    expect(loadConfig(read('uci/meshbox'), 'meshbox').main.roles).toContain('relay')

    expect(await desk.run({ do: 'undo' })).toMatchObject({ isWritten: false })
    expect(desk.state().canUndo).toBe(true)
    expect(await desk.run({ do: 'undo', apply: true })).toMatchObject({ isWritten: true })
    expect([read('uci/meshbox'), read('uci/wireless'), existsSync(path('uci/firewall')), existsSync(path('data/mesh-code'))]).toEqual([own, WIRELESS, false, false])
    expect(desk.state()).toEqual({ community: null, needsRestart: false, canUndo: false })
    await expect(desk.run({ do: 'undo', apply: true })).rejects.toMatchObject({ code: 'nothing-to-undo' })
  })

  it('does not undo over what somebody changed since; leaving still works, and keeps what he wrote', async () => {
    await desk.run({ do: 'join', code: CODE, apply: true })
    writeFileSync(path('uci/wireless'), `${read('uci/wireless')}# and more\n`)
    await expect(desk.run({ do: 'undo', apply: true })).rejects.toMatchObject({ code: 'changed-since' })
    expect(await desk.run({ do: 'leave', apply: true })).toMatchObject({ isWritten: true, community: null })
    expect(read('uci/wireless')).not.toContain(TERMS.meshSecret)
    expect(read('uci/wireless')).toContain('# and more')
    expect(desk.state()).toEqual({ community: null, needsRestart: false, canUndo: false })
  })

  it('begins a community of its own, once', async () => {
    const made = await desk.run({ do: 'begin', name: 'Roofs of Alma', channel: 44, apply: true })
    expect(made).toMatchObject({ isWritten: true, community: { address: BOX, name: 'Roofs of Alma', meshChannel: 44, hasPassword: true } })
    expect(desk.state().community).toEqual({ address: BOX.toLowerCase(), name: 'Roofs of Alma' })
    await expect(desk.run({ do: 'begin', name: 'Another', apply: true })).rejects.toMatchObject({ code: 'other-community' })
    await expect(desk.run({ do: 'join', code: CODE, apply: true })).rejects.toMatchObject({ code: 'other-community' })
  })

  it.each([
    [{ do: 'join' }, 'code'],
    [{ do: 'join', code: 'meshbox:AAAA' }, 'code'],
    [{ do: 'join', code: 'https://example.org' }, 'code'],
    [{ do: 'join', code: `${CODE.slice(0, 60)}x${CODE.slice(61)}` }, 'code'],
    [{ do: 'begin' }, 'name'],
    [{ do: 'begin', name: ' blank' }, 'name'],
    [{ do: 'begin', name: 'é'.repeat(17) }, 'name'],
  ] as const)('changes nothing by %j, and names %s', async (order, field) => {
    await expect(desk.run({ ...order, apply: true })).rejects.toMatchObject({ kind: 'input', field })
    expect([read('uci/meshbox'), read('uci/wireless'), existsSync(path('data/mesh-join.json'))]).toEqual([own, WIRELESS, false])
  })

  it('says that the mesh is what is plugged in where no radio has the channel', async () => {
    const other = WIRELESS.replace('5g', '2g').replace('36', '6')
    writeFileSync(path('uci/wireless'), other)
    const done = await desk.run({ do: 'join', code: CODE, apply: true })
    expect(done.notes).toContain('No radio of this box is for channel 36: its mesh is what is plugged in.')
    expect([read('uci/wireless'), desk.state().community?.address]).toEqual([other, founder.self])
  })

  it('changes nothing where the radio that the files name for the mesh is not there', async () => {
    writeFileSync(path('uci/wireless'), `${WIRELESS}config wifi-iface 'meshbox_mesh'\n\toption device 'radio9'\n`)
    await expect(desk.run({ do: 'join', code: CODE, apply: true })).rejects.toMatchObject({ code: 'no-radio' })
    expect([read('uci/meshbox'), existsSync(path('data/mesh-join.json')), existsSync(path('data/mesh-code')), existsSync(path('uci/network'))]).toEqual([own, false, false, false])
  })

  it('does one order after the other: two at once leave the way back of the first', async () => {
    const both = await Promise.all([desk.run({ do: 'join', code: CODE, apply: true }), desk.run({ do: 'join', code: CODE, apply: true })])
    expect(both[1].changes).toEqual([])
    await desk.run({ do: 'undo', apply: true })
    expect(read('uci/wireless')).toBe(WIRELESS)
  })

  it('goes back to where it began after a power cut in the middle, with and without a second try', async () => {
    const whole = join(folder, 'whole')
    for (const isTriedAgain of [false, true]) {
      await desk.run({ do: 'join', code: CODE, apply: true })
      // The box's own file is written last: as if the power had gone before it, and before the radio's.
      cpSync(path('uci'), whole, { recursive: true })
      writeFileSync(path('uci/meshbox'), own)
      writeFileSync(path('uci/wireless'), WIRELESS)
      desk = freshDesk()
      expect(desk.state().canUndo).toBe(true)
      if (isTriedAgain) {
        await desk.run({ do: 'join', code: CODE, apply: true })
        expect(read('uci/wireless')).toBe(readFileSync(join(whole, 'wireless'), 'utf8'))
      }
      await desk.run({ do: 'undo', apply: true })
      expect([read('uci/meshbox'), read('uci/wireless'), existsSync(path('uci/network')), existsSync(path('uci/firewall'))]).toEqual([own, WIRELESS, false, false])
    }
  })

  it('does not take a way back that somebody else wrote', async () => {
    for (const text of ['{', '[]', '{"after":{},"before":null}', '{"after":{"network":7},"before":{}}']) {
      writeFileSync(path('data/mesh-join.json'), text)
      await expect(desk.run({ do: 'undo', apply: true })).rejects.toMatchObject({ code: 'bad-undo-file' })
    }
  })
})
