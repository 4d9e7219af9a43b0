/**
 * LuCI's `form`, as far as the settings page uses it: the options of the documented classes, reading from and writing to
 * `uci`, `validate`, `placeholder`, `default`, `rmempty`, `modalonly`. Looks are only near to LuCI's. For tests.
 */
import { E } from './base.ts'
import type { Uci, UciValue } from './uci.ts'

type Validate = (section: string, value: string | null) => true | string

export class Value {
  placeholder = ''
  default: string | null = null
  rmempty = true
  modalonly = false
  forcewrite = false
  validate: Validate = () => true
  readonly choices: (readonly [string, string])[] = []
  cfgvalue: (section: string) => UciValue | null
  readonly #inputs = new Map<string, HTMLElement>()
  protected readonly uci: Uci
  readonly name: string
  readonly title: string
  readonly description: string

  constructor(uci: Uci, name: string, title: string, description = '') {
    this.uci = uci
    this.name = name
    this.title = title
    this.description = description
    this.cfgvalue = (section) => this.uci.get('meshbox', section, this.name) ?? null
  }

  value(key: string, title: string = key): void {
    this.choices.push([key, title])
  }

  protected widget(section: string, id: string): HTMLElement {
    const list = E('datalist', { id: `${id}-list` }, this.choices.map(([key, title]) => E('option', { value: key }, [title])))
    const shown = this.cfgvalue(section) ?? this.default ?? ''
    return E('span', {}, [E('input', { id, class: 'cbi-input-text', placeholder: this.placeholder, value: String(shown), list: `${id}-list` }), list])
  }

  protected formvalue(node: HTMLElement): UciValue | null {
    return node.querySelector('input')?.value ?? null
  }

  protected texts(value: UciValue | null): string[] {
    return value === null || value === '' ? [''] : Array.isArray(value) ? [...value] : [value as string]
  }

  textvalue(section: string): string {
    const value = this.cfgvalue(section)
    const text = value === null ? '' : Array.isArray(value) ? value.join(', ') : String(value)
    return this.choices.find(([key]) => key === text)?.[1] ?? text
  }

  row(section: string): HTMLElement {
    const id = `cbid.${section}.${this.name}`
    const widget = this.widget(section, id)
    this.#inputs.set(section, widget)
    return E('div', { class: 'cbi-value', 'data-name': this.name, 'data-section': section }, [
      E('label', { class: 'cbi-value-title', for: id }, [this.title]),
      E('div', { class: 'cbi-value-field' }, [widget, this.description === '' ? '' : E('div', { class: 'cbi-value-description' }, [this.description]), E('div', { class: 'cbi-error', role: 'alert' })]),
    ])
  }

  /** Writes what stands in the field, or gives the objection. */
  parse(section: string): string | null {
    const widget = this.#inputs.get(section)
    if (widget === undefined) return null
    const value = this.formvalue(widget)
    const empty = value === null || value === '' || (Array.isArray(value) && value.length === 0)
    const objection = this.#objection(section, value, empty)
    const place = widget.parentElement?.querySelector('.cbi-error')
    if (place) place.textContent = objection ?? ''
    if (objection !== null) return `${section}.${this.name}: ${objection}`
    if (empty || (this.rmempty && !this.forcewrite && value === this.default)) this.uci.unset('meshbox', section, this.name)
    else if (this.forcewrite || JSON.stringify(value) !== JSON.stringify(this.cfgvalue(section))) this.uci.set('meshbox', section, this.name, value)
    return null
  }

  #objection(section: string, value: UciValue | null, empty: boolean): string | null {
    if (empty) return this.rmempty ? null : 'must be given'
    for (const text of this.texts(value)) {
      const verdict = this.validate(section, text)
      if (verdict !== true) return verdict
    }
    return null
  }
}

export class ListValue extends Value {
  protected override widget(section: string, id: string): HTMLElement {
    const shown = this.cfgvalue(section) ?? this.default
    return E('span', {}, [E('select', { id, class: 'cbi-input-select' }, this.choices.map(([key, title]) => E('option', { value: key, selected: key === shown ? '' : null }, [title])))])
  }
  protected override formvalue(node: HTMLElement): UciValue | null {
    return node.querySelector('select')?.value ?? null
  }
}

export class Flag extends Value {
  protected override widget(section: string, id: string): HTMLElement {
    return E('span', {}, [E('input', { id, type: 'checkbox', checked: (this.cfgvalue(section) ?? this.default) === '1' ? '' : null })])
  }
  protected override formvalue(node: HTMLElement): UciValue | null {
    return node.querySelector('input')?.checked === true ? '1' : '0'
  }
  override textvalue(section: string): string {
    return (this.cfgvalue(section) ?? this.default) === '1' ? 'Yes' : 'No'
  }
}

/** A list, one item a line (LuCI draws a line of its own for each). */
export class DynamicList extends Value {
  protected override widget(section: string, id: string): HTMLElement {
    const items = this.cfgvalue(section)
    return E('span', {}, [E('textarea', { id, rows: 2, class: 'cbi-input-textarea' }, [(Array.isArray(items) ? items : items === null ? [] : [items]).join('\n')])])
  }
  protected override formvalue(node: HTMLElement): UciValue | null {
    return (node.querySelector('textarea')?.value ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '')
  }
}

export class MultiValue extends Value {
  protected override widget(section: string, id: string): HTMLElement {
    const items = this.cfgvalue(section)
    const chosen = Array.isArray(items) ? items : []
    return E('span', { id }, this.choices.map(([key, title]) => E('label', {}, [E('input', { type: 'checkbox', value: key, checked: chosen.includes(key) ? '' : null }), ' ', title])))
  }
  protected override formvalue(node: HTMLElement): UciValue | null {
    return [...node.querySelectorAll('input')].filter((input) => input.checked).map((input) => input.value)
  }
}

type Kind = new (uci: Uci, name: string, title: string, description?: string) => Value

class Section {
  readonly options: Value[] = []
  addremove = false
  sortable = false
  nodescriptions = false
  modaltitle: (section: string) => string = (section) => section
  readonly map: FormMap
  readonly key: string
  readonly title: string
  readonly description: string

  constructor(map: FormMap, key: string, title: string, description = '') {
    this.map = map
    this.key = key
    this.title = title
    this.description = description
  }

  option(Kind: Kind, name: string, title: string, description?: string): Value {
    const made = new Kind(this.map.uci, name, title, description)
    this.options.push(made)
    return made
  }

  protected frame(children: readonly (Node | string)[]): HTMLElement {
    return E('div', { class: 'cbi-section', 'data-section': this.key }, [E('h3', {}, [this.title]), this.description === '' ? '' : E('div', { class: 'cbi-section-descr' }, [this.description]), ...children])
  }
}

export class NamedSection extends Section {
  constructor(map: FormMap, name: string, _type: string, title: string, description?: string) {
    super(map, name, title, description)
  }
  render(): HTMLElement {
    return this.frame(this.options.map((option) => option.row(this.key)))
  }
  parse(): string[] {
    return this.options.map((option) => option.parse(this.key)).filter((objection) => objection !== null)
  }
}

export class GridSection extends Section {
  render(): HTMLElement {
    const shown = this.options.filter(({ modalonly }) => !modalonly)
    const rows = this.map.uci.sections('meshbox', this.key).map((section) => {
      const id = section['.name'] as string
      return E('tr', { class: 'tr', 'data-section-id': id }, [
        E('td', { class: 'td', 'data-title': 'Name' }, [E('strong', {}, [id])]),
        ...shown.map((option) => E('td', { class: 'td', 'data-title': option.title }, [option.textvalue(id)])),
        E('td', { class: 'td' }, [
          E('button', { class: 'btn cbi-button', click: () => this.#edit(id) }, ['Edit']),
          ' ',
          E('button', { class: 'btn cbi-button cbi-button-remove', click: () => this.#remove(id) }, ['Delete']),
        ]),
      ])
    })
    const name = E('input', { class: 'cbi-input-text', 'aria-label': `New ${this.key}` }) as HTMLInputElement
    return this.frame([
      E('table', { class: 'table' }, [E('tr', { class: 'tr table-titles' }, ['Name', ...shown.map(({ title }) => title), ''].map((title) => E('th', { class: 'th' }, [title]))), ...rows]),
      E('div', { class: 'cbi-section-create' }, [name, ' ', E('button', { class: 'btn cbi-button cbi-button-add', click: () => this.#add(name.value) }, ['Add'])]),
    ])
  }

  parse(): string[] {
    return []
  }

  #add(id: string): void {
    this.map.uci.add('meshbox', this.key, id)
    this.#edit(id)
  }

  #remove(id: string): void {
    this.map.uci.remove('meshbox', id)
    this.map.redraw()
  }

  #edit(id: string): void {
    const save = (): void => {
      const objections = this.options.map((option) => option.parse(id)).filter((objection) => objection !== null)
      if (objections.length > 0) return
      this.map.hideModal()
      this.map.redraw()
    }
    this.map.showModal(this.modaltitle(id), [...this.options.map((option) => option.row(id)), E('div', { class: 'right' }, [E('button', { class: 'btn cbi-button cbi-button-save', click: save }, ['Save package'])])])
  }
}

export class FormMap {
  readonly uci: Uci
  readonly showModal: (title: string, children: unknown) => void
  readonly hideModal: () => void
  readonly #title: string
  readonly #description: unknown
  readonly #sections: (NamedSection | GridSection)[] = []
  #node: HTMLElement | null = null

  constructor(parts: { uci: Uci; showModal: (title: string, children: unknown) => void; hideModal: () => void }, title: string, description: unknown) {
    this.uci = parts.uci
    this.showModal = parts.showModal
    this.hideModal = parts.hideModal
    this.#title = title
    this.#description = description
  }

  section(Kind: typeof NamedSection | typeof GridSection, key: string, ...rest: string[]): NamedSection | GridSection {
    const made = Kind === GridSection ? new GridSection(this, key, rest[0] ?? '', rest[1]) : new NamedSection(this, key, rest[0] ?? '', rest[1] ?? '', rest[2])
    this.#sections.push(made)
    return made
  }

  render(): Promise<HTMLElement> {
    this.#node = E('div', { class: 'cbi-map' })
    this.redraw()
    return Promise.resolve(this.#node)
  }

  redraw(): void {
    this.#node?.replaceChildren(E('h2', {}, [this.#title]), E('div', { class: 'cbi-map-descr' }, this.#description), ...this.#sections.map((section) => section.render()))
  }

  described(): { section: string; name: string; placeholder: string; default: string | null }[] {
    return this.#sections.flatMap((section) => section.options.map((option) => ({ section: section.key, name: option.name, placeholder: option.placeholder, default: option.default })))
  }

  /** Every objection; nothing is saved while there is one. */
  parse(): string[] {
    return this.#sections.flatMap((section) => section.parse())
  }
}
