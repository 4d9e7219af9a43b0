/**
 * The wallet of the guest page: makes a key in this page, keeps it in memory and behind the `#` of the address, and
 * signs with it. It stores nothing. All it sends is the address and a signature, in a form, by a full navigation; and,
 * where minutes are sold by the second, what pays for them (pay.ts). All words are in the page already; here they are only shown or hidden.
 */
import encodeQR from 'qr'
import { entropyOfWords, keyOf, newEntropy, secretOf, type WalletKey } from './key.ts'
import { entropyOfFragment, fragmentOf } from './link.ts'
import { PayCard, type PayKey } from './pay.ts'
import { walletStatement } from './statement.ts'
import { WalkCard } from './walk.ts'

const page = element('wallet')
const hasSession = page.getAttribute('data-session') === '1'
const keptBy = page.getAttribute('data-kept') ?? ''
/** With time that another box sold, so that this one has nothing of the key's to open: `on`, it goes on here; `key`, when the key is shown. Else empty. */
const visit = page.getAttribute('data-visit') ?? ''
const wordsBox = element('words-box') as HTMLDetailsElement
let key: WalletKey | null = null
/** Of `key`: made once, for it takes a phone a moment. */
let secret: Uint8Array | null = null
/** Made by this very page: nothing can be kept under it yet. */
let isNew = false
/**
 * Made or typed in by the guest himself. A key that came with a link may be another's, who only waits for a session to
 * be put under it: it can be used to take up time, but never to keep some.
 */
let isOwn = false

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no ${id}`)
  return found
}

function show(id: string, isShown: boolean): void {
  element(id).hidden = !isShown
}

/** Written into the address without a step in the history, so that a reload or a bookmark has it. */
function take(entropy: Uint8Array): WalletKey {
  const taken = keyOf(entropy)
  key = taken
  secret = null
  if (location.hash !== fragmentOf(entropy)) location.replace(fragmentOf(entropy))
  carryKey(fragmentOf(entropy))
  return taken
}

/** The page in another language, and the answer to a form, are other pages: the key goes along behind the `#`. */
function carryKey(fragment: string): void {
  for (const link of Array.from(document.querySelectorAll<HTMLAnchorElement>('a[href^="/wallet"]'))) link.hash = fragment
  for (const name of ['keep', 'open']) {
    const form = element(name)
    form.setAttribute('action', (form.getAttribute('action') ?? '').replace(/#.*/, '') + fragment)
  }
}

function payKey(): PayKey | null {
  if (key === null) return null
  secret ??= secretOf(key.entropy)
  return { secret, isOwn }
}

function draw(): void {
  pay?.keyChanged()
  walk?.ask()
  const isMine = key !== null && key.address === keptBy
  const isShown = key !== null && (isMine || isOwn || !hasSession)
  show('needs-script', false)
  show('kept', isMine)
  show('other', hasSession && keptBy !== '' && !isMine)
  show('none', !hasSession && (key === null || visit === 'on' || (visit === '' && pay !== null)))
  show('why', hasSession && !isMine)
  show('keep-box', hasSession && !isMine)
  drawOpen()
  // Where minutes are paid by the second, starting to pay is what the page is for.
  element('open-button').classList.toggle('main', !hasSession && pay === null)
  show('key', isShown)
  // Money is put only under a key of the guest's own: his words say that this one is.
  show('restore', !isShown || (pay !== null && !isOwn))
  if (!hasSession && key === null && (visit === 'key' || pay === null)) (element('restore-box') as HTMLDetailsElement).open = true
  if (key === null || !isShown) return
  const link = `${location.origin}/wallet${fragmentOf(key.entropy)}`
  element('qr').innerHTML = encodeQR(link, 'svg', { ecc: 'medium', border: 1 }).replace('<svg ', '<svg aria-hidden="true" ')
  const anchor = element('link')
  anchor.setAttribute('href', link)
  anchor.textContent = link
  element('address').textContent = key.address
  showWords(wordsBox.open)
}

/** Where sessions walk, time that is at another box is brought by the walk's own button. */
function drawOpen(): void {
  show('open-box', key !== null && !isNew && key.address !== keptBy && visit === '' && (walk === null || walk.isForOpen))
}

/** The words are in the page only while somebody asked to see them. */
function showWords(isShown: boolean): void {
  const list = element('words')
  list.textContent = ''
  if (!isShown || key === null) return
  for (const word of key.words) list.appendChild(document.createElement('li')).textContent = word
}

function signWhenSent(name: 'keep' | 'open'): void {
  const form = element(name) as HTMLFormElement
  form.addEventListener('submit', () => {
    const signer = name === 'keep' && !isOwn ? makeKey() : key
    if (signer === null) return
    field(form, 'address').value = signer.address
    field(form, 'signature').value = signer.sign(walletStatement(location.host, name, field(form, 'challenge').value))
  })
}

function makeKey(): WalletKey {
  isNew = true
  isOwn = true
  return take(newEntropy())
}

function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement
}

function takeTypedWords(): void {
  const typed = element('typed') as HTMLTextAreaElement
  const entropy = entropyOfWords(typed.value)
  show('bad-words', entropy === null)
  if (entropy === null) {
    typed.setAttribute('aria-invalid', 'true')
    typed.focus()
    return
  }
  typed.value = ''
  typed.removeAttribute('aria-invalid')
  isNew = false
  isOwn = true
  take(entropy)
  draw()
  element('title').focus()
}

/** `isOurs`: the page is the answer to our own form, and what stands behind the `#` is what we put there. */
function takeFragment(isOurs: boolean): void {
  const entropy = entropyOfFragment(location.hash)
  if (entropy === null || (key !== null && fragmentOf(key.entropy) === location.hash)) return
  isNew = false
  isOwn = isOurs
  take(entropy)
}

takeFragment(location.pathname === '/wallet/keep')
const payBox = document.getElementById('pay')
const pay: PayCard | null =
  payBox === null
    ? null
    : new PayCard(payBox, {
        key: payKey,
        makeKey: () => {
          makeKey()
          draw()
          return payKey() as PayKey
        },
      })
const walkBox = document.getElementById('walk')
const walk = walkBox === null ? null : new WalkCard(walkBox, () => (key === null ? null : { address: key.address, sign: key.signDigest }), drawOpen)
signWhenSent('keep')
signWhenSent('open')
wordsBox.addEventListener('toggle', () => showWords(wordsBox.open))
element('use-words').addEventListener('click', takeTypedWords)
addEventListener('hashchange', () => {
  takeFragment(false)
  draw()
})
draw()
