/** The dashboard's own files, served from memory. */
import type { FastifyInstance } from 'fastify'

export interface DashboardFile {
  readonly body: Uint8Array
  /** The same, compressed with gzip, if that is shorter. */
  readonly gzip?: Uint8Array
  /** Content-Type. */
  readonly type: string
  /** In quotes, as HTTP writes it: `"abc"`. */
  readonly etag: string
}

/** By path, `/index.html`, `/dashboard.js` …; `/` is `/index.html`. */
export type DashboardFiles = ReadonlyMap<string, DashboardFile>

/**
 * Scripts and styles from here only, none inside the page, nothing framed, no plug-ins. `blob:` lets the
 * page save a backup it fetched.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function addDashboardFiles(app: FastifyInstance, files: DashboardFiles): void {
  const index = files.get('/index.html')
  const all = index === undefined ? [...files] : [['/', index] as const, ...files]
  for (const [path, file] of all) {
    app.get(path, { config: { access: 'none' } }, (request, reply) => {
      void reply.headers({
        'content-security-policy': PAGE_POLICY,
        'cache-control': 'no-cache',
        etag: file.etag,
        vary: 'accept-encoding',
      })
      const known = request.headers['if-none-match']
      if (known !== undefined && known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === file.etag)) return reply.code(304).send()
      void reply.type(file.type)
      const isGzipFine = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
      if (file.gzip && isGzipFine) return reply.header('content-encoding', 'gzip').send(file.gzip)
      return reply.send(file.body)
    })
  }
}
