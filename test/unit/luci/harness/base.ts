/**
 * The part of LuCI's client that its documentation promises to every view: elements, class inheritance, formats. Our
 * own, written after the documented behaviour of luci.js (OpenWrt 24.10), for tests only; docs/luci.md says what that
 * proves. Runs in the browser.
 */
export type Attributes = Readonly<Record<string, unknown>>
export type Child = unknown

/** As LuCI: a list gives nodes and texts, a bare text is taken for HTML. */
export function append(node: Element, children: Child): void {
  if (Array.isArray(children)) {
    for (const child of children) {
      if (child instanceof Node) node.appendChild(child)
      else if (child !== null && child !== undefined) node.appendChild(document.createTextNode(String(child)))
    }
  } else if (typeof children === 'function') append(node, (children as (parent: Element) => Child)(node))
  else if (children instanceof Node) node.appendChild(children)
  else if (children !== null && children !== undefined) node.innerHTML = String(children)
}

export function E(tag: string, attributes: Attributes | Child = {}, children: Child = null): HTMLElement {
  const node = document.createElement(tag)
  const isAttributes = typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes) && !(attributes instanceof Node)
  for (const [name, value] of Object.entries(isAttributes ? (attributes as Attributes) : {})) {
    if (value === null || value === undefined) continue
    if (typeof value === 'function') node.addEventListener(name, value as EventListener)
    else node.setAttribute(name, String(value))
  }
  append(node, isAttributes ? children : attributes)
  return node
}

export const dom = {
  append,
  create: E,
  content(node: Element, children: Child): void {
    while (node.firstChild) node.removeChild(node.firstChild)
    append(node, children)
  },
}

type Properties = Readonly<Record<string, unknown>>

/** LuCI's class of all classes: `extend` gives a class with these properties on its prototype. */
export class Base {
  static extend(properties: Properties): typeof Base {
    const Extended = class extends this {}
    for (const [name, value] of Object.entries(properties)) Object.defineProperty(Extended.prototype, name, { value, writable: true, configurable: true })
    return Extended
  }
}

/** The conversions of LuCI's String.format that our pages use. */
export function format(pattern: string, values: readonly unknown[]): string {
  let next = 0
  return pattern.replace(/%(?:(\d+)?(?:\.(\d+))?)([sdmh%])/g, (_all, base: string | undefined, digits: string | undefined, kind: string) => {
    if (kind === '%') return '%'
    const value = values[next++]
    if (kind === 'd') return String(Math.floor(Number(value)))
    if (kind !== 'm') return String(value)
    const step = base === undefined ? 1000 : Number(base)
    const units = ['', 'K', 'M', 'G', 'T', 'P']
    let amount = Number(value)
    let unit = 0
    while (amount > step && unit < units.length - 1) {
      amount /= step
      unit++
    }
    return `${unit > 0 ? amount.toFixed(Number(digits ?? 2)) : amount} ${units[unit]}${step === 1024 && unit > 0 ? 'i' : ''}`
  })
}
