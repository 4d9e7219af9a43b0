/** The owner's door to the mesh: one answer for the page, bans, health, metrics, and what is said where there is no mesh. */
import { describe, expect, it } from 'vitest'
import { metricsText } from '../../../src/owner/metrics.ts'
import { amountsInTokens } from '../../../src/owner/money.ts'
import { MeshVerbs } from '../../../src/owner/mesh.ts'
import { MESH_SELF, ROOF, scriptedMesh } from '../../support/mesh-views.ts'
import { buildHouse } from './house.ts'

const ALARM = { code: 'twin', text: 'two boxes show one key', sinceMs: 900_000 }

function timed(): { boottimeMs(): number; nowMs: number } {
  return { nowMs: 1_000_000, boottimeMs() { return this.nowMs } }
}

describe('the page', () => {
  it('has all in one answer, and batman-adv is asked for it at most once a second', async () => {
    const mesh = scriptedMesh()
    const clock = timed()
    const verbs = new MeshVerbs(mesh, null, clock)
    const view = await verbs.view()
    expect(view).toMatchObject({ status: verbs.status(), map: verbs.map(), peers: verbs.peers().peers, members: verbs.peers().members, wayOut: [ROOF], ...verbs.invitations() })
    await verbs.view()
    clock.nowMs += 999
    await verbs.view()
    expect(mesh.looks.count).toBe(1)
    clock.nowMs += 1
    await verbs.view()
    expect(mesh.looks.count).toBe(2)
  })

  it('waits for what batman-adv says now', async () => {
    let nodes = 3
    const mesh = scriptedMesh()
    const desk = { ...mesh.desk, status: () => ({ ...mesh.desk.status(), nodes }), look: async () => void (nodes = 4) }
    expect((await new MeshVerbs({ ...mesh, desk }, null, timed()).view()).status.nodes).toBe(4)
  })

  it('tells who is connected, who offers a way out, and who is banned for how long and why', () => {
    const verbs = new MeshVerbs(scriptedMesh(), null, timed())
    expect(verbs.map().nodes.map(({ isSelf, isConnected, isNeighbour, isGone }) => [isSelf, isConnected, isNeighbour, isGone])).toEqual([[true, false, false, false], [false, true, true, false], [false, false, false, true]])
    expect(verbs.peers().peers.map(({ ban }) => ban)).toEqual([null, { forSeconds: 60, reason: 'sends too much' }])
  })
})

describe('orders', () => {
  it('ban whom the owner names, however his address is written, but not this box', async () => {
    const mesh = scriptedMesh()
    const verbs = new MeshVerbs(mesh, null, timed())
    await verbs.ban(`0x${ROOF.slice(2).toUpperCase()}`, {})
    await verbs.unban(ROOF)
    expect(mesh.asked).toEqual([`ban ${ROOF} by the owner`, `unban ${ROOF}`])
    await expect(verbs.ban(MESH_SELF, { reason: 'oops' })).rejects.toMatchObject({ kind: 'conflict', code: 'ban-self' })
  })

  it('make a code with its picture', async () => {
    const { code, number, qr } = await new MeshVerbs(scriptedMesh(), null, timed()).invite({ uses: 2 })
    expect([code, number]).toEqual(['meshbox:AbCdEf', 4])
    expect(qr.modules).toBeGreaterThan(20)
    expect(qr.path).toMatch(/^M[\dMhvz -]+z$/)
  })
})

describe('where there is no mesh', () => {
  it('says how to get one, or why it could not be started', async () => {
    const none = new MeshVerbs(null, null, timed())
    expect([none.isOn, none.health(), none.statusOrNull()]).toEqual([false, null, null])
    await expect(none.view()).rejects.toMatchObject({ kind: 'unavailable', code: 'no-mesh' })
    expect(() => none.joining()).toThrow(expect.objectContaining({ code: 'no-router-files' }))
    const broken = new MeshVerbs({ desk: null, fault: 'port 60404 is taken', token: () => null, tokenAt: () => null }, null, timed())
    expect([broken.isOn, broken.statusOrNull()]).toEqual([true, null])
    expect(broken.health()).toMatchObject({ part: 'mesh', level: 'bad', text: 'The mesh could not be started: port 60404 is taken' })
    await expect(broken.view()).rejects.toMatchObject({ code: 'mesh-not-started' })
  })
})

describe('health and metrics', () => {
  it('are one line, the worst first', () => {
    const line = (over: Parameters<typeof scriptedMesh>[0]): unknown => new MeshVerbs(scriptedMesh(over), null, timed()).health()
    expect(line({})).toEqual({ part: 'mesh', level: 'ok', text: 'Mesh: 3 in reach, 1 connected' })
    expect(line({ nodes: 0 })).toMatchObject({ level: 'warn', text: 'No other box of the mesh is in reach' })
    expect(line({ nodes: 0, alarms: [ALARM, ALARM] })).toMatchObject({ level: 'bad', text: 'Mesh: two boxes show one key, and 1 more' })
  })

  it('give figures to Prometheus; none on a box without a mesh, and 0 for one that does not run', async () => {
    const house = await buildHouse()
    try {
      const text = (mesh: Parameters<typeof metricsText>[4]): string => metricsText(house.owner.status(), { symbol: 'TOK', decimals: 6 }, [], null, mesh, null)
      const shown = text({ status: new MeshVerbs(scriptedMesh({ alarms: [ALARM, ALARM] }), null, timed()).status() })
      for (const line of ['meshbox_mesh_up 1', 'meshbox_mesh_nodes 3', 'meshbox_mesh_peers 1', 'meshbox_mesh_devices 4', 'meshbox_mesh_reach{reach="internet"} 1', 'meshbox_mesh_reach{reach="none"} 0', 'meshbox_mesh_alarms{code="twin"} 2']) expect(shown.split('\n')).toContain(line)
      expect(text({ status: null })).toContain('meshbox_mesh_up 0')
      expect(text({ status: null })).not.toContain('meshbox_mesh_nodes')
      expect(text(null)).not.toContain('meshbox_mesh')
    } finally {
      await house.close()
    }
  })
})

describe('amounts', () => {
  it('in reasons are in the token, whoever wrote them; those of another token are in that one', () => {
    const mesh = scriptedMesh({ alarms: [{ code: 'carriage', text: 'it owes 1500000 units', sinceMs: null }] })
    const verbs = new MeshVerbs(mesh, null, timed())
    expect(verbs.map().payments.map(({ reason }) => reason)[0]).toBe('2.5 MIN are owed; up to 2 MIN may be')
    expect(verbs.status().alarms[0]?.text).toBe('it owes 1.5 MIN')
    const [first] = mesh.desk.map().payments
    const foreign = { ...mesh, desk: { ...mesh.desk, prices: () => ({ ...mesh.desk.prices(), carriages: first === undefined ? [] : [{ ...first, token: `0x${'99'.repeat(20)}` as const }] }) } }
    expect(new MeshVerbs(foreign, null, timed()).prices().carriages).toMatchObject([{ token: { symbol: '0x9999…9999', decimals: 0 }, owed: { text: '2500000' }, reason: '2500000 0x9999…9999 are owed; up to 2000000 0x9999…9999 may be' }])
  })

  it('are found whatever a neighbour writes', () => {
    const token = { symbol: 'MIN', decimals: 6 }
    expect(amountsInTokens('5 units, x5 units, 1.5 units, 5units, units', token)).toBe('0.000005 MIN, x5 units, 1.5 units, 5units, units')
    expect(amountsInTokens(`${'9'.repeat(60)} units`, token)).toBe(`${'9'.repeat(60)} units`)
    expect(amountsInTokens('5 units', null)).toBe('5 units')
    expect(amountsInTokens('5 units', { symbol: '', decimals: 0 })).toBe('5')
  })
})

describe('carriages and guests', () => {
  it('orders go to the desk with the box as it writes it', async () => {
    const mesh = scriptedMesh()
    const verbs = new MeshVerbs(mesh, null, timed())
    const shouted = `0x${ROOF.slice(2).toUpperCase()}`
    expect(await verbs.endCarriage(shouted, {})).toEqual(verbs.prices())
    await verbs.readmit(shouted)
    await verbs.writeOff(shouted)
    expect(mesh.asked).toEqual([`end ${ROOF} by the owner`, `readmit ${ROOF}`, `write-off ${ROOF}`])
  })

  it('who is away, who visits, and what boxes owe for them', () => {
    expect(new MeshVerbs(scriptedMesh(), null, timed()).guests()).toMatchObject({
      walks: true,
      away: [{ holder: ROOF, forSeconds: 600, heardSecondsAgo: 600, leftSeconds: 1800, usedSeconds: 600, isContested: false }],
      visitors: [{ seller: ROOF, isIn: true, reason: null, price: { text: '0.002' }, token: { symbol: 'MIN' } }, { isIn: false, price: null, token: null }],
      debts: [{ box: ROOF, isOurs: 'seller', open: { text: '0.004' }, forSeconds: 600 }, { isOurs: 'holder', open: { text: '0' }, forSeconds: null }],
    })
    expect(new MeshVerbs(scriptedMesh({}, { guests: () => null }), null, timed()).guests()).toEqual({ walks: false, away: [], visitors: [], debts: [] })
  })
})
