/** The pages' files as the bundle left them beside the service; read once at start, served from memory. */
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { MeshBoxError, asError } from '../base/index.ts'
import type { DashboardFile, DashboardFiles } from '../owner/index.ts'

const TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'dashboard.js': 'text/javascript; charset=utf-8',
  'dashboard-shared.js': 'text/javascript; charset=utf-8',
  'dashboard-seldom.js': 'text/javascript; charset=utf-8',
  'dashboard.css': 'text/css; charset=utf-8',
  'dashboard.svg': 'image/svg+xml',
}

/** Folder of the bundle: where the program that was started lies. */
export function bundleFolder(): string {
  return dirname(realpathSync(process.argv[1] ?? '.'))
}

export function readGuestScript(folder: string): string {
  return readPart(folder, 'guest.js').toString('utf8')
}

export function readWalletScript(folder: string): string {
  return readPart(folder, 'wallet.js').toString('utf8')
}

export function readDashboard(folder: string): DashboardFiles {
  return new Map(Object.entries(TYPES).map(([name, type]) => [`/${name}`, dashboardFile(readPart(folder, name), type)]))
}

function dashboardFile(body: Buffer, type: string): DashboardFile {
  const gzip = gzipSync(body, { level: 9 })
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  if (gzip.length >= body.length) return { body, type, etag }
  // One copy in memory; a browser that cannot read it is rarer than a router is small.
  return { type, etag, gzip, get body() { return gunzipSync(gzip) } }
}

function readPart(folder: string, name: string): Buffer {
  const path = join(folder, 'web', name)
  try {
    return readFileSync(path)
  } catch (error) {
    throw new MeshBoxError('internal', `${path} is missing: the installation is not complete (${asError(error).message})`, { code: 'incomplete-installation', cause: error })
  }
}
