/** The live page of the town, on loopback only: four files, and one stream of events (text/event-stream) per open page. */
import { readFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Scene, SceneNews } from '../scene.ts'
import { secondsSinceStart } from '../say.ts'

const HOST = '127.0.0.1'
const WANTED_PORT = 2099
const MAX_PAGES = 16
/** Scenes that follow each other faster are one. */
const SCENE_EVERY_MS = 150
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['page.html', 'text/html; charset=utf-8'],
  '/live.css': ['live.css', 'text/css; charset=utf-8'],
  '/live.js': ['live.js', 'text/javascript; charset=utf-8'],
  '/layout.js': ['layout.js', 'text/javascript; charset=utf-8'],
}
const POLICY = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src 'self' data:"

export class LiveServer {
  readonly url: string
  readonly #server: Server
  readonly #pages = new Set<ServerResponse>()
  readonly #forget: () => void

  private constructor(server: Server, url: string, scene: Scene, pages: Set<ServerResponse>) {
    this.#server = server
    this.url = url
    this.#pages = pages
    let waiting: NodeJS.Timeout | null = null
    const send = (news: SceneNews): void => {
      for (const page of pages) page.write(frame(news))
    }
    this.#forget = scene.listen((news) => {
      if (news.type !== 'scene') return send(news)
      waiting ??= setTimeout(() => {
        waiting = null
        send({ type: 'scene', scene: scene.view })
      }, SCENE_EVERY_MS)
    })
  }

  /** At port 2099, or at any free one when that is taken. */
  static async start(scene: Scene, seed: number): Promise<LiveServer> {
    const pages = new Set<ServerResponse>()
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://lab').pathname
      const file = FILES[path]
      if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end('this page is only looked at; act with `make lab`\n')
      if (!isOurName(request.headers.host)) return void response.writeHead(421).end(`ask for http://${HOST}/\n`)
      if (file !== undefined) {
        response.writeHead(200, { 'content-type': file[1], 'cache-control': 'no-store', 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' })
        return void response.end(readFileSync(join(import.meta.dirname, file[0])))
      }
      if (path !== '/events') return void response.writeHead(404).end('there are / and /events\n')
      if (pages.size >= MAX_PAGES) return void response.writeHead(503).end(`${MAX_PAGES} pages are open already; close one\n`)
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write(`event: hello\ndata: ${JSON.stringify({ seed, seconds: secondsSinceStart(), said: scene.said })}\n\n${frame({ type: 'scene', scene: scene.view })}`)
      pages.add(response)
      response.once('close', () => pages.delete(response))
    })
    const port = await listen(server, WANTED_PORT).catch(() => listen(server, 0))
    return new LiveServer(server, `http://${HOST}:${port}/`, scene, pages)
  }

  async stop(): Promise<void> {
    this.#forget()
    for (const page of this.#pages) page.end()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** Another site's name that was made to lead here gets nothing. */
function isOurName(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '')
}

function frame(news: SceneNews): string {
  const data = news.type === 'scene' ? news.scene : news.type === 'flow' ? news.flow : news.said
  return `event: ${news.type}\ndata: ${JSON.stringify(data)}\n\n`
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
