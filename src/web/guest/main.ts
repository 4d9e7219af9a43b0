/**
 * The guest page's script. Everything works without it; it lets the clock tick, writes the dash into the
 * code, and keeps a second press on a button from being a second request.
 */
import { startCountdown } from './countdown.ts'
import { tidyCode } from './code-text.ts'
import { element, goHome } from './page.ts'

const SEND_AGAIN_AFTER_MS = 8_000

function tidyWhileTyping(): void {
  const field = element('code')
  if (!(field instanceof HTMLInputElement)) return
  field.addEventListener('input', (event) => {
    const isDeleting = (event as InputEvent).inputType?.startsWith('delete')
    if (isDeleting || field.selectionStart !== field.value.length) return
    field.value = tidyCode(field.value)
  })
}

function sendFormsOnce(): void {
  const forms = Array.from(document.forms)
  const release = (form: HTMLFormElement): void => form.removeAttribute('aria-busy')
  for (const form of forms)
    form.addEventListener('submit', (event) => {
      if (form.hasAttribute('aria-busy')) return event.preventDefault()
      form.setAttribute('aria-busy', 'true')
      setTimeout(() => release(form), SEND_AGAIN_AFTER_MS)
    })
  // a page that comes back from the browser's memory shows an old moment
  addEventListener('pageshow', (event) => {
    forms.forEach(release)
    if (event.persisted && element('dial')) goHome()
  })
}

function waitIfAsked(): void {
  const seconds = Number(document.querySelector('main')?.getAttribute('data-wait'))
  if (seconds > 0) setTimeout(goHome, seconds * 1000)
}

function closeMenuOutside(): void {
  const menu = document.querySelector('details.lang')
  document.addEventListener('click', (event) => {
    if (menu && !menu.contains(event.target as Node)) menu.removeAttribute('open')
  })
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') menu?.removeAttribute('open')
  })
}

startCountdown()
tidyWhileTyping()
sendFormsOnce()
waitIfAsked()
closeMenuOutside()
