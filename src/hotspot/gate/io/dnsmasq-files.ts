/**
 * Puts our two files where dnsmasq reads them (../dnsmasq.ts says what is in them). A file is written only
 * when its text changed, and whole or not at all; then dnsmasq is told, after checking that the pid in its
 * pid file really is a dnsmasq: a stale pid file must not make us signal a stranger.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MeshBoxError, asError, type Log } from '../../../base/index.ts'
import { dnsmasqOptions, dnsmasqSnippet, type DnsmasqNames } from '../dnsmasq.ts'

export interface DnsmasqPaths {
  readonly confDir: string | null
  readonly optionsFile: string | null
  readonly pidFile: string | null
}

const SNIPPET_NAME = 'meshbox.conf'

export class DnsmasqFiles {
  readonly #paths: DnsmasqPaths
  readonly #log: Log

  constructor(paths: DnsmasqPaths, log: Log) {
    this.#paths = paths
    this.#log = log
  }

  /** Portal name and walled garden. Resolves true when the text changed: dnsmasq must be restarted to read it. */
  writeSnippet(names: DnsmasqNames): boolean {
    if (this.#paths.confDir === null) return false
    const changed = writeIfChanged(join(this.#paths.confDir, SNIPPET_NAME), dnsmasqSnippet(names))
    if (changed) this.#log.info('dnsmasq reads the walled garden at its next start', { folder: this.#paths.confDir })
    return changed
  }

  /** Announces the captive portal API, or withdraws it (null). True when that is new; dnsmasq was told. */
  writeApiUri(uri: string | null): boolean {
    if (this.#paths.optionsFile === null) return false
    const changed = writeIfChanged(this.#paths.optionsFile, dnsmasqOptions(uri))
    if (changed) this.#hangUp()
    return changed
  }

  #hangUp(): void {
    if (this.#paths.pidFile === null) return
    try {
      const pid = readPid(this.#paths.pidFile)
      if (pid !== null && isDnsmasq(pid)) process.kill(pid, 'SIGHUP')
      else this.#log.warn('dnsmasq is not running by its pid file; it reads the DHCP options at its next start', { file: this.#paths.pidFile })
    } catch (error) {
      this.#log.warn('dnsmasq could not be told of new DHCP options', { file: this.#paths.pidFile, error: asError(error) })
    }
  }
}

function readPid(file: string): number | null {
  const text = readIfThere(file)?.trim() ?? ''
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null
}

function isDnsmasq(pid: number): boolean {
  const name = readIfThere(`/proc/${pid}/comm`)?.trim()
  return name === 'dnsmasq'
}

function writeIfChanged(file: string, text: string): boolean {
  const draft = join(dirname(file), `.${basename(file)}.new`)
  try {
    if (readIfThere(file) === text) return false
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(draft, text, { mode: 0o644 })
    renameSync(draft, file)
  } catch (error) {
    if (existsSync(draft)) rmSync(draft)
    throw new MeshBoxError('unavailable', `${file} could not be written: ${asError(error).message}`, { code: 'dnsmasq-files', cause: error })
  }
  return true
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
}
