/** Boxes of one community on one link of the town: what their configuration says, and the code by which all but the first joined. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../src/base/index.ts'
import type { Address } from '../../src/base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import type { PlainSection } from '../../src/config/index.ts'
import { openIdentity } from '../../src/identity/index.ts'
import { Community, createDocuments, invitationKeys } from '../../src/mesh/index.ts'
import { meshMigrations } from '../../src/mesh/tables/index.ts'
import { loadSecp256k1 } from '../../src/native/index.ts'
import { openStore } from '../../src/store/index.ts'
import { TOWN, type Namespace, type Town } from './netns.ts'
import type { BoxFiles } from './town-services.ts'

/** Addresses of the second box's way out, and of both on their link. */
export const MESH = { ours6: 'fd77:1:2:3::1', theirs6: 'fd77:1:2:3::2', prefix: 'fd77:1:2:3::/64', theirWan4: '198.51.101.1', internet4: '198.51.101.10' } as const

export interface MeshHome {
  readonly box: Address
  readonly community: 'own' | Address
}

/** Before the services' first start. The first founds the community, the others have its code. As many as were given, the founder first. */
export async function foundCommunity<Others extends readonly BoxFiles[]>(ours: BoxFiles, ...theirs: Others): Promise<readonly [MeshHome, ...{ [Index in keyof Others]: MeshHome }]> {
  const curve = loadSecp256k1(null)
  const keys = invitationKeys(curve)
  const identityIn = ({ dataDir }: BoxFiles): ReturnType<typeof openIdentity> => openIdentity({ dataDir, randomness: systemRandomness, log: silentLog })
  const founder = await identityIn(ours)
  const self = founder.address.toLowerCase() as Address
  const documents = createDocuments(self, {
    keccak256: (bytes) => curve.keccak256(bytes),
    sign: (digest) => founder.signDigest(digest),
    recoverAddress: (digest, signature) => curve.recoverAddress(digest, signature),
  })
  const store = openStore({ path: join(ours.dataDir, 'meshbox.sqlite'), migrations: meshMigrations, log: silentLog })
  const peers = { open: () => ({ send: () => false, onFrame: never, onOpen: never, onClose: never, penalise: () => undefined }), ban: () => Promise.resolve(), pardon: () => Promise.resolve() }
  const community = new Community({ store, keys, peers, community: self, documents, clock: new SystemClock('never'), timers: systemTimers, randomness: systemRandomness, log: silentLog })
  const terms = { name: 'Harbour street', chainFileHash: null, meshId: 'harbour', meshChannel: 36, meshSecret: 'a-long-one', ulaPrefix: MESH.prefix, contract: null, tokens: [], prices: { token: null, perMiB: 0n, perMinute: 0n } }
  const { code } = await community.invite({ terms, uses: theirs.length, validMs: null })
  await store.close()
  const members = await Promise.all(
    theirs.map(async (files): Promise<MeshHome> => {
      const member = await identityIn(files)
      writeFileSync(join(files.dataDir, 'mesh-code'), `${code}\n`, { mode: 0o600 })
      return { box: member.address.toLowerCase() as Address, community: self }
    }),
  )
  return [{ box: self, community: 'own' }, ...(members as { [Index in keyof Others]: MeshHome })]
}

export function meshSection({ community }: MeshHome, options: Readonly<Record<string, string>> = {}): PlainSection {
  return { type: 'mesh', name: 'mesh', options: { community, interface: 'mesh', ula_prefix: MESH.prefix, roam_enforcement: 'access', ...options } }
}

/** Both boxes' addresses on the link between them. */
export async function nameOnLink(town: Town, next: Namespace): Promise<void> {
  await town.box.ip('addr', 'add', `${MESH.ours6}/64`, 'dev', 'mesh', 'nodad')
  await next.ip('addr', 'add', `${MESH.theirs6}/64`, 'dev', 'mesh', 'nodad')
}

/** A cable from the second box to the Internet, instead of the way over the first; it is not plugged in. */
export async function addWayOut(town: Town, ns: Namespace): Promise<void> {
  await ns.ip('route', 'del', 'default')
  await town.internet.ip('link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', TOWN.wanInterface, 'netns', ns.name)
  await ns.ip('addr', 'add', `${MESH.theirWan4}/24`, 'dev', TOWN.wanInterface)
  await town.internet.ip('addr', 'add', `${MESH.internet4}/24`, 'dev', 'eth1')
  await town.internet.ip('link', 'set', 'eth1', 'up')
}

export async function plugIn(ns: Namespace): Promise<void> {
  await ns.ip('link', 'set', TOWN.wanInterface, 'up')
  await ns.ip('route', 'add', 'default', 'via', MESH.internet4)
}

const never = (): (() => void) => () => undefined
