/** `meshbox mesh new NAME`, `meshbox join CODE`, `meshbox join-undo`, `meshbox leave`: the router's configuration, shown before it is written. */
import { randomBytes } from 'node:crypto'
import { join as joinPath } from 'node:path'
import { MeshBoxError } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { loadConfig } from '../../config/index.ts'
import type { JoinPlan } from '../../mesh/joining/index.ts'
import { argument, hasFlag, numberOption, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context, OptionSpec, Result } from '../command.ts'
import { readTextFile, removeFile, replaceFile } from '../files.ts'
import { pairs, plain, wrap } from '../text.ts'

const MAX_CONFIG_BYTES = 256 * 1024
const MAX_CODE_INPUT_BYTES = 4096
const CHAIN_FILE = 'chain.json'
const APPLY: OptionSpec = { name: 'apply', help: 'write it (default: only show it)' }
const CONFIG_DIR: OptionSpec = { name: 'config-dir', value: 'PATH', help: 'where the files are (default: /etc/config)' }
const NEXT = ['Next:', '  /etc/init.d/network reload; wifi reload; /etc/init.d/firewall reload', '  /etc/init.d/meshbox restart']

type Joining = typeof import('../../mesh/joining/index.ts')
type Texts = Parameters<Joining['planJoin']>[0]

export const join: CommandSpec = {
  words: ['join'],
  summary: 'join a community by its code',
  details: `CODE is what meshbox mesh invite printed, or what is in its QR code; - is standard input,
where others on this machine cannot see it. Shows what would change in network,
wireless, firewall and meshbox; with --apply it is written, and meshbox join-undo puts
the files back as they were. The code is checked first: a mistake in it, or somebody
else's signature, changes nothing.`,
  arguments: [{ name: 'CODE' }],
  options: [APPLY, { name: 'box', value: 'ADDRESS', help: "this box's address (default: the service is asked)" }, CONFIG_DIR],
  run: async (context) => {
    const { joining } = await import('./tool-room.ts')
    const { toolCurve } = (await import('./chain-room.ts')).inspect
    const given = argument(context, 0)
    const text = given === '-' ? await context.io.readStdin(MAX_CODE_INPUT_BYTES) : given
    const keys = joining.invitationKeys(toolCurve())
    const code = joining.readInvitation(keys.documentsOf(new Uint8Array(32).fill(1)), keys, joining.codeParts(keys, text))
    const texts = await configTexts(context)
    const folder = dataDir(texts)
    const plan = joining.planJoin(texts, { code, box: await boxAddress(context), chainFile: code.chainFileHash === null ? null : joinPath(folder, CHAIN_FILE) })
    const head = pairs([['Community', `${plain(code.name)}, ${code.community}`], ['Mesh', `${plain(code.meshId)}, channel ${code.meshChannel}`], ['For', `${code.uses} ${code.uses === 1 ? 'box' : 'boxes'}, invitation ${code.number}`]])
    const kept = await keptText(context, joining, texts)
    return told(context, joining, plan, head, () => {
      keepUndo(context, joining, texts, plan, kept)
      replaceFile(context.io, joinPath(folder, joining.CODE_FILE), `${text.replace(/\s+/g, '')}\n`, 0o600)
    })
  },
}

const NAME = /^[^\s\p{C}](?:[^\p{C}]{0,30}[^\s\p{C}])?$/u
const DEFAULT_CHANNEL = 36
const MAX_CHANNEL = 233

export const meshNew: CommandSpec = {
  words: ['mesh', 'new'],
  summary: 'begin a community, whose box this one is',
  details: `Makes a password for the mesh and a range of addresses, and shows what would change; with
--apply it is written. This box's key is the community's from then on: its recovery words
(meshbox identity words) bring both back. Then: meshbox mesh invite.`,
  arguments: [{ name: 'NAME' }],
  options: [{ name: 'channel', value: 'NUMBER', help: "of the radio's mesh (default: 36)" }, APPLY, { name: 'box', value: 'ADDRESS', help: "this box's address (default: the service is asked)" }, CONFIG_DIR],
  run: async (context) => {
    const { joining } = await import('./tool-room.ts')
    const name = argument(context, 0)
    if (!NAME.test(name) || Buffer.byteLength(name) > 32) throw usageError(`NAME: '${name}' is not a name of at most 32 bytes`)
    const meshChannel = numberOption(context, 'channel', 1, MAX_CHANNEL) ?? DEFAULT_CHANNEL
    const texts = await configTexts(context)
    // A second time would give the mesh another password, and leave everybody else outside.
    if (loadConfig(texts.meshbox ?? '', 'meshbox').mesh.community !== null) throw new MeshBoxError('conflict', 'this box belongs to a community already; leave it first', { code: 'other-community', field: 'mesh.community' })
    const box = await boxAddress(context)
    const code = joining.newCommunity(box, name, meshChannel, { bytes: (length) => randomBytes(length) })
    const plan = joining.planJoin(texts, { code, box, chainFile: null })
    const kept = await keptText(context, joining, texts)
    return told(context, joining, plan, pairs([['Community', `${plain(name)}, ${box}`]]), () => keepUndo(context, joining, texts, plan, kept))
  },
}

export const joinUndo: CommandSpec = {
  words: ['join-undo'],
  summary: 'put the files back as they were before meshbox join',
  details: 'Refused once somebody has changed one of them since: then meshbox leave.',
  options: [CONFIG_DIR],
  run: async (context) => {
    const { CODE_FILE, MAX_UNDO_BYTES, UNDO_FILE, planUndo, readUndoFile } = (await import('./tool-room.ts')).joining
    const texts = await configTexts(context)
    const folder = dataDir(texts)
    const before = planUndo(readUndoFile(await readTextFile(context.io, joinPath(folder, UNDO_FILE), MAX_UNDO_BYTES)), texts)
    const files = Object.entries(before)
    for (const [file, text] of files) {
      const path = joinPath(configDir(context), file)
      if (text === null) removeFile(context.io, path)
      else replaceFile(context.io, path, text, 0o600)
    }
    for (const name of [CODE_FILE, UNDO_FILE]) removeFile(context.io, joinPath(folder, name))
    return { json: { files: files.map(([file]) => file) }, text: [`As before: ${files.map(([file]) => file).join(', ')}`, '', ...NEXT].join('\n') }
  },
}

export const leave: CommandSpec = {
  words: ['leave'],
  summary: 'leave the community: no mesh radio, no door, nothing carried',
  details: 'Shows what would change; with --apply it is written. Books and channels stay.',
  options: [APPLY, CONFIG_DIR],
  run: async (context) => {
    const { joining } = await import('./tool-room.ts')
    const texts = await configTexts(context)
    const folder = dataDir(texts)
    return told(context, joining, joining.planLeave(texts), null, () => {
      for (const name of [joining.CODE_FILE, joining.UNDO_FILE]) removeFile(context.io, joinPath(folder, name))
    })
  },
}

/** The way back first: what is half done can be undone. */
function keepUndo(context: Context, { UNDO_FILE, undoFileText, keptWay, wayBack }: Joining, texts: Texts, plan: JoinPlan, kept: string | null): void {
  if (plan.changes.length > 0) replaceFile(context.io, joinPath(dataDir(texts), UNDO_FILE), undoFileText(wayBack(plan, keptWay(kept), texts)), 0o600)
}

/** Null: nothing was kept. */
function keptText({ io }: Context, { UNDO_FILE, MAX_UNDO_BYTES }: Joining, texts: Texts): Promise<string | null> {
  return textOrNull(io, joinPath(dataDir(texts), UNDO_FILE), MAX_UNDO_BYTES)
}

/** `beside`: files of the service's own, written before the configuration is. */
function told(context: Context, { changeText }: Joining, plan: JoinPlan, head: string | null, beside: () => void): Result {
  const doesApply = hasFlag(context, 'apply')
  if (doesApply) {
    beside()
    // The box's own file last: with it the box believes that it is a member.
    for (const [file, text] of Object.entries(plan.after).sort(([a], [b]) => Number(a === 'meshbox') - Number(b === 'meshbox'))) replaceFile(context.io, joinPath(configDir(context), file), text, 0o600)
  }
  const changes = plan.changes.length === 0 ? ['Nothing has to change.'] : plan.changes.map((change) => `  ${plain(changeText(change))}`)
  const end = doesApply ? NEXT : ['Nothing was written: --apply writes it.']
  const text = [...(head === null ? [] : [head, '']), ...changes, ...plan.notes.flatMap((note) => ['', wrap(note)]), '', ...end].join('\n')
  return { json: { isWritten: doesApply, changes: plan.changes, notes: plan.notes }, text }
}

async function boxAddress(context: Context): Promise<Address> {
  const given = textOption(context, 'box') ?? (await context.service.call('settings', {})).identity.address
  if (!/^0x[0-9a-fA-F]{40}$/.test(given)) throw usageError(`--box: '${given}' is not an address, 0x and 40 hex digits`)
  return given.toLowerCase() as Address
}

function configDir(context: Context): string {
  return textOption(context, 'config-dir') ?? '/etc/config'
}

async function configTexts(context: Context): Promise<Texts> {
  const read = (name: string): Promise<string | null> => textOrNull(context.io, joinPath(configDir(context), name), MAX_CONFIG_BYTES)
  return { meshbox: await read('meshbox'), network: await read('network'), wireless: await read('wireless'), firewall: await read('firewall') }
}

/** Null: there is no such file. */
async function textOrNull(io: Context['io'], path: string, maxBytes: number): Promise<string | null> {
  try {
    return await readTextFile(io, path, maxBytes)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError && thrown.code === 'no-file') return null
    throw thrown
  }
}

function dataDir(texts: Texts): string {
  return loadConfig(texts.meshbox ?? '', 'meshbox').main.dataDir
}
