/**
 * The POST routes: one verb of the desk each. Done is answered with 303 to the start page, a full
 * navigation: that is when phones look again whether they are online. A refusal shows the page again with
 * the reason, and what was typed stays in the field.
 */
import { MeshBoxError } from '../../../base/index.ts'
import type { ClientAddress, GuestDesk } from '../../types.ts'
import { htmlAnswer, jsonAnswer, redirectAnswer } from '../answer.ts'
import { type AskedByGuest, type Counter, type GuestPost, pageContext } from '../asked.ts'
import type { Answer } from '../answer.ts'
import { link } from '../page/context.ts'
import { homePage } from '../page/home.ts'
import { MAX_BEARER_LENGTH } from '../page/parts.ts'
import { addTimePage } from '../page/side-pages.ts'
import { isForPrograms, statusOf } from '../problem.ts'
import { isAboutCode, refusalText } from '../refusal.ts'
import { walletRefused } from './wallet.ts'

/** Longer texts are scanned ones, which nobody would mend by hand. */
const MAX_KEPT_LENGTH = 64

export const redeem: GuestPost = async (asked, counter, form) => {
  const bearer = (form.get('code') ?? '').trim()
  return attempt(asked, counter, bearer, async (desk, client) => {
    if (bearer === '') throw new MeshBoxError('input', 'code: nothing was typed', { code: 'code-missing', field: 'code' })
    if (bearer.length > MAX_BEARER_LENGTH)
      throw new MeshBoxError('input', `code: at most ${MAX_BEARER_LENGTH} characters are allowed`, { code: 'bad-code', field: 'code' })
    await desk.redeem(client, bearer)
  })
}

export const takeTrial: GuestPost = (asked, counter) => attempt(asked, counter, '', (desk, client) => desk.startTrial(client))
export const pauseSession: GuestPost = (asked, counter) => attempt(asked, counter, '', (desk, client) => desk.pause(client))
export const resumeSession: GuestPost = (asked, counter) => attempt(asked, counter, '', (desk, client) => desk.resume(client))
export const endSession: GuestPost = (asked, counter) => attempt(asked, counter, '', (desk, client) => desk.end(client))

async function attempt(
  asked: AskedByGuest,
  counter: Counter<GuestDesk>,
  typed: string,
  verb: (desk: GuestDesk, client: ClientAddress) => Promise<unknown>,
): Promise<Answer> {
  try {
    await verb(counter.desk, asked.client)
  } catch (error) {
    if (!(error instanceof MeshBoxError)) throw error
    return refused(asked, counter, error, typed)
  }
  return redirectAnswer(303, link(pageContext(asked, counter), '/'))
}

/** The page again, with why not. Also for forms that were sent from an outdated page. */
export function refused(asked: AskedByGuest, counter: Counter<GuestDesk>, error: MeshBoxError, typed: string): Answer {
  if (asked.path.startsWith('/wallet/') && counter.front.wallet !== null) return walletRefused(asked, counter, error)
  const status = statusOf(error)
  const headers = error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) }
  if (isForPrograms(asked.path, asked.accept)) return jsonAnswer(status, error.toPublic(), headers)
  const aboutCode = isAboutCode(error)
  const context = pageContext(asked, counter, {
    text: refusalText(asked.language, error),
    typed: typed.length <= MAX_KEPT_LENGTH ? typed : '',
    aboutCode,
  })
  const view = counter.desk.view(asked.client)
  const isOpen = view.session?.state === 'active' || view.session?.state === 'paused'
  const wasAdding = asked.path === '/redeem' && isOpen
  return htmlAnswer(status, counter.front.csp, wasAdding ? addTimePage(context, view) : homePage(context, view), headers)
}
