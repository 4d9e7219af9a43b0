/** One page of the dashboard by itself, drawn from samples: `<url>#<sample>/<theme>`. The story (a .tsx beside this file) says what it draws. */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** A folder to look at the pictures in. */
const PICTURES = process.env['MESHBOX_PICTURES']

export interface PageStory {
  readonly url: string
  close(): Promise<void>
}

/** @param samples globals of the page, as JSON. */
export async function startPageStory(options: { readonly story: string; readonly title: string; readonly samples: Readonly<Record<string, unknown>> }): Promise<PageStory> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { story: `test/support/${options.story}.tsx`, 'style/story': 'src/web/owner/style.css' },
    outdir: 'out',
    bundle: true,
    format: 'iife',
    target: 'es2020',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfigRaw: {},
    write: false,
  })
  const made = (end: string): string => outputFiles.find((file) => file.path.endsWith(end))?.text ?? ''
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    '/': [
      'text/html',
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${options.title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/story.css"></head><body><div id="app"></div><script src="/samples.js"></script><script src="/story.js"></script></body></html>`,
    ],
    '/samples.js': ['text/javascript', Object.entries(options.samples).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(';')],
    '/story.js': ['text/javascript', made('story.js')],
    '/story.css': ['text/css', made('story.css')],
  }
  const server = createServer((request, response) => {
    const [type, body] = files[request.url ?? ''] ?? ['text/plain', '']
    response.writeHead(body === '' ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((closed) => void server.close(() => closed())),
  }
}

/** Only where somebody wants to look: MESHBOX_PICTURES names the folder. */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage })
}
