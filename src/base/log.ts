/**
 * Structured log: one line per event, `<N>` syslog priority first where the reader wants it, then
 * `level room: message key=value …`. Values that look like secrets never reach a line: callers pass
 * fields by name and the names below are replaced.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same log under a room's name. */
  room(name: string): Log
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }
const SYSLOG: Record<LogLevel, number> = { debug: 7, info: 6, warn: 4, error: 3 }
const SECRET = /password|passphrase|secret|private|words|code|cookie|ticket|authorization/i
const HIDDEN = '[hidden]'
const MAX_VALUE = 300

export interface LogOptions {
  level: LogLevel
  /** Receives one finished line, without a newline. */
  write: (line: string) => void
  /** ISO time in front (a terminal) or a syslog priority (procd, journald: they stamp themselves). */
  style: 'time' | 'syslog'
  now: () => number
}

/** `options.level` is read at each line, so a configuration reload can change it. */
export function createLog(options: LogOptions, room = 'meshbox'): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields): void => {
    if (RANK[level] < RANK[options.level]) return
    const head = options.style === 'syslog' ? `<${SYSLOG[level]}>` : `${new Date(options.now()).toISOString()} `
    options.write(`${head}${level} ${room}: ${oneLine(message)}${formatFields(fields)}`)
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    room: (name) => createLog(options, name),
  }
}

function formatFields(fields: LogFields | undefined): string {
  if (!fields) return ''
  let out = ''
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    out += ` ${oneLine(key)}=${SECRET.test(key) ? HIDDEN : formatValue(value)}`
  }
  return out
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return quote(value.message)
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'object' && value !== null) return quote(json(value))
  return quote(String(value))
}

function json(value: object): string {
  const plain = (key: string, inner: unknown): unknown => {
    if (key !== '' && SECRET.test(key)) return HIDDEN
    return typeof inner === 'bigint' ? inner.toString() : inner
  }
  try {
    return JSON.stringify(value, plain) ?? 'nothing'
  } catch {
    return 'not printable' // a cyclic value: a log line is no reason to fail
  }
}

function quote(text: string): string {
  const cut = oneLine(text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text)
  return /^[A-Za-z0-9_.:/@+-]+$/.test(cut) ? cut : `"${cut.replace(/["\\]/g, '\\$&')}"`
}

function oneLine(text: string): string {
  return text.replace(/[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\p{Bidi_Control}]+/gu, ' ')
}

/** Throws everything away: for tests that do not look at the log. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  room: () => silentLog,
}
