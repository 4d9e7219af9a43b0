/** The way back from a join, as a file beside the books: what the router's files were, and what they became. Passwords are in it: mode 0600. */
import { MeshBoxError } from '../../base/index.ts'
import { JOIN_FILES } from './join-plan.ts'
import type { ConfigTexts, JoinPlan } from './join-plan.ts'

/** In the data folder. */
export const UNDO_FILE = 'mesh-join.json'
/** The code that the box joined by, beside it: the service takes its ticket from there. */
export const CODE_FILE = 'mesh-code'
/** Before and after of four files. */
export const MAX_UNDO_BYTES = 4 * 1024 * 1024
/** Of one of the router's files. */
export const MAX_ROUTER_FILE_BYTES = 256 * 1024

type Way = Pick<JoinPlan, 'after' | 'before'>

export function undoFileText({ after, before }: Way): string {
  return JSON.stringify({ after, before })
}

/**
 * What the file has to hold before `plan` is written. While the files are still on a way that was kept before, whole or in part, the way
 * goes back to where that one began: a power cut in the middle and a second try do not lose what the files were.
 */
export function wayBack(plan: Way, kept: Way | null, now: ConfigTexts): Way {
  if (kept === null) return plan
  const isOn = JOIN_FILES.every((file) => kept.after[file] === undefined || now[file] === kept.after[file] || now[file] === (kept.before[file] ?? null))
  return isOn ? { after: { ...kept.after, ...plan.after }, before: { ...plan.before, ...kept.before } } : plan
}

/** Null: there is none, or what is there is not ours. */
export function keptWay(text: string | null): Way | null {
  try {
    return text === null ? null : readUndoFile(text)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return null
    throw thrown
  }
}

/** Errors: input `bad-undo-file`. */
export function readUndoFile(text: string): Way {
  const kept = parsed(text)
  const isPlan = isRecord(kept) && isRecord(kept['after']) && isRecord(kept['before'])
  if (!isPlan) throw notOurs()
  return { after: textsOf(kept['after']), before: textsOf(kept['before']) } as Way
}

function textsOf(value: unknown): Record<string, string | null> {
  const texts: Record<string, string | null> = {}
  for (const file of JOIN_FILES) {
    const text = isRecord(value) ? value[file] : undefined
    if (text === undefined) continue
    if (text !== null && typeof text !== 'string') throw notOurs()
    texts[file] = text
  }
  return texts
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notOurs()
  }
}

function notOurs(): MeshBoxError {
  return new MeshBoxError('input', `${UNDO_FILE} is not what meshbox join wrote`, { code: 'bad-undo-file' })
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
