/** What the peers' node is told, from section mesh and the addresses that the mesh interface has. */
import type { MeshConfig } from '../config/index.ts'
import type { PeerHub } from '../mesh/index.ts'

type PeerSettings = ConstructorParameters<typeof PeerHub>[0]['settings']

const MAX_NAME_BYTES = 64

/** `addresses`: of the mesh interface now. */
export function meshSettingsOf(mesh: MeshConfig, boxName: string, addresses: readonly string[]): Omit<PeerSettings, 'community'> {
  const own = addresses.find((address) => /^fd/i.test(address))
  const prefix = mesh.ulaPrefix ?? (own === undefined ? null : prefixOf(own))
  return {
    name: cutToBytes(boxName, MAX_NAME_BYTES),
    meshPrefixes: prefix === null ? [] : [prefix],
    acceptsInternet: false,
    staticPeers: mesh.peers.map(({ address }) => address),
    maxPeers: mesh.maxPeers,
    maxInternetPeers: Math.min(16, mesh.maxPeers),
  }
}

/** The first 64 bits. */
function prefixOf(address: string): string {
  const [head = ''] = address.toLowerCase().split('%')
  const [left = '', right] = head.split('::')
  const front = left.split(':').filter((group) => group !== '')
  const back = (right ?? '').split(':').filter((group) => group !== '')
  const groups = right === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  if (first[3] === '0') first.pop()
  return `${first.join(':')}::/64`
}

function cutToBytes(text: string, maxBytes: number): string {
  let cut = text
  while (Buffer.byteLength(cut) > maxBytes) cut = [...cut].slice(0, -1).join('')
  return cut
}
