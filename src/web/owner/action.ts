/** One changing request as a view sees it: busy or not, and the box's objections in words, field by field. */
import { useCallback, useRef, useState } from 'preact/hooks'
import { ApiError, SilenceError } from './client.ts'
import * as S from './strings.ts'

/** One objection. The configuration reports all of them at once; every other door reports the first. */
export interface Objection {
  readonly text: string
  /** As the API names it in requests, e.g. `pricePerMinute`; null when it is about no single field. */
  readonly field: string | null
  /** `package 'day'`: of which thing in a list; null when there is only one. */
  readonly section: string | null
}

export interface Problem {
  readonly code: string
  readonly objections: readonly Objection[]
  readonly retryAfterSeconds: number | null
}

/** What the configuration room adds to its errors. */
interface ConfigObjection {
  readonly section?: string
  readonly option?: string
  readonly what?: string
  readonly allowed?: string
}

/** Rethrows what did not come from a request: a fault of ours belongs on the console. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof SilenceError) return problem('silence', thrown.message)
  if (!(thrown instanceof ApiError)) throw thrown
  const { error, message, field, allowed, retryAfterSeconds = null } = thrown.body
  if (error === 'not-logged-in') return problem(error, S.netSignInFirst)
  if (error === 'wrong-password') return problem(error, S.loginWrong, field ?? 'password')
  if (error === 'wrong-setup-code') return problem(error, S.setupWrongCode, field ?? null)
  if (error === 'too-many-tries' && retryAfterSeconds !== null)
    return { ...problem(error, S.loginWait(retryAfterSeconds)), retryAfterSeconds }
  const listed = (thrown.body as { problems?: readonly ConfigObjection[] }).problems
  if (Array.isArray(listed)) return { code: error, objections: listed.map(configObjection), retryAfterSeconds }
  const text = field !== undefined && allowed !== undefined ? S.netNotAllowed(allowed) : message
  return { ...problem(error, text, field ?? null), retryAfterSeconds }
}

function problem(code: string, text: string, field: string | null = null): Problem {
  return { code, objections: [{ text, field, section: null }], retryAfterSeconds: null }
}

function configObjection({ section, option, what = '', allowed }: ConfigObjection): Objection {
  return {
    section: section ?? null,
    field: option?.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase()) ?? null,
    text: allowed === undefined ? S.netRefused(what) : S.netNotAllowed(allowed),
  }
}

export interface Action<A extends readonly unknown[]> {
  /** Does nothing while it is busy. Resolves true when the box carried it out. */
  readonly run: (...args: A) => Promise<boolean>
  readonly busy: boolean
  readonly problem: Problem | null
  readonly clear: () => void
  /** The objection to one field, for showing at that field. */
  readonly at: (field: string, section?: string) => string | null
  /** Objections to none of these fields, for showing at the form's end. */
  readonly besides: (...fields: readonly string[]) => string | null
}

export function useAction<A extends readonly unknown[]>(work: (...args: A) => Promise<void>): Action<A> {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const running = useRef(false)
  const latest = useRef(work)
  latest.current = work

  const run = useCallback(async (...args: A): Promise<boolean> => {
    if (running.current) return false
    running.current = true
    setBusy(true)
    setProblem(null)
    try {
      await latest.current(...args)
      return true
    } catch (thrown) {
      setProblem(problemOf(thrown))
      return false
    } finally {
      running.current = false
      setBusy(false)
    }
  }, [])
  const clear = useCallback(() => setProblem(null), [])

  const objections = problem?.objections ?? []
  return {
    run,
    busy,
    problem,
    clear,
    at: (field, section) =>
      objections.find((one) => isField(one, field) && (section === undefined || one.section === null || one.section === section))?.text ?? null,
    besides: (...fields) => {
      const rest = objections.filter((one) => !fields.some((field) => isField(one, field)))
      return rest.length === 0 ? null : rest.map((one) => (one.field === null ? one.text : `${one.field}: ${one.text}`)).join(' ')
    },
  }
}

/** `price` is also `packages.2.price` and `body/packages/2/price`. */
function isField(objection: Objection, field: string): boolean {
  const reported = objection.field ?? ''
  return reported === field || reported.endsWith(`.${field}`) || reported.endsWith(`/${field}`)
}
