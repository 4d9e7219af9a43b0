/**
 * Forms: reading them, and making sure that our own page sent them. The page has no cookies, so what an
 * attacker could make a guest's browser send carries nothing of the guest's but his address; against that
 * stands the token, which only a page of ours shown to this very device contains. `Origin: null` must be
 * accepted, since that is what browsers send for forms of a page with `Referrer-Policy: no-referrer`.
 */
import { MeshBoxError, inputError } from '../../base/index.ts'
import type { AskedByGuest } from './asked.ts'
import type { Seals } from './seals.ts'

export type Form = URLSearchParams

export const MAX_FORM_BYTES = 4096
const FIELDS = new Set(['code', 'token', 'challenge', 'address', 'signature', 'consent', 'order', 'session', 'reference'])

/** Each known field at most once, and no others: what we did not write into the page is not from the page. */
export function readForm(body: string): Form {
  const form = new URLSearchParams(body)
  const seen = new Set<string>()
  for (const name of form.keys()) {
    if (!FIELDS.has(name)) throw inputError('form field', name, [...FIELDS].join(', '))
    if (seen.has(name)) throw inputError(name, 'given twice', 'one value')
    seen.add(name)
  }
  return form
}

/** Throws `forbidden`, code `page-old` for a wrong token (a restart makes new ones) or `foreign-page`. */
export function requireOwnPage(
  form: Form,
  asked: AskedByGuest,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  seals: Seals,
): void {
  const site = headers['sec-fetch-site']
  const origin = headers['origin']
  const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  const isForeignOrigin = origin !== undefined && origin !== 'null' && origin !== asked.origin
  if (isForeignSite || isForeignOrigin)
    throw new MeshBoxError('forbidden', 'this form was not sent by the page of this Wi-Fi', { code: 'foreign-page', field: isForeignOrigin ? 'Origin' : 'Sec-Fetch-Site' })
  if (!seals.isFormToken(asked.client.mac, form.get('token') ?? ''))
    throw new MeshBoxError('forbidden', 'this page is out of date', { code: 'page-old', field: 'token' })
}
