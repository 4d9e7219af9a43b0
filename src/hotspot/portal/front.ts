/** The parts of a page that never change, and the policy that allows exactly them and nothing else. */
import { createHash } from 'node:crypto'
import { inputError } from '../../base/index.ts'
import type { WalletCheck } from '../wallet/index.ts'
import { STYLE, WALLET_STYLE } from './page/style.ts'
import { type ServedScript, serveScript } from './wallet-script.ts'

export interface Front {
  readonly script: string
  /** Content-Security-Policy of a guest page. */
  readonly csp: string
  /** The page of guests' own keys; null = not offered. */
  readonly wallet: Wallet | null
}

export interface Wallet {
  readonly check: WalletCheck
  readonly script: ServedScript
  /** Of its page: one script more, but nothing it could send anywhere except by a form to us. */
  readonly csp: string
  /** Of the same page when it can pay by the second, or bring time from another box: it talks to the box that it came from. */
  readonly payingCsp: string
}

const MAX_SCRIPT_LENGTH = 8_000

/** `script` is the compiled guest script; it must not be able to end its own element. */
export function createFront(script: string, wallet: { readonly check: WalletCheck; readonly script: string } | null = null): Front {
  const text = script.trim()
  if (text.length > MAX_SCRIPT_LENGTH) throw inputError('script', `${text.length} characters`, `at most ${MAX_SCRIPT_LENGTH}`)
  if (/<\/script|<!--/i.test(text)) throw inputError('script', '</script or <!--', 'a script that can stand inside a page')
  return {
    script: text,
    csp: policy(hashOf(STYLE), hashOf(text), "'self'"),
    wallet: wallet && { check: wallet.check, script: serveScript(wallet.script), csp: walletPolicy(text, "'none'"), payingCsp: walletPolicy(text, "'self'") },
  }
}

function walletPolicy(script: string, connections: string): string {
  return policy(`${hashOf(STYLE)} ${hashOf(WALLET_STYLE)}`, `${hashOf(script)} 'self'`, connections)
}

function policy(styles: string, scripts: string, connections: string): string {
  return [
    "default-src 'none'",
    `style-src ${styles}`,
    `script-src ${scripts}`,
    'img-src data:',
    `connect-src ${connections}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
