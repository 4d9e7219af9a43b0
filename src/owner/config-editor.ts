/** Changes of the configuration by the owner, one after the other, so that no change is lost under another. */
import { applyOwnerSettings } from '../config/index.ts'
import type { OwnerSettings } from '../config/index.ts'
import type { ReloadReportJson } from './api/amounts.ts'
import type { ConfigDoor } from './ports.ts'

export class ConfigEditor {
  readonly #config: ConfigDoor
  #last: Promise<unknown> = Promise.resolve()

  constructor(config: ConfigDoor) {
    this.#config = config
  }

  /** Edits the file as it is then on disk. Rejects (ConfigError, `input`) with nothing changed. */
  change(settings: OwnerSettings): Promise<ReloadReportJson> {
    return this.#inTurn(() => this.#config.save(applyOwnerSettings(this.#config.text(), settings)))
  }

  reload(): Promise<ReloadReportJson> {
    return this.#inTurn(() => this.#config.reload())
  }

  #inTurn(run: () => Promise<ReloadReportJson>): Promise<ReloadReportJson> {
    const mine = this.#last.then(run)
    this.#last = mine.catch(() => undefined) // whoever asked for that change gets its error
    return mine
  }
}
