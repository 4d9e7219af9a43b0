/** LuCI's `uci`: a copy of the configuration in the browser, changed there, sent back by save(). For tests. */
export type UciValue = string | readonly string[]
export type UciSection = Record<string, UciValue | number | boolean>

export class Uci {
  #sections: UciSection[] = []
  readonly #load: () => Promise<UciSection[]>
  readonly #save: (sections: readonly UciSection[]) => Promise<void>

  constructor(load: () => Promise<UciSection[]>, save: (sections: readonly UciSection[]) => Promise<void>) {
    this.#load = load
    this.#save = save
  }

  load = async (_config: string): Promise<void> => {
    this.#sections = await this.#load()
  }
  save = (): Promise<void> => this.#save(this.#sections)

  sections = (_config: string, type: string): UciSection[] => this.#sections.filter((section) => section['.type'] === type)

  get = (_config: string, name: string, option?: string): UciValue | null => {
    const section = this.#sections.find((candidate) => candidate['.name'] === name)
    if (section === undefined) return null
    return ((option === undefined ? section : section[option]) ?? null) as UciValue | null
  }
  set = (_config: string, name: string, option: string, value: UciValue | null): void => {
    const section = this.#sections.find((candidate) => candidate['.name'] === name)
    if (section !== undefined && value !== null) section[option] = value
  }
  unset = (_config: string, name: string, option: string): void => {
    const section = this.#sections.find((candidate) => candidate['.name'] === name)
    if (section !== undefined) delete section[option]
  }
  add = (_config: string, type: string, name: string): string => {
    this.#sections.push({ '.name': name, '.type': type, '.anonymous': false })
    return name
  }
  remove = (_config: string, name: string): void => {
    this.#sections = this.#sections.filter((section) => section['.name'] !== name)
  }
}
