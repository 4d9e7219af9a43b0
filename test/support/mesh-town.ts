/** Two boxes of one community on one link of the town: what their configuration says, and the code by which the second joined. */
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
import type { BoxFiles } from './town-services.ts'

/** Addresses of the second box's way out, and of both on their link. */
export const MESH = { ours6: 'fd77:1:2:3::1', theirs6: 'fd77:1:2:3::2', prefix: 'fd77:1:2:3::/64', theirWan4: '198.51.101.1', internet4: '198.51.101.10' } as const

export interface MeshHome {
  readonly box: Address
  readonly community: 'own' | Address
}

/** Before the services' first start. The first founds the community, the second has its code. */
export async function foundCommunity(ours: BoxFiles, theirs: BoxFiles): Promise<readonly [MeshHome, MeshHome]> {
  const curve = loadSecp256k1(null)
  const keys = invitationKeys(curve)
  const [founder, member] = await Promise.all([ours, theirs].map(({ dataDir }) => openIdentity({ dataDir, randomness: systemRandomness, log: silentLog })))
  if (founder === undefined || member === undefined) throw new Error('no identity')
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
  const { code } = await community.invite({ terms, uses: 1, validMs: null })
  await store.close()
  writeFileSync(join(theirs.dataDir, 'mesh-code'), `${code}\n`, { mode: 0o600 })
  return [
    { box: self, community: 'own' },
    { box: member.address.toLowerCase() as Address, community: self },
  ]
}

export function meshSection({ community }: MeshHome, options: Readonly<Record<string, string>> = {}): PlainSection {
  return { type: 'mesh', name: 'mesh', options: { community, interface: 'mesh', ula_prefix: MESH.prefix, roam_enforcement: 'access', ...options } }
}

const never = (): (() => void) => () => undefined
