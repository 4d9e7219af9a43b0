/** What a code does to a router's configuration: shown, done, undone, and left again; and the chain's file from neighbours. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError, bytesOf, encodeRlp, utf8 } from '../../../src/base/index.ts'
import { loadConfig, parseUci } from '../../../src/config/index.ts'
import { changeText, chainFileAnswer, chainFileHash, codeParts, codeText, fetchChainFile, makeInvitation, planJoin, planLeave, planUndo, readInvitation } from '../../../src/mesh/joining/index.ts'
import type { CommunityCode, ConfigTexts } from '../../../src/mesh/joining/index.ts'
import type { BoxId } from '../../../src/mesh/ports.ts'
import { TERMS, boxDocuments, keys } from './boxes.ts'

const founder = boxDocuments(0)
const BOX: BoxId = '0x0000000000000000000000000123456789abcdef'
const CHAIN_FILE = '/etc/meshbox/chain.json'
const code = (change: Partial<CommunityCode> = {}): CommunityCode =>
  readInvitation(founder, keys, codeParts(keys, codeText(keys, makeInvitation(founder, keys, { ...TERMS, community: founder.self, number: 1, uses: 1, notAfterSeconds: null, nonce: new Uint8Array(16), ...change }))))

/** As the package's set-up leaves a router with two radios. */
const ROUTER: ConfigTexts = {
  meshbox: "# mine\nconfig meshbox 'main'\n\toption name 'Café'\n\tlist roles 'hotspot'\n",
  network: "config interface 'lan'\n\toption device 'br-lan'\n\nconfig interface 'bat0'\n\toption proto 'batadv'\n\nconfig interface 'meshbox_hardif'\n\toption proto 'batadv_hardif'\n\toption master 'bat0'\n\toption mtu '1536'\n",
  wireless:
    "config wifi-device 'radio0'\n\toption band '2g'\n\toption channel '1'\n\nconfig wifi-device 'radio1'\n\toption band '5g'\n\toption channel '44'\n\nconfig wifi-iface 'meshbox_radio1'\n\toption device 'radio1'\n\toption mode 'ap'\n\nconfig wifi-iface 'meshbox_mesh'\n\toption device 'radio1'\n\toption network 'meshbox_hardif'\n\toption mode 'mesh'\n\toption mesh_id 'meshbox'\n\toption mesh_fwding '0'\n\toption encryption 'sae'\n\toption disabled '1'\n",
  firewall: "config zone 'meshbox_mesh'\n\toption name 'meshbox'\n",
}
const withAfter = (texts: ConfigTexts, after: Partial<Record<string, string>>): ConfigTexts => ({ ...texts, ...after })

describe('a code that is joined by', () => {
  it('changes what the mesh needs and nothing else, and says so without the password', () => {
    const plan = planJoin(ROUTER, { code: code(), box: BOX, chainFile: CHAIN_FILE })
    expect(plan.changes.map(changeText)).toEqual([
      'meshbox.main.roles: hotspot → hotspot, relay, light, photon',
      `meshbox.chain.network = ${CHAIN_FILE}`,
      `meshbox.photon.contract = ${TERMS.contract}`,
      `meshbox.photon.tokens = ${TERMS.tokens[0]?.address}:SMT:18`,
      `meshbox.mesh.community = ${founder.self}`,
      'meshbox.mesh.community_name = Roofs of Alma',
      'meshbox.mesh.ula_prefix = fd12:3456:789a::/64',
      `meshbox.mesh.token = ${TERMS.prices.token}`,
      'meshbox.mesh.price_per_mib = 0.001',
      'network.meshbox_address.device = bat0',
      'network.meshbox_address.proto = static',
      'network.meshbox_address.ip6addr = fd12:3456:789a:0:123:4567:89ab:cdef/64',
      'wireless.radio1.channel: 44 → 36',
      'wireless.meshbox_mesh.mesh_id: meshbox → alma-roofs',
      'wireless.meshbox_mesh.key = (the password on the code)',
      'wireless.meshbox_mesh.disabled: 1 → 0',
      'firewall.meshbox_peers.name = MeshBox-Peers',
      'firewall.meshbox_peers.src = meshbox',
      'firewall.meshbox_peers.family = ipv6',
      'firewall.meshbox_peers.target = ACCEPT',
      'firewall.meshbox_peers.proto = tcp',
      'firewall.meshbox_peers.dest_port = 60404',
      'firewall.meshbox_beacon.name = MeshBox-Beacon',
      'firewall.meshbox_beacon.src = meshbox',
      'firewall.meshbox_beacon.family = ipv6',
      'firewall.meshbox_beacon.target = ACCEPT',
      'firewall.meshbox_beacon.proto = udp',
      'firewall.meshbox_beacon.dest_port = 40003',
    ])
    expect(plan.notes).toEqual(['The other networks of radio1 move to channel 36 too.'])
    expect(plan.after.meshbox).toContain('# mine')
    expect(plan.after.wireless).toContain("option key 'correct-horse-battery'")
    expect(JSON.stringify([plan.changes, plan.notes])).not.toContain('correct-horse')
    expect(loadConfig(plan.after.meshbox ?? '', 'box').mesh.pricePerMib).toBe(10n ** 15n)
  })

  it('changes nothing the second time', () => {
    const wish = { code: code(), box: BOX, chainFile: CHAIN_FILE }
    expect(planJoin(withAfter(ROUTER, planJoin(ROUTER, wish).after), wish).changes).toEqual([])
  })

  it('is undone byte for byte, or not at all once somebody has changed a file', () => {
    const plan = planJoin(ROUTER, { code: code(), box: BOX, chainFile: CHAIN_FILE })
    const joined = withAfter(ROUTER, plan.after)
    expect({ ...joined, ...planUndo(plan, joined) }).toEqual(ROUTER)
    expect(() => planUndo(plan, { ...joined, wireless: `${joined.wireless}\n` })).toThrow(/\/etc\/config\/wireless/)
  })

  it('makes every file of a box that has none, and takes them away again', () => {
    const nothing: ConfigTexts = { meshbox: null, network: null, wireless: null, firewall: null }
    const plan = planJoin(nothing, { code: code({ contract: null, chainFileHash: null }), box: BOX, chainFile: null })
    expect(plan.notes[0]).toMatch(/no radio/)
    expect(Object.keys(plan.after)).toEqual(['meshbox', 'network', 'firewall'])
    expect(planUndo(plan, withAfter(nothing, plan.after))).toEqual({ meshbox: null, network: null, firewall: null })
  })

  it('keeps what its owner has decided: other chain, own price, own port, sealer', () => {
    const meshbox = "config meshbox 'main'\n list roles 'sealer'\nconfig chain 'chain'\n option network 'mainnet'\n option coinbase '0x00000000000000000000000000000000000000aa'\nconfig mesh 'mesh'\n option listen_port '50000'\n"
    const plan = planJoin({ ...ROUTER, meshbox }, { code: code(), box: BOX, chainFile: CHAIN_FILE })
    const config = loadConfig(plan.after.meshbox ?? '', 'box')
    expect([config.chain.network, config.main.roles, config.mesh.token]).toEqual(['mainnet', ['sealer', 'relay'], null])
    expect(plan.notes.join()).toContain('keeps the chain mainnet')
    expect(plan.after.firewall).toContain("dest_port '50000'")
  })

  it('names what stands in its way', () => {
    const meshbox = `config mesh 'mesh'\n option community '${boxDocuments(5).self}'\n`
    expect(() => planJoin({ ...ROUTER, meshbox }, { code: code(), box: BOX, chainFile: null })).toThrow(/leave it first/)
    expect(() => planJoin({ ...ROUTER, meshbox: "config mesh 'mesh'\n option listen_port '1'\n" }, { code: code(), box: BOX, chainFile: null })).toThrow(/config check/)
  })

  it('leaves a mesh without a password open only with a word about it', () => {
    const plan = planJoin(ROUTER, { code: code({ meshSecret: '' }), box: BOX, chainFile: CHAIN_FILE })
    expect(plan.notes.join()).toContain('no password')
    expect(plan.after.wireless).toContain("option encryption 'none'")
  })

  it('is left: no radio, no door, no community, and everything else stays', () => {
    const joined = withAfter(ROUTER, planJoin(ROUTER, { code: code(), box: BOX, chainFile: CHAIN_FILE }).after)
    const left = withAfter(joined, planLeave(joined).after)
    const config = loadConfig(left.meshbox ?? '', 'box')
    expect([config.mesh.community, config.main.roles, config.chain.network]).toEqual([null, ['hotspot', 'light', 'photon'], CHAIN_FILE])
    expect(left.wireless).not.toContain('correct-horse')
    const mesh = parseUci(left.wireless ?? '', 'wireless').sections.find(({ name }) => name === 'meshbox_mesh')
    expect(mesh?.options.find(({ name }) => name === 'disabled')?.values[0]?.text).toBe('1')
    expect(left.firewall).not.toContain('dest_port')
    expect(planLeave(left).after).toEqual({})
  })
})

describe("the chain's file", () => {
  const keccak = (bytes: Uint8Array): Uint8Array => keys.keccak256(bytes)
  const text = 'the file '.repeat(2000)
  const hash = chainFileHash(keccak, text)
  const shelf = { hash, bytes: utf8(text) }
  const [a, b, c]: [BoxId, BoxId, BoxId] = [boxDocuments(1).self, boxDocuments(2).self, boxDocuments(3).self]

  it('comes in pieces from whoever has the right one', async () => {
    let asked = 0
    const answers = new Map<BoxId, (question: Uint8Array) => Uint8Array | null>([
      [a, () => null],
      [b, (question) => chainFileAnswer({ hash, bytes: utf8('another file'.repeat(300)) }, question)],
      [c, (question) => chainFileAnswer(shelf, question)],
    ])
    const questions = {
      ask: async (to: BoxId, question: Uint8Array): Promise<Uint8Array> => {
        asked++
        const answer = answers.get(to)?.(question) ?? null
        if (answer === null) throw new Error('not that one')
        return answer
      },
    }
    expect(await fetchChainFile(questions, keccak, hash, [a, b, c])).toBe(text)
    expect(asked).toBe(1 + 2 + Math.ceil(utf8(text).length / 3072))
    await expect(fetchChainFile(questions, keccak, hash, [a, b])).rejects.toMatchObject({ code: 'no-chain-file' })
    await expect(fetchChainFile(questions, keccak, hash, [])).rejects.toMatchObject({ code: 'no-chain-file' })
  })

  it('is not handed out for anything but its hash, and no question is too much', () => {
    expect(() => chainFileAnswer(shelf, new Uint8Array([1, 2, 3]))).toThrow(MeshBoxError)
    expect(chainFileAnswer(null, question(hash, 0))).toBeNull()
    expect(chainFileAnswer(shelf, question(chainFileHash(keccak, 'x'), 0))).toBeNull()
    expect(chainFileAnswer(shelf, question(hash, shelf.bytes.length))).toBeNull()
    expect(chainFileAnswer(shelf, question(hash, 0))?.length).toBeLessThanOrEqual(4096)
  })

  it('from somebody whose pieces never end is given up', async () => {
    let length = 2
    const endless = { ask: async (): Promise<Uint8Array> => piece(length++, new Uint8Array([1])) }
    await expect(fetchChainFile(endless, keccak, hash, [a])).rejects.toMatchObject({ code: 'no-chain-file' })
  })

  it('from somebody who hands it out byte by byte is asked of the next one after the first byte', async () => {
    const asked: BoxId[] = []
    const questions = {
      ask: async (to: BoxId, asking: Uint8Array): Promise<Uint8Array> => {
        asked.push(to)
        return to === a ? piece(200, new Uint8Array([1])) : (chainFileAnswer(shelf, asking) ?? new Uint8Array())
      },
    }
    expect(await fetchChainFile(questions, keccak, hash, [a, b])).toBe(text)
    expect(asked.filter((to) => to === a)).toEqual([a])
  })
})

function question(hash: `0x${string}`, offset: number): Uint8Array {
  return encodeRlp([bytesOf(hash), offset === 0 ? new Uint8Array(0) : Uint8Array.from([offset >> 8, offset & 0xff])])
}
function piece(length: number, bytes: Uint8Array): Uint8Array {
  return encodeRlp([Uint8Array.from([length]), bytes])
}
