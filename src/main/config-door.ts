/**
 * The configuration in force, and how it changes: by SIGHUP, by `meshbox reload`, by the dashboard. A file
 * that does not load changes nothing. Options that cannot change at run time keep their old value in force
 * until the next start, and the report names them.
 */
import { MeshBoxError, type Log } from '../base/index.ts'
import { configChanges, keepUntilRestart, loadConfig, readConfigFile, writeConfigFile, type Config } from '../config/index.ts'

export interface ReloadReport {
  readonly applied: readonly string[]
  readonly needsRestart: readonly string[]
}

export class ConfigInForce {
  readonly #path: string
  readonly #log: Log
  readonly #changed: (config: Config) => Promise<void> | void
  /** What the rooms were started with: the base that `needsRestart` is measured against. */
  readonly #started: Config
  #current: Config
  #turn: Promise<unknown> = Promise.resolve()

  constructor(path: string, config: Config, log: Log, changed: (config: Config) => Promise<void> | void) {
    this.#path = path
    this.#started = config
    this.#current = config
    this.#log = log
    this.#changed = changed
  }

  current(): Config {
    return this.#current
  }

  text(): string {
    return readConfigFile(this.#path)
  }

  reload(): Promise<ReloadReport> {
    return this.#inTurn(async () => this.#put(loadConfig(this.text(), this.#path)))
  }

  save(text: string): Promise<ReloadReport> {
    return this.#inTurn(async () => {
      const config = loadConfig(text, this.#path)
      writeConfigFile(this.#path, text)
      return this.#put(config)
    })
  }

  async #put(next: Config): Promise<ReloadReport> {
    const changes = configChanges(this.#current, next)
    const needsRestart = configChanges(this.#started, next).filter((change) => change.restart)
    // Options that need a restart keep their old value, so that no room sees half a change.
    this.#current = keepUntilRestart(this.#started, next)
    await this.#changed(this.#current)
    const report = {
      applied: changes.filter((change) => !change.restart).map((change) => change.option),
      needsRestart: needsRestart.map((change) => change.option),
    }
    if (report.applied.length > 0) this.#log.info('configuration: now in force', { options: report.applied.join(' ') })
    for (const change of needsRestart)
      this.#log.warn('configuration: needs a restart of the service', { option: change.option, inForce: change.from, afterRestart: change.to })
    return report
  }

  /** One change at a time: a reload in the middle of a save would see half of it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

/** What `--config` named could not be used at start: there is no older configuration to go on with. */
export function loadAtStart(path: string): Config {
  if (!path.startsWith('/')) throw new MeshBoxError('input', `--config: '${path}' is not an absolute path`, { code: 'bad-input', field: '--config', value: path, allowed: 'an absolute path' })
  return loadConfig(readConfigFile(path), path)
}
