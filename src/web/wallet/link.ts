/** The key in a link: `…/wallet#w=` and its 16 bytes of entropy in base64url. Browsers never send what follows the `#`. */
import { ENTROPY_BYTES } from './key.ts'

const FRAGMENT = /^#w=([A-Za-z0-9_-]{22})$/

export function fragmentOf(entropy: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...entropy))
  return `#w=${base64.replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')}`
}

/** null for what is no wallet link; one text per key, no stray bits. */
export function entropyOfFragment(fragment: string): Uint8Array | null {
  const text = FRAGMENT.exec(fragment)?.[1]
  if (text === undefined) return null
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/') + '==')
  const entropy = Uint8Array.from(binary, (letter) => letter.charCodeAt(0))
  return entropy.length === ENTROPY_BYTES && fragmentOf(entropy) === fragment ? entropy : null
}
