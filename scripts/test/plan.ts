/** Shares test files out into runs of vitest, and the runs over the processors. */
import type { Project } from './projects.ts'

/** Files that one vitest runs, one after the other. */
export interface Lot {
  readonly project: Project
  /** Relative to the root. */
  readonly files: readonly string[]
  /** About so long. */
  readonly seconds: number
}

/** What the plan has done for it. */
export interface Doer {
  /** Resolves when it has ended, however. */
  run(lot: Lot): Promise<void>
  /** Before the first lot of a project that has a preparation. */
  prepare(project: Project): Promise<void>
}

/** So many computing lots more than there are processors: emulated machines, disks and compilers have pauses, too. */
const COMPUTING_BESIDE = 1
/** So many lots that mostly wait run beside the computing ones. */
const WAITING_AT_ONCE = 2

/** In the order of their paths: neighbours import the same. Long files have a lot of their own. */
export function lotsOf(project: Project, files: readonly string[], durations: Readonly<Record<string, number>>): Lot[] {
  const lots: Lot[] = []
  let shared: string[] = []
  let seconds = 0
  const close = (): void => {
    if (shared.length > 0) lots.push({ project, files: shared, seconds })
    shared = []
    seconds = 0
  }
  for (const file of [...files].sort()) {
    const own = durations[file] ?? project.usualSeconds
    if (own >= project.runSeconds) {
      lots.push({ project, files: [file], seconds: own })
      continue
    }
    if (seconds + own > project.runSeconds) close()
    shared.push(file)
    seconds += own
  }
  close()
  return lots
}

/**
 * Runs all lots, of each kind the longest first, so that nothing long begins last: a computing one for each processor and one more, and beside
 * them some that mostly wait. Whoever computes and has nothing left helps with those. While a project is prepared, lots of others run.
 */
export async function runAll(lots: readonly Lot[], processors: number, doer: Doer): Promise<void> {
  const ofKind = (kind: Project['kind']): Lot[] => lots.filter(({ project }) => project.kind === kind).sort((one, other) => other.seconds - one.seconds)
  const left = { computing: ofKind('computing'), waiting: ofKind('waiting') }
  const preparing = new Map<string, Promise<void>>()
  const isReady = new Set<string>()

  function take(kind: Project['kind']): Lot | undefined {
    const at = left[kind].findIndex(({ project }) => project.preparation === undefined || isReady.has(project.name) || !preparing.has(project.name))
    return at < 0 ? undefined : left[kind].splice(at, 1)[0]
  }

  async function work(kinds: readonly Project['kind'][]): Promise<void> {
    for (;;) {
      const lot = kinds.reduce<Lot | undefined>((found, kind) => found ?? take(kind), undefined)
      if (lot !== undefined) {
        if (lot.project.preparation !== undefined && !preparing.has(lot.project.name)) {
          preparing.set(lot.project.name, doer.prepare(lot.project).then(() => void isReady.add(lot.project.name)))
          await preparing.get(lot.project.name)
        }
        await doer.run(lot)
      } else if (kinds.some((kind) => left[kind].length > 0)) await Promise.all(preparing.values()) // all that is left waits for that
      else return
    }
  }

  await Promise.all([
    ...Array.from({ length: processors + COMPUTING_BESIDE }, () => work(['computing', 'waiting'])),
    ...Array.from({ length: WAITING_AT_ONCE }, () => work(['waiting'])),
  ])
}
