/** What a guest is told where the Internet is gone, or comes and goes: a normal state of a place, and no fault of his. */
import { expect, it } from 'vitest'
import { LANGUAGES } from '../../../src/hotspot/portal/languages/index.ts'
import type { Language } from '../../../src/hotspot/portal/languages/language.ts'
import { homePage } from '../../../src/hotspot/portal/page/home.ts'
import type { GuestView, WayOut } from '../../../src/hotspot/types.ts'
import { makeBox } from '../../support/hotspot-box.ts'
import { view, withSession } from '../../support/portal-app.ts'

const shown = (language: Language, guest: GuestView): string =>
  homePage({ venue: 'Café', language, chosenLanguage: language.code, destination: null, formToken: 't', origin: 'http://wifi.example:2080', selfPath: '/', script: '', hasWallet: false, hasPay: false, message: null }, guest)

it.each(LANGUAGES.map((language) => [language.code, language] as const))('in %s, on each page that one waits on', (_, language) => {
  const { noInternet, unsteadyInternet, noInternetPause } = language.text
  const online = (wayOut: WayOut): string => shown(language, withSession({}, { wayOut }))
  for (const page of [online('none'), shown(language, view({ wayOut: 'none' })), shown(language, withSession({ state: 'paused', pauseReason: 'guest' }, { wayOut: 'none' }))]) expect(page).toContain(noInternet)
  expect(online('none')).toContain(noInternetPause)
  // Who has bought nothing has no time to stop; another box's time cannot be stopped here.
  expect(shown(language, view({ wayOut: 'none' }))).not.toContain(noInternetPause)
  expect(shown(language, withSession({}, { wayOut: 'none', roam: 'visiting', ticket: null }))).not.toContain(noInternetPause)
  expect(online('intermittent')).toContain(unsteadyInternet)
  for (const page of [online('internet'), shown(language, view())]) for (const text of [noInternet, unsteadyInternet, noInternetPause]) expect(page).not.toContain(text)
})

it('is asked anew each time', () => {
  let wayOut: WayOut = 'internet'
  const box = makeBox({ wayOut: () => wayOut })
  const guest = { mac: '02:00:00:00:00:01', ip: '10.80.0.9', ip4: '10.80.0.9' }
  expect(box.hotspot.guests.view(guest).wayOut).toBe('internet')
  wayOut = 'none'
  expect(box.hotspot.guests.view(guest).wayOut).toBe('none')
})
