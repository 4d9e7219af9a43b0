/** What a guest is told of a session that walks. */
import { expect, it } from 'vitest'
import { LANGUAGES } from '../../../src/hotspot/portal/languages/index.ts'
import { fill } from '../../../src/hotspot/portal/languages/language.ts'
import type { Language } from '../../../src/hotspot/portal/languages/language.ts'
import type { PageContext } from '../../../src/hotspot/portal/page/context.ts'
import { homePage } from '../../../src/hotspot/portal/page/home.ts'
import { walletPage } from '../../../src/hotspot/portal/page/wallet.ts'
import type { WalletPage } from '../../../src/hotspot/portal/page/wallet.ts'
import { durationText } from '../../../src/hotspot/portal/wording.ts'
import type { GuestView } from '../../../src/hotspot/types.ts'
import { view, withSession } from '../../support/portal-app.ts'

const contextIn = (language: Language, hasWallet: boolean): PageContext => ({ venue: 'Café Aurora', language, chosenLanguage: language.code, destination: null, formToken: 't', origin: 'http://wifi.example:2080', selfPath: '/', script: '', hasWallet, hasPay: false, message: null })

function shown(language: Language, guest: GuestView, hasWallet = false): string {
  return homePage(contextIn(language, hasWallet), guest).replace(/<style>.*<\/style>/s, '')
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
  const asked = [
    [view({ roam: 'key' }), text.roamKey],
    [withSession({ label: 'Harbour', bytesLeft: null }, { roam: 'visiting-key', ticket: null }), text.roamKeySoon],
    [withSession({ state: 'paused', pauseReason: 'away' }, { roam: 'key' }), text.roamKey],
  ] as const
  for (const [guest, words] of asked) {
    expect(shown(language, guest, true)).toContain(words)
    expect(shown(language, guest, true)).toContain(`href="/wallet?lang=${language.code}">`)
    expect(shown(language, guest)).not.toContain('href="/wallet')
  }
  expect(shown(language, withSession({ state: 'paused', pauseReason: 'away' }, { roam: 'key' }), true)).not.toContain('"/resume')
})

it.each(LANGUAGES.map((language) => [language.code, language] as const))('the page of the key, in %s', (_, language) => {
  const { text } = language
  const page = (more: Partial<WalletPage>): string => walletPage(contextIn(language, true), { hasSession: false, keptBy: null, challenges: { keep: 'k', open: 'o' }, pay: null, walkSeconds: 120, visit: null, ...more }).replace(/<style>.*<\/style>/s, '')
  expect(page({})).toContain(text.walletNone)
  // At another box: not that there is no time, but what to do.
  for (const seller of [null, 'Harbour <1>']) {
    const asked = page({ visit: { seller, isKeyAsked: true } })
    expect(asked).toContain(`${text.roamKey}<br>${text.walletShowKey}`)
    expect(asked).toContain('data-visit="key"')
    expect(asked).not.toContain(text.walletNone)
  }
  expect(page({ visit: { seller: 'Harbour <1>', isKeyAsked: false } })).toMatch(/data-visit="on".*<bdi>Harbour &lt;1&gt;<\/bdi>/s)
  // Before he walks he is told how long he has there.
  const words = fill(text.walletWalks, { time: durationText(language, 120) })
  expect(page({ hasSession: true })).toContain(words)
  expect(page({ hasSession: true, walkSeconds: null })).not.toContain(words)
})
