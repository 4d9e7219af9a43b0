/**
 * A code → what changes in the router's configuration: shown before it is done, and undone byte for byte as long as nobody
 * has changed the files since. Only what the mesh needs is touched: batman-adv and its addresses, the radio's mesh network,
 * the firewall's door for other boxes, and this service's own section. Rules of the sections: OpenWrt's, as the package's
 * `setup` lays them out (docs/packages.md).
 */
import { MeshBoxError, formatAmount, inputError } from '../../base/index.ts'
import { ConfigError, editUci, loadConfig, parseUci } from '../../config/index.ts'
import type { OptionValue, UciEdit, UciFile } from '../../config/index.ts'
import type { BoxId } from '../ports.ts'
import { meshAddressOf } from './invitation.ts'
import type { CommunityCode } from './invitation.ts'

export const JOIN_FILES = ['meshbox', 'network', 'wireless', 'firewall'] as const
export type JoinFile = (typeof JOIN_FILES)[number]
/** Texts of /etc/config; null: there is no such file. */
export type ConfigTexts = Readonly<Record<JoinFile, string | null>>

/** UDP port on which boxes tell each other where they are: that of peers/io/beacon-socket.ts. */
export const BEACON_PORT = 40_003
const SECTIONS = { address: 'meshbox_address', hard: 'meshbox_hardif', radio: 'meshbox_mesh', door: 'meshbox_peers', beacon: 'meshbox_beacon' } as const
const SECRET = '(the password on the code)'

export interface JoinChange {
  readonly file: JoinFile
  /** `wireless.meshbox_mesh.mesh_id` */
  readonly option: string
  /** Null: not there. Passwords are never shown. */
  readonly from: string | null
  readonly to: string
}

export interface JoinPlan {
  readonly changes: readonly JoinChange[]
  /** What the owner should know before. */
  readonly notes: readonly string[]
  /** Files that change, as they would be. */
  readonly after: Readonly<Partial<Record<JoinFile, string>>>
  /** Of the same files, as they were: what undoing puts back. */
  readonly before: Readonly<Partial<Record<JoinFile, string | null>>>
}

export interface JoinWish {
  readonly code: CommunityCode
  readonly box: BoxId
  /** Path of the chain's join file, where it will be; null: the box follows no chain. */
  readonly chainFile: string | null
}

/** A code of this box's own community begins it. Errors: ConfigError where a file cannot be read; conflict `other-community`, `no-radio`. */
export function planJoin(texts: ConfigTexts, wish: JoinWish): JoinPlan {
  const notes: string[] = []
  const sections: Record<JoinFile, readonly Wanted[]> = {
    meshbox: ownSections(texts.meshbox ?? '', wish, notes),
    network: networkSections(texts.network ?? '', wish),
    wireless: radioSections(texts.wireless ?? '', wish.code, notes),
    firewall: firewallSections(portOf(texts.meshbox ?? '')),
  }
  const changes: JoinChange[] = []
  const after: Partial<Record<JoinFile, string>> = {}
  const before: Partial<Record<JoinFile, string | null>> = {}
  for (const file of JOIN_FILES) {
    const text = texts[file] ?? ''
    const made = withSections(file, text, sections[file])
    if (made.changes.length === 0) continue
    changes.push(...made.changes)
    after[file] = made.text
    before[file] = texts[file]
  }
  if (after.meshbox !== undefined) loadConfig(after.meshbox, 'meshbox') // what the service would refuse is not written
  if (wish.code.meshSecret === '') notes.push('The mesh has no password: whoever is near can read and send in it.')
  return { changes, notes, after, before }
}

/** The way back, also from what was written in part. Errors: conflict `changed-since`, naming the files. */
export function planUndo(plan: Pick<JoinPlan, 'after' | 'before'>, now: ConfigTexts): Readonly<Partial<Record<JoinFile, string | null>>> {
  const touched = JOIN_FILES.filter((file) => plan.after[file] !== undefined)
  const changed = touched.filter((file) => now[file] !== plan.after[file] && now[file] !== (plan.before[file] ?? null))
  if (changed.length > 0) throw new MeshBoxError('conflict', `changed since it was joined: ${changed.map((file) => `/etc/config/${file}`).join(', ')}; leave the community instead`, { code: 'changed-since', field: 'files', value: changed.join(' ') })
  return Object.fromEntries(touched.map((file) => [file, plan.before[file] ?? null]))
}

/** Out of the community without the files as they were: the mesh's radio off, its door shut, no community. */
export function planLeave(texts: ConfigTexts): JoinPlan {
  const changes: JoinChange[] = []
  const after: Partial<Record<JoinFile, string>> = {}
  const before: Partial<Record<JoinFile, string | null>> = {}
  const edit = (file: JoinFile, edits: readonly UciEdit[], told: readonly JoinChange[]): void => {
    if (edits.length === 0) return
    after[file] = editUci(texts[file] ?? '', edits, file)
    before[file] = texts[file]
    changes.push(...told)
  }
  const wireless = parseUci(texts.wireless ?? '', 'wireless')
  if (has(wireless, SECTIONS.radio) && (valueOf(wireless, SECTIONS.radio, 'disabled') !== '1' || valueOf(wireless, SECTIONS.radio, 'key') !== null)) {
    const section = { name: SECTIONS.radio }
    edit('wireless', [{ do: 'delete-option', section, option: 'key' }, { do: 'set-option', section, option: 'disabled', value: '1' }], [change('wireless', SECTIONS.radio, 'disabled', valueOf(wireless, SECTIONS.radio, 'disabled'), '1')])
  }
  for (const [file, names] of [['firewall', [SECTIONS.door, SECTIONS.beacon]], ['network', [SECTIONS.address]]] as const) {
    const there = names.filter((name) => has(parseUci(texts[file] ?? '', file), name))
    edit(file, there.map((name) => ({ do: 'delete-section', section: { name } })), there.map((name) => ({ file, option: `${file}.${name}`, from: 'there', to: 'gone' })))
  }
  const own = parseUci(texts.meshbox ?? '', 'meshbox')
  const roles = listOf(own, 'main', 'roles')
  const edits: UciEdit[] = has(own, 'mesh') ? [{ do: 'delete-section', section: { name: 'mesh' } }] : []
  if (roles.includes('relay')) edits.push({ do: 'set-list', section: { name: 'main' }, option: 'roles', values: roles.filter((role) => role !== 'relay') })
  edit('meshbox', edits, [{ file: 'meshbox', option: 'meshbox.mesh.community', from: valueOf(own, 'mesh', 'community'), to: 'none' }])
  return { changes, notes: ['What was paid and earned stays in the book; channels stay open.'], after, before }
}

/** One line for each change, for a terminal or a page. */
export function changeText({ option, from, to }: JoinChange): string {
  return from === null ? `${option} = ${to}` : `${option}: ${from} → ${to}`
}

interface Wanted {
  readonly name: string
  readonly type: string
  readonly options: Readonly<Record<string, OptionValue>>
  readonly secrets?: readonly string[]
}

function ownSections(text: string, { code, box, chainFile }: JoinWish, notes: string[]): readonly Wanted[] {
  const uci = parseUci(text, 'meshbox')
  const community = valueOf(uci, 'mesh', 'community')
  const wanted = code.community === box ? 'own' : code.community
  if (community !== null && community.toLowerCase() !== wanted) throw new MeshBoxError('conflict', `this box belongs to ${community === 'own' ? 'a community of its own' : `the community ${community}`}; leave it first`, { code: 'other-community', field: 'mesh.community', value: community })
  const network = valueOf(uci, 'chain', 'network')
  const { contract, tokens, prices } = code
  const takesChain = chainFile !== null && code.chainFileHash !== null && (network === null || network === 'none' || network === chainFile)
  const takesMoney = takesChain && contract !== null && (valueOf(uci, 'photon', 'contract') ?? contract).toLowerCase() === contract
  if (!takesChain && code.chainFileHash !== null) notes.push(network === null ? "The community has a chain; without it, nothing is paid for carrying." : `The box keeps the chain ${network}: it can talk with this community, and is not paid by it.`)
  const roles = ['relay', ...(takesChain && !listOf(uci, 'main', 'roles').includes('sealer') ? ['light'] : []), ...(takesMoney ? ['photon'] : [])]
  const token = takesMoney ? prices.token : null
  return [
    { name: 'main', type: 'meshbox', options: { roles: [...new Set([...listOf(uci, 'main', 'roles'), ...roles])] } },
    ...(takesChain ? [{ name: 'chain', type: 'chain', options: { network: chainFile } }] : []),
    ...(takesMoney ? [{ name: 'photon', type: 'photon', options: { contract, ...tokenOptions(uci, tokens) } }] : []),
    { name: 'mesh', type: 'mesh', options: { community: wanted, community_name: code.name, ula_prefix: code.ulaPrefix, ...(token === null ? {} : { token, ...priceOptions(uci, code) }) } },
  ]
}

/** Names that are there already stay as their owner wrote them. */
function tokenOptions(uci: UciFile, tokens: CommunityCode['tokens']): Readonly<Record<string, OptionValue>> {
  const there = listOf(uci, 'photon', 'tokens')
  const more = tokens.filter(({ address }) => !there.some((each) => each.toLowerCase().startsWith(`${address}:`))).map(({ address, symbol, decimals }) => `${address}:${symbol}:${decimals}`)
  return there.length + more.length === 0 ? {} : { tokens: [...there, ...more] }
}

/** Its own price stays; of a box that has none, the community's. */
function priceOptions(uci: UciFile, { prices, tokens }: CommunityCode): Readonly<Record<string, OptionValue>> {
  if (prices.perMiB === 0n || valueOf(uci, 'mesh', 'price_per_mib') !== null) return {}
  const decimals = Number(valueOf(uci, 'token', 'decimals') ?? 18)
  const named = tokens.find(({ address }) => address === prices.token)?.decimals ?? decimals
  // Prices of the file are in the box's own token; another one's digits would make another price of it.
  return named === decimals ? { price_per_mib: formatAmount(prices.perMiB, decimals) } : {}
}

function networkSections(text: string, { code, box }: JoinWish): readonly Wanted[] {
  const uci = parseUci(text, 'network')
  return [
    ...(has(uci, 'bat0') ? [] : [{ name: 'bat0', type: 'interface', options: { proto: 'batadv', routing_algo: 'BATMAN_IV', bridge_loop_avoidance: '1', gw_mode: 'off' } }]),
    ...(has(uci, SECTIONS.hard) ? [] : [{ name: SECTIONS.hard, type: 'interface', options: { proto: 'batadv_hardif', master: 'bat0', mtu: '1536' } }]),
    { name: SECTIONS.address, type: 'interface', options: { device: 'bat0', proto: 'static', ip6addr: [`${meshAddressOf(code.ulaPrefix, box)}/64`] } },
  ]
}

function radioSections(text: string, code: CommunityCode, notes: string[]): readonly Wanted[] {
  const uci = parseUci(text, 'wireless')
  const radios = uci.sections.filter((section) => section.type === 'wifi-device')
  const radio = valueOf(uci, SECTIONS.radio, 'device') ?? radios.find((each) => bandOf(each) === bandOfChannel(code.meshChannel))?.name ?? null
  if (radio === null) {
    notes.push(radios.length === 0 ? 'This box has no radio: its mesh is what is plugged in.' : `No radio of this box is for channel ${code.meshChannel}: its mesh is what is plugged in.`)
    return []
  }
  const device = uci.sections.find((section) => section.name === radio)
  if (device === undefined) throw new MeshBoxError('conflict', `wireless.${SECTIONS.radio}.device: there is no radio ${radio}`, { code: 'no-radio', field: 'device', value: radio })
  const others = uci.sections.filter((section) => section.type === 'wifi-iface' && section.name !== SECTIONS.radio && textOf(section, 'device') === radio)
  if (textOf(device, 'channel') !== String(code.meshChannel) && others.length > 0) notes.push(`The other networks of ${radio} move to channel ${code.meshChannel} too.`)
  if (textOf(device, 'disabled') === '1') notes.push(`${radio} is off: nothing is sent before it is switched on.`)
  const isOpen = code.meshSecret === ''
  return [
    { name: radio, type: 'wifi-device', options: { channel: String(code.meshChannel) } },
    {
      name: SECTIONS.radio,
      type: 'wifi-iface',
      options: { device: radio, network: SECTIONS.hard, mode: 'mesh', mesh_id: code.meshId, mesh_fwding: '0', encryption: isOpen ? 'none' : 'sae', ...(isOpen ? {} : { key: code.meshSecret }), disabled: '0' },
      secrets: ['key'],
    },
  ]
}

function firewallSections(port: number): readonly Wanted[] {
  const rule = { src: 'meshbox', family: 'ipv6', target: 'ACCEPT' }
  return [
    { name: SECTIONS.door, type: 'rule', options: { name: 'MeshBox-Peers', ...rule, proto: 'tcp', dest_port: String(port) } },
    { name: SECTIONS.beacon, type: 'rule', options: { name: 'MeshBox-Beacon', ...rule, proto: 'udp', dest_port: String(BEACON_PORT) } },
  ]
}

function portOf(text: string): number {
  try {
    return loadConfig(text, 'meshbox').mesh.listenPort
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw inputError('meshbox', thrown.problems[0]?.what ?? 'a mistake', 'a configuration without mistakes: meshbox config check')
    throw thrown
  }
}

/** Sets what differs; adds what is missing; leaves everything else as it is. */
function withSections(file: JoinFile, text: string, wanted: readonly Wanted[]): { readonly text: string; readonly changes: readonly JoinChange[] } {
  const uci = parseUci(text, file)
  const edits: UciEdit[] = []
  const changes: JoinChange[] = []
  for (const { name, type, options, secrets = [] } of wanted) {
    const isThere = has(uci, name)
    if (!isThere) edits.push({ do: 'add-section', section: { type, name, options } })
    for (const [option, value] of Object.entries(options)) {
      const now = uci.sections.find((section) => section.name === name)?.options.find((each) => each.name === option)?.values.map((each) => each.text) ?? []
      const next = typeof value === 'string' ? [value] : value
      if (now.length === next.length && now.every((each, index) => each === next[index])) continue
      const isSecret = secrets.includes(option)
      changes.push({ file, option: `${file}.${name}.${option}`, from: now.length === 0 ? null : isSecret ? '(another)' : now.join(', '), to: isSecret ? SECRET : next.join(', ') })
      if (isThere) edits.push(typeof value === 'string' ? { do: 'set-option', section: { name }, option, value } : { do: 'set-list', section: { name }, option, values: value })
    }
  }
  return { text: edits.length === 0 ? text : editUci(text, edits, file), changes }
}

type Section = UciFile['sections'][number]

const has = (uci: UciFile, name: string): boolean => uci.sections.some((section) => section.name === name)
const textOf = (section: Section, option: string): string | null => section.options.find((each) => each.name === option)?.values[0]?.text ?? null
const change = (file: JoinFile, name: string, option: string, from: string | null, to: string): JoinChange => ({ file, option: `${file}.${name}.${option}`, from, to })

function valueOf(uci: UciFile, name: string, option: string): string | null {
  const section = uci.sections.find((each) => each.name === name)
  return section === undefined ? null : textOf(section, option)
}

function listOf(uci: UciFile, name: string, option: string): readonly string[] {
  return uci.sections.find((each) => each.name === name)?.options.find((each) => each.name === option)?.values.map((each) => each.text) ?? []
}

type Band = '2g' | '5g' | '6g'

/** Channels of 6 GHz have numbers of the other bands too; who meshes there names the radio itself. */
function bandOfChannel(channel: number): Band {
  return channel <= 14 ? '2g' : channel <= 177 ? '5g' : '6g'
}

function bandOf(radio: Section): Band | null {
  const [band, mode] = [textOf(radio, 'band'), textOf(radio, 'hwmode')]
  if (band === '2g' || band === '5g' || band === '6g') return band
  return mode === null ? null : mode === '11a' ? '5g' : '2g'
}
