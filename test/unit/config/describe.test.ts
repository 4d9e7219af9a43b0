/** The documentation of the options is the schema, and docs/configuration.md is up to date. */
import { describe, expect, it } from 'vitest'
import { configurationPage, describeOptions, loadConfig } from '../../../src/config/index.ts'

describe('describeOptions', () => {
  it('has every option of the typed configuration once', () => {
    const config = loadConfig('', 'box')
    const names = describeOptions().map((option) => `${option.section}.${option.option}`)
    expect(new Set(names).size).toBe(names.length)
    const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    for (const [type, section] of Object.entries({ meshbox: config.main, token: config.token, hotspot: config.hotspot, owner: config.owner, tariff: config.tariff }))
      expect(names.filter((name) => name.startsWith(`${type}.`)).sort()).toEqual(Object.keys(section).map((key) => `${type}.${snake(key)}`).sort())
  })

  it('tells the default a file would have to write to get it', () => {
    for (const option of describeOptions()) {
      const isWritable = option.form === 'option' && option.fallback !== null && option.sectionName !== null && !option.fallback.startsWith('not set')
      if (!isWritable) continue
      const text = `config ${option.section} '${option.sectionName}'\n option ${option.option} '${option.fallback}'\n`
      expect(loadConfig(text, 'box'), option.option).toEqual(loadConfig('', 'box'))
    }
  })

  it('says of each option what it is for and what is allowed', () => {
    for (const option of describeOptions()) {
      expect(option.doc, option.option).toMatch(/^.{10,}[.?)]$/)
      expect(option.allowed, option.option).not.toBe('')
    }
  })
})

it('docs/configuration.md is what the schema says (vitest -u prints it anew)', async () => {
  await expect(configurationPage()).toMatchFileSnapshot('../../../docs/configuration.md')
})
