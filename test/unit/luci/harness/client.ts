/**
 * A page that runs a LuCI view: the loader with its 'require …' lines, and the modules `view`, `rpc`, `uci`, `ui`, `poll`,
 * `form`, `dom`, after LuCI's documented client API. The page tells by `window.harness` what to open. For tests only.
 */
import { Base, E, append, dom, format } from './base.ts'
import { DynamicList, Flag, FormMap, GridSection, ListValue, MultiValue, NamedSection, Value } from './form.ts'
import { Uci } from './uci.ts'
import type { UciSection } from './uci.ts'

interface Harness {
  readonly view: string
  readonly mayWrite: boolean
  readonly words: Readonly<Record<string, string>>
}
interface Watched {
  /** Runs what poll.add was given, as LuCI does every few seconds. */
  poll(): Promise<void>
  /** LuCI's "Save & Apply": objections, or what the server said. */
  save(): Promise<readonly string[]>
  options(): readonly { section: string; name: string; placeholder: string; default: string | null }[]
}
declare global {
  interface Window {
    harness: Harness
    watched: Watched
  }
  interface String {
    format(...values: readonly unknown[]): string
  }
}

const { harness } = window
String.prototype.format = function (this: string, ...values: readonly unknown[]): string {
  return format(this, values)
}
const _ = (text: string): string => harness.words[text] ?? text

async function post(path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return answer.json()
}

/** As rpc.js: the data of the answer, or the bare ubus code when there is none. */
async function ubus(object: string, method: string, args: unknown): Promise<unknown> {
  const result = (await post('/ubus', [object, method, args])) as readonly unknown[]
  return result.length > 1 ? result[1] : result[0]
}

const rpc = {
  declare:
    ({ object, method, params = [] }: { object: string; method: string; params?: readonly string[] }) =>
    (...values: readonly unknown[]) =>
      ubus(object, method, Object.fromEntries(params.map((name, index) => [name, values[index]]))),
  getStatusText: (code: number): string => ({ 4: 'Resource not found', 6: 'Permission denied' })[code] ?? 'Unspecified error',
}

const uci = new Uci(
  async () => ((await ubus('uci', 'get', { config: 'meshbox' })) as { values: UciSection[] }).values,
  async (sections) => {
    const answer = (await ubus('uci', 'save', { sections })) as { problems: readonly string[] }
    if (answer.problems.length > 0) throw new Error(answer.problems.join('\n'))
  },
)

const modal = E('div', { id: 'modal_overlay', role: 'dialog', hidden: '' })
const ui = {
  addNotification(title: string | null, children: unknown, ...classes: readonly string[]): void {
    const node = E('div', { class: ['alert-message', ...classes].join(' '), role: 'alert' }, [title === null ? '' : E('h4', {}, [title])])
    append(node, Array.isArray(children) ? children : [children])
    document.getElementById('notifications')?.appendChild(node)
  },
  showModal(title: string, children: unknown): void {
    dom.content(modal, [E('div', { class: 'modal', 'aria-label': title }, [E('h4', {}, [title]), ...(Array.isArray(children) ? children : [children])])])
    modal.hidden = false
  },
  hideModal(): void {
    modal.hidden = true
    dom.content(modal, [])
  },
  createHandlerFn(context: Record<string, unknown>, handler: string | ((...args: unknown[]) => unknown), ...args: readonly unknown[]) {
    const run = typeof handler === 'string' ? (context[handler] as (...all: unknown[]) => unknown) : handler
    return (event: Event): void => {
      const button = event.currentTarget as HTMLButtonElement
      button.disabled = true
      void Promise.resolve(run.call(context, ...args, event)).finally(() => {
        button.disabled = false
      })
    }
  },
}

const polled: (() => unknown)[] = []
const poll = { add: (run: () => unknown): void => void polled.push(run) }

const maps: FormMap[] = []
const form = {
  Map: function (this: unknown, _config: string, title: string, description: unknown) {
    const made = new FormMap({ uci, showModal: ui.showModal, hideModal: ui.hideModal }, title, description)
    maps.push(made)
    return made
  },
  NamedSection, GridSection, Value, ListValue, MultiValue, DynamicList, Flag,
}

const L = {
  hasViewPermission: (): boolean => harness.mayWrite,
  resource: (path: string): string => `/luci-static/resources/${path}`,
}

interface View {
  load(): Promise<unknown>
  render(data: unknown): Node | Promise<Node>
  handleSave?: unknown
}
const BUILT_IN: Readonly<Record<string, unknown>> = { baseclass: Base, view: Base, dom, rpc, uci, ui, poll, form }
const loaded = new Map<string, Promise<unknown>>()

/** A file of ours: its 'require' lines first, then itself, once; the class it returns becomes one object. */
function load(name: string): Promise<unknown> {
  if (name in BUILT_IN) return Promise.resolve(BUILT_IN[name])
  const known = loaded.get(name)
  if (known !== undefined) return known
  const loading = (async () => {
    const source = await (await fetch(L.resource(`${name.replaceAll('.', '/')}.js`))).text()
    const needs = [...source.matchAll(/^'require (\S+?)(?: as (\w+))?';$/gm)].map(([, module, as]) => ({ module: module ?? '', as: as ?? (module ?? '').split('.').at(-1) ?? '' }))
    const modules = await Promise.all(needs.map(({ module }) => load(module)))
    const make = new Function('L', 'E', '_', ...needs.map(({ as }) => as), source) as (...values: unknown[]) => new () => unknown
    return new (make(L, E, _, ...modules))()
  })()
  loaded.set(name, loading)
  return loading
}

async function open(): Promise<void> {
  document.body.append(modal)
  const view = (await load(`view.${harness.view}`)) as View
  const node = await view.render(await view.load())
  document.getElementById('view')?.replaceChildren(node)
  if (view.handleSave !== null) document.getElementById('view')?.append(E('div', { class: 'cbi-page-actions' }, [E('button', { class: 'btn cbi-button cbi-button-save', click: () => void window.watched.save() }, ['Save & Apply'])]))
  document.body.dataset['ready'] = 'yes'
}

window.watched = {
  poll: async () => {
    await Promise.all(polled.map((run) => run()))
  },
  save: async () => {
    const objections = maps.flatMap((map) => map.parse())
    if (objections.length > 0) return objections
    try {
      await uci.save()
      return []
    } catch (thrown) {
      return [thrown instanceof Error ? thrown.message : String(thrown)]
    }
  },
  options: () => maps.flatMap((map) => map.described()),
}
open().catch((thrown: unknown) => {
  document.body.dataset['ready'] = 'no'
  console.error(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
})
