/** A refusal as an answer: JSON for programs, a page for people, never more than MeshBoxError makes public. */
import { MeshBoxError, httpStatus } from '../../base/index.ts'
import { wantsJson } from './accept.ts'
import { type Answer, htmlAnswer, jsonAnswer } from './answer.ts'
import { type Asked, type Counter, pageContext } from './asked.ts'
import { RPC_PATH, rpcProblem } from './guest-rpc.ts'
import { type Texts, fill } from './languages/language.ts'
import { problemPage } from './page/side-pages.ts'
import { durationText } from './wording.ts'

/** Refusals whose status is not the one of their kind. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  'method-not-allowed': 405,
  'body-too-large': 413,
  'url-too-long': 414,
  'wrong-content-type': 415,
  'headers-too-large': 431,
}

export function statusOf(error: MeshBoxError): number {
  return STATUS_BY_CODE[error.code] ?? httpStatus(error.kind)
}

/** Paths that programs ask for, whatever their Accept header says. */
export function isForPrograms(path: string, accept: string): boolean {
  return path.endsWith('.json') || path.startsWith('/captive-portal/') || wantsJson(accept)
}

export function problemAnswer(
  error: MeshBoxError,
  asked: Asked,
  counter: Pick<Counter<unknown>, 'config' | 'seals' | 'front' | 'stream'>,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const status = statusOf(error)
  const all = { ...(error.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.retryAfterSeconds) }), ...headers }
  if (asked.path === RPC_PATH) return rpcProblem(status, error, all)
  if (isForPrograms(asked.path, asked.accept)) return jsonAnswer(status, error.toPublic(), all)
  const { text } = asked.language
  const wording = fill(text[wordsFor(error)], { time: durationText(asked.language, error.retryAfterSeconds ?? 1) })
  const waiting = error.code === 'unknown-device'
  // a refusal has no address of its own worth keeping: language links lead to the start page
  const context = { ...pageContext(asked, counter), selfPath: waiting ? asked.path : '/' }
  const body = problemPage(context, {
    title: waiting ? text.oneMoment : text.didNotWork,
    text: wording,
    detail: error.kind === 'input' ? error.message : null,
    ...(waiting ? { wait: { seconds: UNKNOWN_DEVICE_SECONDS, path: asked.path } } : {}),
  })
  return htmlAnswer(status, counter.front.csp, body, all)
}

export const UNKNOWN_DEVICE_SECONDS = 3

function wordsFor(error: MeshBoxError): keyof Texts {
  if (error.code === 'unknown-device') return 'unknownDevice'
  if (error.code === 'no-session') return 'noSession'
  switch (error.kind) {
    case 'not-found':
      return 'notFound'
    case 'limit':
      return 'tooFast'
    case 'unavailable':
      return 'busy'
    case 'internal':
      return 'failed'
    case 'input':
    case 'unauthorized':
      return 'badRequest'
    case 'forbidden':
    case 'conflict':
      return 'notNow'
  }
}
