/** HTML text that is safe by construction: whatever a template is given is escaped, unless it is `Html` itself. */
export interface Html {
  readonly html: string
}

type Part = Html | string | number | null | false | readonly Html[]

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let out = strings[0] ?? ''
  parts.forEach((part, index) => {
    out += render(part) + (strings[index + 1] ?? '')
  })
  return { html: out }
}

/** For our own constant markup (icons, the style sheet) only, never for anything that came from outside. */
export function trusted(markup: string): Html {
  return { html: markup }
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign)
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function render(part: Part): string {
  if (part === null || part === false) return ''
  if (typeof part === 'string') return escapeHtml(part)
  if (typeof part === 'number') return String(part)
  if ('html' in part) return part.html
  return part.map((one) => one.html).join('')
}
