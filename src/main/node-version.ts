/**
 * Is this Node new enough? Asked before anything native is loaded: better-sqlite3 13 is built for Node-API 10, and an older
 * Node ends with a crash in it instead of an error. Runs on Node 12, so nothing newer is used here.
 */
const NODE_API = 10
const FIRST_NODE = '22.14'

/** What to tell whoever starts it; null if it is new enough. `versions`: process.versions. */
export function nodeProblem(program: string, versions: { readonly node: string; readonly napi?: string | undefined }): string | null {
  const has = Number(versions.napi)
  const [major = 0, minor = 0] = versions.node.split('.').map(Number)
  const [firstMajor = 0, firstMinor = 0] = FIRST_NODE.split('.').map(Number)
  if (has >= NODE_API && (major > firstMajor || (major === firstMajor && minor >= firstMinor))) return null
  return (
    `${program}: Node ${versions.node} is too old (Node-API ${versions.napi || 'unknown'}, needed: ${NODE_API}). ` +
    `MeshBox needs Node ${FIRST_NODE} or newer: on OpenWrt install the package node127 (Node 22) of a feed that has it, elsewhere Node 22 from nodejs.org or npm. ` +
    'If both are installed, MESHBOX_NODE names the right one.'
  )
}
