/**
 * What stands for uhttpd and rpcd in front of the pages: their files, `ubus` calls held against the access list of the
 * package and carried out by the real rpcd script, and a configuration that the service's own reader judges.
 */
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ConfigError, formatUci, loadConfig, parseUci, plainSections } from '../../../../src/config/index.ts'
import type { OptionValue, PlainSection } from '../../../../src/config/index.ts'
import type { Rpcd } from '../rpcd-box.ts'
import { close } from '../rpcd-box.ts'

const APP = fileURLToPath(new URL('../../../../openwrt-feed/luci-app-meshbox/', import.meta.url))
const HERE = fileURLToPath(new URL('./', import.meta.url))
const SESSION = '5f0e6d1c2b3a49587766554433221100'
const PERMISSION_DENIED = 6

type Acl = Readonly<Record<'read' | 'write', { readonly ubus: Readonly<Record<string, readonly string[]>>; readonly uci: readonly string[] }>>

export interface Site {
  readonly url: string
  /** The configuration as it is now. */
  text(): string
  close(): Promise<void>
}

export interface SiteOptions {
  readonly rpcd: Rpcd
  readonly config: string
  /** Of the words of the pages; English where nothing is given. */
  readonly words?: Readonly<Record<string, string>>
}

/** `/overview`, `/settings`; `?read-only` opens it for somebody who may only look. */
export async function serve({ rpcd, config, words = {} }: SiteOptions): Promise<Site> {
  const acl = (JSON.parse(readFileSync(`${APP}root/usr/share/rpcd/acl.d/luci-app-meshbox.json`, 'utf8')) as Record<string, Acl>)['luci-app-meshbox']
  if (acl === undefined) throw new Error('the access list of luci-app-meshbox is empty')
  const { outputFiles } = await build({ entryPoints: [`${HERE}client.ts`], bundle: true, format: 'iife', target: 'es2022', write: false, tsconfigRaw: {} })
  const client = outputFiles[0]?.contents ?? new Uint8Array()
  let text = config

  const allowed = (object: string, method: string, mayWrite: boolean): boolean =>
    object === 'uci' ? method === 'get' || mayWrite : [...(acl.read.ubus[object] ?? []), ...(mayWrite ? (acl.write.ubus[object] ?? []) : [])].includes(method)

  async function ubus(object: string, method: string, args: Record<string, unknown>, mayWrite: boolean): Promise<readonly unknown[]> {
    if (!allowed(object, method, mayWrite)) return [PERMISSION_DENIED]
    if (object === 'meshbox') return [0, (await rpcd.call(method, { ...args, ubus_rpc_session: SESSION })).json]
    if (method === 'get') return [0, { values: plainSections(parseUci(text, 'meshbox')).map(({ type, name, options }) => ({ '.type': type, '.name': name, '.anonymous': false, ...options })) }]
    try {
      const next = formatUci((args['sections'] as Record<string, OptionValue>[]).map(plain))
      loadConfig(next, 'meshbox')
      text = next
      return [0, { problems: [] }]
    } catch (thrown) {
      if (thrown instanceof ConfigError) return [0, { problems: thrown.problems.map((problem) => JSON.stringify(problem)) }]
      throw thrown
    }
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const send = (type: string, body: string | Uint8Array): void => void response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body)
    if (url.pathname === '/ubus') {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const [object, method, args] = JSON.parse(Buffer.concat(chunks).toString('utf8')) as [string, string, Record<string, unknown>]
        const mayWrite = !(request.headers.referer ?? '').includes('read-only')
        ubus(object, method, args, mayWrite).then(
          (result) => send('application/json', JSON.stringify(result)),
          (thrown: unknown) => response.writeHead(500).end(String(thrown)),
        )
      })
    } else if (url.pathname === '/client.js') send('text/javascript', client)
    else if (url.pathname === '/theme.css') send('text/css', readFileSync(`${HERE}theme.css`))
    else if (/^\/luci-static\/resources\/[a-z/]+\.(js|css)$/.test(url.pathname)) send(url.pathname.endsWith('.js') ? 'text/javascript' : 'text/css', readFileSync(`${APP}htdocs${url.pathname}`))
    else if (/^\/(overview|settings)$/.test(url.pathname)) send('text/html', page(`meshbox.${url.pathname.slice(1)}`, !url.searchParams.has('read-only'), words))
    else response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, text: () => text, close: () => close(server) }
}

function plain(section: Readonly<Record<string, OptionValue>>): PlainSection {
  return {
    type: String(section['.type']),
    name: String(section['.name']),
    options: Object.fromEntries(Object.entries(section).filter(([name]) => !name.startsWith('.'))),
  }
}

function page(view: string, mayWrite: boolean, words: Readonly<Record<string, string>>): string {
  const harness = JSON.stringify({ view, mayWrite, words }).replaceAll('<', '\\u003c')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>LuCI</title><link rel="stylesheet" href="/theme.css"></head>
<body><header>OpenWrt (harness)</header><main><div id="notifications"></div><div id="view"></div></main>
<script>window.harness = ${harness}</script><script src="/client.js"></script></body></html>`
}
