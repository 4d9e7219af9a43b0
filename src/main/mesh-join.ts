/**
 * Joining from the dashboard: what `meshbox join` does, by the service itself. Shown before it is done; the way back is written
 * first. The box's own file goes through the configuration's door, the router's beside it; what reads them does so after a restart.
 * docs/mesh.md "Joining"
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MeshBoxError, asError, inputError } from '../base/index.ts'
import type { Address, Randomness } from '../base/index.ts'
import { loadConfig, writeConfigFile } from '../config/index.ts'
import type { Config } from '../config/index.ts'
import type { CommunityCode, ConfigTexts, JoinFile, JoinPlan } from '../mesh/joining/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import type { ConfigDoor, JoinDesk, MeshJoinReply, MeshJoinRequest, MeshJoiningJson } from '../owner/index.ts'

const CHAIN_FILE = 'chain.json'
/** Files of the mesh's room, told apart so that a box without a mesh does not load it at its start. */
type Room = typeof import('../mesh/joining/index.ts')

export interface JoinParts {
  /** The service's own file; the router's lie beside it. */
  readonly configPath: string
  readonly config: ConfigDoor
  /** Address of its own key. */
  readonly box: string
  readonly curve: () => Secp256k1
  readonly randomness: Randomness
}

export function joinDesk(parts: JoinParts): JoinDesk {
  const { config } = parts
  let turn: Promise<unknown> = Promise.resolve()
  const run = async (order: MeshJoinRequest): Promise<MeshJoinReply> => {
    const room = await import('../mesh/joining/index.ts')
    switch (order.do) {
      case 'join':
        return joinByCode(parts, room, order)
      case 'begin':
        return begin(parts, room, order)
      case 'leave':
        return leave(parts, room, order)
      case 'undo':
        return undo(parts, room, order)
    }
  }
  return {
    state: () => stateOf(parts, config),
    run(order) {
      // One at a time: two would each keep the other's files as the way back.
      const result = turn.then(() => run(order))
      turn = result.catch(() => undefined)
      return result
    },
  }
}

function stateOf(parts: JoinParts, config: ConfigDoor): MeshJoiningJson {
  const [onDisk, running] = [loadConfig(config.text(), parts.configPath), config.current()]
  const { community, communityName } = onDisk.mesh
  return {
    community: community === null ? null : { address: community === 'own' ? parts.box.toLowerCase() : community.toLowerCase(), name: communityName },
    needsRestart: community !== running.mesh.community || isRelay(onDisk) !== isRelay(running),
    canUndo: existsSync(join(running.main.dataDir, 'mesh-join.json')),
  }
}

async function joinByCode(parts: JoinParts, room: Room, { code: given, apply }: MeshJoinRequest): Promise<MeshJoinReply> {
  if (given === undefined) throw inputError('code', 'nothing', 'the code of a community')
  const keys = room.invitationKeys(parts.curve())
  const code = room.readInvitation(keys.documentsOf(new Uint8Array(32).fill(1)), keys, room.codeParts(keys, given))
  const folder = parts.config.current().main.dataDir
  const texts = textsOf(room, parts)
  const plan = room.planJoin(texts, { code, box: boxOf(parts), chainFile: code.chainFileHash === null ? null : join(folder, CHAIN_FILE) })
  if (apply === true) {
    keepWayBack(room, folder, plan, texts)
    writePrivate(join(folder, room.CODE_FILE), `${given.replace(/\s+/g, '')}\n`)
    await write(parts, plan.after)
  }
  return reply(plan, code, apply === true)
}

async function begin(parts: JoinParts, room: Room, { name, channel = room.DEFAULT_CHANNEL, apply }: MeshJoinRequest): Promise<MeshJoinReply> {
  if (name === undefined) throw inputError('name', 'nothing', 'a name for the community')
  const texts = textsOf(room, parts)
  // A second time would give the mesh another password, and leave everybody else outside.
  if (loadConfig(texts.meshbox ?? '', parts.configPath).mesh.community !== null) throw new MeshBoxError('conflict', 'this box belongs to a community already; leave it first', { code: 'other-community' })
  const code = room.newCommunity(boxOf(parts), name, channel, parts.randomness)
  const plan = room.planJoin(texts, { code, box: boxOf(parts), chainFile: null })
  if (apply === true) {
    keepWayBack(room, parts.config.current().main.dataDir, plan, texts)
    await write(parts, plan.after)
  }
  return reply(plan, code, apply === true)
}

async function leave(parts: JoinParts, room: Room, { apply }: MeshJoinRequest): Promise<MeshJoinReply> {
  const plan = room.planLeave(textsOf(room, parts))
  if (apply === true) {
    await write(parts, plan.after)
    forget(room, parts.config.current().main.dataDir)
  }
  return reply(plan, null, apply === true)
}

async function undo(parts: JoinParts, room: Room, { apply }: MeshJoinRequest): Promise<MeshJoinReply> {
  const folder = parts.config.current().main.dataDir
  const kept = readText(join(folder, room.UNDO_FILE), room.MAX_UNDO_BYTES)
  if (kept === null) throw new MeshBoxError('conflict', 'nothing was joined here that could be undone', { code: 'nothing-to-undo' })
  const before = room.planUndo(room.readUndoFile(kept), textsOf(room, parts))
  if (apply === true) {
    await write(parts, before)
    forget(room, folder)
  }
  const changes = Object.entries(before).map(([file, text]) => ({ option: file, from: 'as it is', to: text === null ? null : 'as it was before' }))
  return { community: null, changes, notes: [], isWritten: apply === true }
}

/** What is half done can be undone. */
function keepWayBack(room: Room, folder: string, plan: JoinPlan, now: ConfigTexts): void {
  if (plan.changes.length === 0) return
  const kept = room.keptWay(readText(join(folder, room.UNDO_FILE), room.MAX_UNDO_BYTES))
  writePrivate(join(folder, room.UNDO_FILE), room.undoFileText(room.wayBack(plan, kept, now)))
}

function forget(room: Room, folder: string): void {
  for (const name of [room.CODE_FILE, room.UNDO_FILE]) rmSync(join(folder, name), { force: true })
}

/** The box's own file last: with it the box believes that it is a member. */
async function write({ configPath, config }: JoinParts, files: Readonly<Partial<Record<JoinFile, string | null>>>): Promise<void> {
  for (const file of ['network', 'wireless', 'firewall'] as const) {
    const text = files[file]
    const path = join(dirname(configPath), file)
    if (text === null) rmSync(path, { force: true })
    else if (text !== undefined) writeConfigFile(path, text)
  }
  if (typeof files.meshbox === 'string') await config.save(files.meshbox)
}

function reply(plan: JoinPlan, code: CommunityCode | null, isWritten: boolean): MeshJoinReply {
  return {
    community: code === null ? null : { address: code.community, name: code.name, meshId: code.meshId, meshChannel: code.meshChannel, hasPassword: code.meshSecret !== '' },
    changes: plan.changes.map(({ option, from, to }) => ({ option, from, to })),
    notes: plan.notes,
    isWritten,
  }
}

function textsOf(room: Room, { configPath, config }: JoinParts): ConfigTexts {
  const beside = (file: JoinFile): string | null => readText(join(dirname(configPath), file), room.MAX_ROUTER_FILE_BYTES)
  return { meshbox: config.text(), network: beside('network'), wireless: beside('wireless'), firewall: beside('firewall') }
}

/** Null: there is none. Errors: unavailable, limit. */
function readText(path: string, maxBytes: number): string | null {
  const known = statSync(path, { throwIfNoEntry: false })
  if (known === undefined) return null
  if (known.size > maxBytes) throw new MeshBoxError('limit', `${path} is larger than ${maxBytes} bytes`, { code: 'too-large' })
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    throw new MeshBoxError('unavailable', `${path} cannot be read: ${asError(thrown).message}`, { code: 'file-unreadable', cause: thrown })
  }
}

/** Whole or not at all, and on disk. */
function writePrivate(path: string, text: string): void {
  try {
    rmSync(`${path}.draft`, { force: true })
    writeFileSync(`${path}.draft`, text, { mode: 0o600, flush: true })
    renameSync(`${path}.draft`, path)
  } catch (thrown) {
    throw new MeshBoxError('unavailable', `${path} cannot be written: ${asError(thrown).message}`, { code: 'file-unwritable', cause: thrown })
  }
}

const boxOf = ({ box }: JoinParts): Address => box.toLowerCase() as Address
const isRelay = ({ main }: Config): boolean => main.roles.includes('relay')
