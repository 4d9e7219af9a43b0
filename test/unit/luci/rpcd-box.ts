/**
 * The rpcd script as rpcd runs it, in a PATH that holds nothing but busybox's applets and curl, and a service for it
 * to ask: the real owner room behind its real control socket (the dashboard's test box).
 */
import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { silentLog } from '../../../src/base/index.ts'
import { ControlServer } from '../../../src/owner/io/control-server.ts'
import { startDashboardApp } from '../../support/dashboard-app.ts'
import type { DashboardApp } from '../../support/dashboard-app.ts'

export const SCRIPT = fileURLToPath(new URL('../../../openwrt-feed/meshbox/files/usr/libexec/rpcd/meshbox', import.meta.url))
/** The object of concentrators alone. */
export const LORA_SCRIPT = `${SCRIPT}.lora`
/** What of busybox the script may use. */
const APPLETS = ['sh', 'awk', 'cat']

export interface Answer {
  readonly code: number
  /** Standard output as it is. */
  readonly text: string
  /** The same as JSON. */
  readonly json: Readonly<Record<string, unknown>>
}

export class Rpcd {
  readonly folder = mkdtempSync(join(tmpdir(), 'meshbox-rpcd-'))
  readonly socketPath = join(this.folder, 'control.sock')
  readonly #bin = join(this.folder, 'bin')

  constructor() {
    mkdirSync(this.#bin)
    const find = (name: string): string => execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
    for (const applet of APPLETS) symlinkSync(find('busybox'), join(this.#bin, applet))
    symlinkSync(find('curl'), join(this.#bin, 'curl'))
  }

  /** Another program for the script's PATH, or instead of one. */
  provide(name: string, script: string): void {
    rmSync(join(this.#bin, name), { force: true })
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(this.#bin, name), 0o755)
  }

  withdraw(name: string): void {
    rmSync(join(this.#bin, name))
  }

  /** `args` as an object, or the very bytes for standard input. */
  call(method: string, args: object | string | Uint8Array = {}, env: Readonly<Record<string, string>> = { MESHBOX_SOCKET: this.socketPath }): Promise<Answer> {
    const input = typeof args === 'string' || args instanceof Uint8Array ? args : JSON.stringify(args)
    return this.run(['call', method], input, env)
  }

  run(words: readonly string[], input: string | Uint8Array = '', env: Readonly<Record<string, string>> = {}, script = SCRIPT): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = spawn(join(this.#bin, 'sh'), [script, ...words], { cwd: this.folder, env: { PATH: this.#bin, ...env } })
      const out: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      child.on('error', reject)
      child.stdin.on('error', () => undefined) // it may answer before it has read everything
      child.stdin.end(input)
      child.on('close', (code) => {
        const text = Buffer.concat(out).toString('utf8')
        try {
          resolve({ code: code ?? -1, text, json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) })
        } catch {
          reject(new Error(`not JSON: ${JSON.stringify(text)}`))
        }
      })
    })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface RpcdBox {
  readonly app: DashboardApp
  readonly rpcd: Rpcd
  stop(): Promise<void>
}

export async function startRpcdBox(kind: 'fresh' | 'busy'): Promise<RpcdBox> {
  const app = await startDashboardApp(new Map(), kind)
  const rpcd = new Rpcd()
  const control = new ControlServer({ owner: app.owner, socketPath: rpcd.socketPath, log: silentLog })
  await control.start()
  return {
    app,
    rpcd,
    stop: async () => {
      await control.stop()
      await app.stop()
      rpcd.remove()
    },
  }
}

export interface Recorded {
  readonly verb: string
  readonly url: string
  readonly body: string
}

/** Something on the socket that answers as told, and remembers what was asked. */
export async function listen(socketPath: string, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ server: Server; asked: Recorded[] }> {
  const asked: Recorded[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked.push({ verb: request.method ?? '', url: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  return { server, asked }
}

export function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
