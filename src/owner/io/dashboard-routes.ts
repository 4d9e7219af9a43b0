/** Routes that exist only on the dashboard's door: login, wizard, and what asks for the password again. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { MeshBoxError } from '../../base/index.ts'
import type { ChainSendRequest, LoginRequest, LoginState, PasswordChange, RouteName, SetupRequest, WordsRequest } from '../api.ts'
import { ROUTES, SESSION_COOKIE } from '../api.ts'
import type { Owner } from '../owner.ts'
import type { BackupDownload } from './backup-download.ts'
import { NOTHING, line, object, oneOf, text } from '../request-schema.ts'
import type { RequestSchema } from '../request-schema.ts'
import { minutesPerToken, password, price, wallMs } from './fields.ts'
import { address } from './routes/chain.ts'

export interface DashboardDoor {
  readonly owner: Owner
  readonly backup: BackupDownload
  readonly isTls: boolean
  /** Interfaces of the box that the guest network could be on. */
  readonly interfaces: () => readonly string[]
  readonly isLoopback: (remote: string) => boolean
}

const LOGIN: RequestSchema = { query: NOTHING, body: object({ password, browserWallMs: wallMs }, ['password']) }
const CONFIRM: RequestSchema = { query: NOTHING, body: object({ password }, ['password']) }
const SETUP: RequestSchema = {
  query: NOTHING,
  body: object(
    {
      setupCode: line(32),
      name: line(48),
      minutesPerToken,
      guestInterface: text(1, 15),
      password,
      packages: oneOf('keep', 'cafe', 'kiosk', 'guesthouse'),
      browserWallMs: wallMs,
    },
    ['setupCode', 'name', 'minutesPerToken', 'password', 'packages'],
  ),
}

export function addDashboardRoutes(app: FastifyInstance, door: DashboardDoor): void {
  const { owner } = door
  const add = (name: RouteName, schema: RequestSchema, run: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): void => {
    const { method, path, access } = ROUTES[name]
    app.route({ method, url: path, config: { access, schema }, handler: run })
  }
  const enter = (reply: FastifyReply, token: string): void => void reply.header('set-cookie', cookie(token, door.isTls))

  add('loginState', { query: NOTHING }, async (request): Promise<LoginState> => owner.access.state(tokenOf(request), true))
  add('login', LOGIN, async (request, reply) => {
    const { token, state } = await owner.access.login(request.ip, request.body as LoginRequest)
    enter(reply, token)
    return state
  })
  add('logout', { query: NOTHING, body: NOTHING }, async (request, reply) => {
    void reply.header('set-cookie', cookie('', door.isTls, 0))
    return owner.access.logout(tokenOf(request))
  })
  add('changePassword', { query: NOTHING, body: object({ current: password, next: password }, ['current', 'next']) }, async (request, reply) => {
    const { token, state } = await owner.access.changePassword(request.ip, request.body as PasswordChange)
    enter(reply, token)
    return state
  })
  add('setupForm', { query: NOTHING }, async () => {
    if (!owner.access.isUnclaimed) throw alreadyOwned()
    return owner.wizard.form(door.interfaces())
  })
  add('setup', SETUP, async (request, reply) => {
    const { token, state, reload } = await owner.wizard.run(request.ip, request.body as SetupRequest)
    enter(reply, token)
    return { ...state, reload }
  })
  add('backupDownload', { query: NOTHING, body: NOTHING }, async (_request, reply) => {
    const { stream, bytes } = await door.backup.open()
    return reply
      .type('application/vnd.sqlite3')
      .headers({ 'content-disposition': 'attachment; filename="meshbox-backup.sqlite3"', 'content-length': String(bytes) })
      .send(stream)
  })
  // Coins leave the box: not for a browser that somebody left open.
  add('sendCoinsConfirmed', { query: NOTHING, body: object({ to: address, amount: price, password }, ['to', 'amount', 'password']) }, async (request) => {
    const { to, amount, password: typed } = request.body as ChainSendRequest & WordsRequest
    await owner.access.confirm(request.ip, typed)
    return owner.sendCoins({ to, amount })
  })
  add('revealWords', CONFIRM, async (request) => {
    await confirmForSecret(request, door)
    return owner.recoveryWords()
  })
  add('revealVoucherWords', CONFIRM, async (request) => {
    await confirmForSecret(request, door)
    return owner.voucherWords()
  })
}

/** Words are keys: not over a network in the clear, and not for a browser somebody left open. */
async function confirmForSecret(request: FastifyRequest, door: DashboardDoor): Promise<void> {
  if (!door.isTls && !door.isLoopback(request.ip))
    throw new MeshBoxError('forbidden', 'words are not sent over a network without TLS; use `meshbox identity words` or `meshbox voucher key words` on the box', {
      code: 'needs-private-channel',
    })
  await door.owner.access.confirm(request.ip, (request.body as WordsRequest).password)
}

function alreadyOwned(): MeshBoxError {
  return new MeshBoxError('conflict', 'this box already has an owner; log in', { code: 'already-set-up' })
}

/** The value of our cookie; the first one if a browser sends several. */
export function tokenOf(request: FastifyRequest): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name = '', ...value] = pair.split('=')
    if (name.trim() === SESSION_COOKIE) return value.join('=').trim()
  }
  return undefined
}

function cookie(token: string, isTls: boolean, maxAgeSeconds?: number): string {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`
  return `${SESSION_COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}${age}`
}
