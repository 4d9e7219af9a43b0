/**
 * The wallet's routes: its page, its script, and the two verbs a guest's key can sign for. Without a wallet script
 * there is no wallet, and these paths are pages that do not exist.
 */
import { MeshBoxError, fromHex, inputError } from '../../../base/index.ts'
import type { WalletAction } from '../../wallet/index.ts'
import { type Answer, htmlAnswer, jsonAnswer, redirectAnswer, scriptAnswer } from '../answer.ts'
import { type AskedByGuest, type Counter, type GuestGet, type GuestPost, type LookingDesk, type OpenGet, pageContext } from '../asked.ts'
import type { Wallet } from '../front.ts'
import { link } from '../page/context.ts'
import type { PayPart } from '../page/pay.ts'
import { walletPage } from '../page/wallet.ts'
import { isForPrograms, statusOf } from '../problem.ts'
import { refusalText } from '../refusal.ts'

const HOUR_SECONDS = 3600

export const walletView: GuestGet = (asked, counter) => walletAnswer(200, asked, counter, null)

export const walletScript: OpenGet = (asked, counter) => scriptAnswer(walletOf(counter).script, asked)

export const keepSession: GuestPost = async (asked, counter, form) => {
  return signed('keep', asked, counter, form, async (address) => {
    await counter.desk.keepWithKey(asked.client, address)
    // To the same page: what stands behind the # of the form's address, the key, stays there (Fetch, HTTP-redirect).
    return link(pageContext(asked, counter), '/wallet')
  })
}

export const openSession: GuestPost = async (asked, counter, form) => {
  return signed('open', asked, counter, form, async (address) => {
    await counter.desk.openWithKey(asked.client, address)
    // Its own empty #, so that the key does not stay in the address of a page that has no use for it.
    return `${link(pageContext(asked, counter), '/')}#`
  })
}

const SESSION_ID = /^[0-9A-Za-z-]{1,32}$/
const SIGNATURE = /^0x[0-9a-f]{130}$/

/** For the page's script: what this key could sign, and the token of a form that says so. Also asked by a page that another box showed. */
export const keptElsewhere: GuestGet = async (asked, counter, address) => {
  walletOf(counter)
  return inJson(asked, async () => ({ walks: await counter.desk.keptElsewhere(asked.client, address), token: pageContext(asked, counter).formToken }))
}

export const showKey: GuestPost = (asked, counter, form) => {
  walletOf(counter)
  return inJson(asked, async () => {
    const [session, signature] = [form.get('session') ?? '', form.get('signature') ?? '']
    if (!SESSION_ID.test(session)) throw inputError('session', session, '1 to 32 letters, digits or -')
    if (!SIGNATURE.test(signature)) throw inputError('signature', `${signature.length} characters`, '0x and 130 hex digits in lower case')
    await counter.desk.showKey(asked.client, session, fromHex(signature, 'signature'))
    return { state: 'here' }
  })
}

async function inJson(asked: AskedByGuest, make: () => Promise<Readonly<Record<string, unknown>>>): Promise<Answer> {
  try {
    return jsonAnswer(200, await make())
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.kind === 'internal') throw error
    return jsonAnswer(statusOf(error), { ...error.toPublic(), text: refusalText(asked.language, error) }, error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) })
  }
}

/** The wallet page again, with why not and with fresh challenges. */
export function walletRefused(asked: AskedByGuest, counter: Counter<LookingDesk>, error: MeshBoxError): Answer {
  const headers = error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) }
  if (isForPrograms(asked.path, asked.accept)) return jsonAnswer(statusOf(error), error.toPublic(), headers)
  return walletAnswer(statusOf(error), asked, counter, error, headers)
}

async function signed(action: WalletAction, asked: AskedByGuest, counter: Counter<LookingDesk>, form: URLSearchParams, verb: (address: string) => Promise<string>): Promise<Answer> {
  try {
    const host = asked.origin.replace(/^https?:\/\//, '')
    const address = walletOf(counter).check.verify(asked.client.mac, host, action, {
      challenge: form.get('challenge') ?? '',
      address: form.get('address') ?? '',
      signature: form.get('signature') ?? '',
    })
    return redirectAnswer(303, await verb(address))
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.code === 'not-found') throw error
    return walletRefused(asked, counter, error)
  }
}

function walletAnswer(status: number, asked: AskedByGuest, counter: Counter<LookingDesk>, error: MeshBoxError | null, headers: Readonly<Record<string, string>> = {}): Answer {
  const { check, csp, payingCsp } = walletOf(counter)
  const message = error === null ? null : { text: refusalText(asked.language, error), typed: '', aboutCode: false }
  const context = { ...pageContext(asked, counter, message), selfPath: '/wallet' }
  const { session, roam } = counter.desk.view(asked.client)
  const { mac } = asked.client
  // Of one that is another box's, this one can keep nothing.
  const isVisiting = roam === 'visiting' || roam === 'visiting-key'
  const hasSession = session !== null && session.state !== 'ended' && !isVisiting
  const isWalking = counter.config.mesh.roamEnforcement === 'access' && counter.config.main.roles.includes('relay')
  const isKeyAsked = roam === 'key' || roam === 'visiting-key'
  const visit = !hasSession && (isVisiting || isKeyAsked) ? { seller: session?.label ?? null, isKeyAsked } : null
  const pay = payPart(asked, counter, !hasSession && visit === null)
  const body = walletPage(context, {
    hasSession,
    keptBy: counter.desk.keptAddress(asked.client),
    challenges: { keep: check.challenge(mac, 'keep'), open: check.challenge(mac, 'open') },
    pay,
    walkSeconds: isWalking ? counter.config.mesh.roamSecondsWithoutKey : null,
    visit,
  })
  return htmlAnswer(status, pay === null && !isWalking ? csp : payingCsp, body, headers)
}

/** On plain HTTP somebody may have changed the page: then it may spend an hour's price, or what the owner says. */
function payPart({ origin }: AskedByGuest, { config, stream }: Counter<LookingDesk>, isMain: boolean): PayPart | null {
  const board = stream?.board() ?? null
  if (board === null) return null
  const { burnerCap } = config.tariff
  const hour = board.unit * BigInt(Math.ceil(HOUR_SECONDS / board.tickSeconds))
  return { isMain, board, cap: origin.startsWith('https:') ? null : burnerCap > 0n ? burnerCap : hour }
}

function walletOf(counter: Pick<Counter<unknown>, 'front'>): Wallet {
  const { wallet } = counter.front
  if (wallet === null) throw new MeshBoxError('not-found', 'there is no such page', { code: 'not-found' })
  return wallet
}
