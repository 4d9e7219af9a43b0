/** Nothing of the owner's side answers on the guests' listener: no route of the dashboard, of the REST for programs, no metrics, whoever's name is in the Host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXACT_PATHS } from '../../../src/hotspot/portal/routes/table.ts'
import { ROUTES as OWNER_ROUTES } from '../../../src/owner/api.ts'
import { ROUTES as REST_ROUTES } from '../../../src/photon/rest/rest.ts'
import { ScriptedDoor, startPortalApp, type PortalApp } from '../../support/portal-app.ts'
import { ask } from './ask.ts'

let app: PortalApp
beforeAll(async () => {
  const door = new ScriptedDoor()
  app = await startPortalApp({ walletScript: '/* a wallet */', stream: () => door })
})
afterAll(() => app.stop())

const filled = (path: string): string => path.replace(/:\w+|\*/g, 'x1')
const OWNERS: readonly (readonly [string, string])[] = [
  ...Object.values(OWNER_ROUTES).map(({ method, path }) => [method, filled(path)] as const),
  ...REST_ROUTES.flatMap(({ method, path }) => ['1', '2'].map((version) => [method, filled(`/api/${version}/${path}`)] as const)),
  ['GET', '/metrics'],
  ['GET', '/healthz'],
  ['GET', '/dashboard.js'],
  ['GET', '/api/status'],
]

describe('the guests’ listener', () => {
  it('has no path of the owner’s side', () => {
    const owners = new Set(OWNERS.map(([, path]) => path))
    expect(EXACT_PATHS.filter((path) => path !== '/' && owners.has(path))).toEqual([])
  })
  it.each(['', '127.0.0.1:2090', 'localhost', '192.168.1.1'])('refuses them all, under the name %j', async (host) => {
    expect(OWNERS.length).toBeGreaterThan(80)
    const body = '{"password":"correct horse 9","amount":"1"}'
    for (const [method, path] of OWNERS) {
      if (path === '/') continue
      app.time.advance(60_000)
      const hasBody = method !== 'GET' && method !== 'HEAD'
      const question = { method, path, ...(host === '' ? {} : { host }), headers: { Accept: 'application/json', ...(hasBody ? { 'Content-Type': 'application/json', 'Content-Length': String(body.length) } : {}) }, ...(hasBody ? { body } : {}) }
      const reply = await ask(app, question)
      expect([302, 400, 403, 404, 405, 415, 421], `${method} ${path} → ${reply.status} ${reply.body.slice(0, 100)}`).toContain(reply.status)
      if (reply.status === 302) expect(reply.headers['location'], `${method} ${path}`).toMatch(new RegExp(`^http://[^/]+:${app.server.ports.http ?? 0}/`))
      expect(reply.body, `${method} ${path}`).not.toMatch(/csrf|setupCode|meshbox_sessions|error_code/)
    }
    expect(app.desk.verbs).toEqual([])
  }, 60_000)
})
