/** The parts of a page that never change, and the policy that allows exactly them and nothing else. */
import { createHash } from 'node:crypto'
import { inputError } from '../../base/index.ts'
import { STYLE } from './page/style.ts'

export interface Front {
  readonly script: string
  /** Content-Security-Policy of a guest page. */
  readonly csp: string
}

const MAX_SCRIPT_LENGTH = 8_000

/** `script` is the compiled guest script; it must not be able to end its own element. */
export function createFront(script: string): Front {
  const text = script.trim()
  if (text.length > MAX_SCRIPT_LENGTH) throw inputError('script', `${text.length} characters`, `at most ${MAX_SCRIPT_LENGTH}`)
  if (/<\/script|<!--/i.test(text)) throw inputError('script', '</script or <!--', 'a script that can stand inside a page')
  const directives = [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(text)}`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return { script: text, csp: directives.join('; ') }
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
