import { MeshBoxError } from '../base/index.ts'
import type { PublicError } from '../base/index.ts'

/**
 * What is wrong with a configuration, in the words of the person who has to mend it. All problems of a
 * file are reported together, one line each: `file:line: section, option, value: what; allowed: …`.
 */
export interface ConfigProblem {
  readonly file: string
  /** 1-based line the problem starts on; 0 when it is about the file as a whole. */
  readonly line: number
  /** As the file writes it, e.g. `package 'day'`. */
  readonly section?: string
  readonly option?: string
  readonly value?: string
  /** What is wrong, without a full stop. */
  readonly what: string
  /** What may stand there instead. */
  readonly allowed?: string
}

export interface PublicConfigError extends PublicError {
  readonly problems: readonly ConfigProblem[]
}

const MAX_SHOWN = 120
/** More than anybody mends in one go. */
export const MAX_PROBLEMS_SHOWN = 100

/** Rejected configuration: kind `input`, code `bad-config`; field, value and allowed are the first problem's. */
export class ConfigError extends MeshBoxError {
  readonly problems: readonly ConfigProblem[]

  /** `problems` must not be empty. */
  constructor(problems: readonly ConfigProblem[]) {
    const sorted = [...problems]
      .sort((a, b) => a.line - b.line)
      .slice(0, MAX_PROBLEMS_SHOWN)
      .map(cleaned)
    const more = problems.length - sorted.length
    const first = sorted[0]
    const field = [first?.section, first?.option].filter((part) => part !== undefined).join(', ')
    super('input', [...sorted.map(problemLine), ...(more > 0 ? [`${first?.file}: and ${more} more`] : [])].join('\n'), {
      code: 'bad-config',
      ...(field === '' ? {} : { field }),
      ...(first?.value === undefined ? {} : { value: first.value }),
      ...(first?.allowed === undefined ? {} : { allowed: first.allowed }),
    })
    this.problems = sorted
  }

  override toPublic(): PublicConfigError {
    return { ...super.toPublic(), problems: this.problems }
  }
}

function cleaned(problem: ConfigProblem): ConfigProblem {
  const { section, option, value } = problem
  return {
    ...problem,
    ...(section === undefined ? {} : { section: printable(section) }),
    ...(option === undefined ? {} : { option: printable(option) }),
    ...(value === undefined ? {} : { value: printable(value) }),
  }
}

/** One problem as one line of text. */
export function problemLine(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file
  const parts: string[] = []
  if (problem.section !== undefined) parts.push(problem.section)
  if (problem.option !== undefined) parts.push(`option ${problem.option}`)
  if (problem.value !== undefined) parts.push(`value '${problem.value}'`)
  const where = parts.length > 0 ? `${parts.join(', ')}: ` : ''
  const allowed = problem.allowed === undefined ? '' : `; allowed: ${problem.allowed}`
  return `${printable(place)}: ${where}${printable(problem.what, 400)}${allowed}`
}

/** Cut short and without control characters: a hostile file cannot draw on a terminal or fill a log. */
function printable(text: string, max = MAX_SHOWN): string {
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\ufffd')
  return plain.length <= max ? plain : `${plain.slice(0, max - 3)}...`
}
