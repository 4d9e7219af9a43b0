/** What a guest is told of a session that walks. */
import { expect, it } from 'vitest'
import { LANGUAGES } from '../../../src/hotspot/portal/languages/index.ts'
import type { Language } from '../../../src/hotspot/portal/languages/language.ts'
import type { PageContext } from '../../../src/hotspot/portal/page/context.ts'
import { homePage } from '../../../src/hotspot/portal/page/home.ts'
import type { GuestView } from '../../../src/hotspot/types.ts'
import { view, withSession } from '../../support/portal-app.ts'

function shown(language: Language, guest: GuestView, hasWallet = false): string {
  const context: PageContext = { venue: 'Café Aurora', language, chosenLanguage: language.code, destination: null, formToken: 't', origin: 'http://wifi.example:2080', selfPath: '/', script: '', hasWallet, hasPay: false, message: null }
  return homePage(context, guest).replace(/<style>.*<\/style>/s, '')
}

it.each(LANGUAGES.map((language) => [language.code, language] as const))('in %s', (_, language) => {
  const { text } = language
  const visiting = shown(language, withSession({ label: 'Harbour <1>', bytesLeft: null }, { roam: 'visiting', ticket: null }))
  expect(visiting).toContain('<bdi>Harbour &lt;1&gt;</bdi>')
  // His box can stop and end it, this one cannot.
  for (const action of ['/pause', '/end', '/move', '/receipt']) expect(visiting).not.toContain(`"${action}`)
  const why = { elsewhere: text.roamElsewhere, silent: text.roamSilent, prove: text.roamProve, dear: text.roamDear } as const
  for (const roam of ['elsewhere', 'silent', 'prove', 'dear'] as const) {
    const stranger = shown(language, view({ roam }))
    expect(stranger).toContain(why[roam])
    expect(stranger).toContain('"/redeem')
    const seller = shown(language, withSession({ state: 'paused', pauseReason: 'away' }, { roam }))
    expect(seller).toContain(why[roam])
    expect(seller).toContain('"/resume')
    expect(seller).toContain('"/redeem')
  }
  expect(shown(language, withSession({ state: 'paused', pauseReason: 'away' }))).toContain(text.roamElsewhere)
  expect(new Set(Object.values(why)).size).toBe(4)
  // His key is shown from the wallet page; of its time nobody is asked for a code's.
  for (const guest of [view({ roam: 'key' }), withSession({ label: 'Harbour', bytesLeft: null }, { roam: 'visiting-key', ticket: null }), withSession({ state: 'paused', pauseReason: 'away' }, { roam: 'key' })]) {
    expect(shown(language, guest, true)).toContain(text.roamKey)
    expect(shown(language, guest, true)).toContain(`href="/wallet?lang=${language.code}">`)
    expect(shown(language, guest)).not.toContain('href="/wallet')
  }
  expect(shown(language, withSession({ state: 'paused', pauseReason: 'away' }, { roam: 'key' }), true)).not.toContain('"/resume')
})
