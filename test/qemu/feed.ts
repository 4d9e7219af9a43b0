/** The feed that `make feed` makes, with a key of its own, as an owner publishes it: over HTTP, here from this machine. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join, normalize } from 'node:path'
import { ROOT } from '../../qemu/image/places.ts'
import { indexFeed } from '../../scripts/package/feed.ts'
import { newSigningKey, secretKeyText } from '../../scripts/package/usign.ts'

export interface Feed {
  readonly port: number
  /** What a path would be answered with. */
  read(path: string): Buffer
  /** From now on other bytes are sent for it, none (404), or its own again. */
  swap(path: string, bytes: Buffer | 'none' | 'own'): void
  close(): void
}

/** @param ipks files of one architecture; beside their folder there is an empty, signed feed `node`. */
export async function serveFeed(architecture: string, ipks: readonly string[]): Promise<Feed> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-feed-'))
  for (const name of [architecture, 'node']) mkdirSync(join(folder, name))
  for (const ipk of ipks) copyFileSync(ipk, join(folder, architecture, basename(ipk)))
  const key = newSigningKey()
  const keyFile = join(folder, 'key.sec')
  writeFileSync(keyFile, secretKeyText(key), { mode: 0o600 })
  execFileSync(process.execPath, ['scripts/feed.ts', '--packages', folder, '--key', keyFile], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, MESHBOX_FEED_KEY: '' } })
  rmSync(keyFile)
  const none = indexFeed(new Map(), key)
  writeFileSync(join(folder, 'node/Packages.gz'), none.compressed)
  writeFileSync(join(folder, 'node/Packages.sig'), none.signature)

  const swapped = new Map<string, Buffer | 'none'>()
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(request.url ?? '/')).replace(/^[/.]+/, '')
    const other = swapped.get(path)
    if (other === 'none' || (other === undefined && !existsSync(join(folder, path)))) response.writeHead(404).end()
    else response.end(other ?? readFileSync(join(folder, path)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    read: (path) => readFileSync(join(folder, path)),
    swap: (path, bytes) => void (bytes === 'own' ? swapped.delete(path) : swapped.set(path, bytes)),
    close() {
      server.close()
      server.closeAllConnections()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
