/** Translations of the LuCI pages: complete, nothing left over, the same places for numbers and names. */
import { expect, it } from 'vitest'
import { APP, LANGUAGES, readPo, template, wordsOfSources } from './words.ts'

const words = wordsOfSources()

it('the template is that of the sources', async () => {
  expect(words.size).toBeGreaterThan(140)
  await expect(template(words)).toMatchFileSnapshot(`${APP}po/templates/meshbox.pot`)
})

it.each(LANGUAGES)('%s is complete', (language) => {
  const translated = readPo(language)
  expect([...translated.keys()].filter((text) => !words.has(text))).toEqual([])
  for (const text of words.keys()) {
    const other = translated.get(text) ?? ''
    expect(other.trim(), text).not.toBe('')
    expect(other.match(/%[a-z]/g), text).toEqual(text.match(/%[a-z]/g))
    // A single % or a tag would be taken for a format, or for HTML.
    expect(other.replace(/%[sd]/g, ''), text).not.toMatch(/[%<>]/)
  }
})
