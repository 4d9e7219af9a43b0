/** What a re-read of the file changes, and what of it needs a restart. */
import { describe, expect, it } from 'vitest'
import { configChanges, keepUntilRestart, loadConfig, restartNeeded } from '../../../src/config/index.ts'

const load = (text: string) => loadConfig(text, 'box')
const pack = (id: string, slot: number, price: string): string => `config package '${id}'\n option slot ${slot}\n option label L\n option seconds 60\n option price ${price}\n`

describe('configChanges', () => {
  it('is empty for the same meaning, however it is written', () => {
    const a = load(`config tariff 'tariff'\n option price_per_minute 0.50\n`)
    const b = load(`# c\nconfig tariff tariff\n option price_per_minute "0.5"\nconfig owner 'owner'\n option port 2090\n`)
    expect(configChanges(a, b)).toEqual([])
  })

  it('names section, option, old and new value as the file would say them', () => {
    const a = load('')
    const b = load(`config tariff 'tariff'\n option price_per_minute 0.5\n option trial_mib 5\nconfig hotspot 'hotspot'\n option client_isolation 0\n list walled_garden_domains a.b\n list walled_garden_domains c.d\n`)
    expect(configChanges(a, b)).toEqual([
      { option: 'hotspot.client_isolation', from: '1', to: '0', restart: true },
      { option: 'hotspot.walled_garden_domains', from: '', to: 'a.b, c.d', restart: true },
      { option: 'tariff.price_per_minute', from: '0', to: '0.5', restart: false },
      { option: 'tariff.trial_mib', from: 'not set', to: '5', restart: false },
    ])
    expect(restartNeeded(a, b).map((change) => change.option)).toEqual(['hotspot.client_isolation', 'hotspot.walled_garden_domains'])
  })

  it('follows packages by their id: changed, new, gone, moved', () => {
    const a = load(pack('a', 0, '1') + pack('b', 1, '2'))
    expect(configChanges(a, load(pack('a', 0, '1.5') + pack('b', 1, '2')))).toEqual([{ option: 'package.a.price', from: '1', to: '1.5', restart: false }])
    expect(configChanges(a, load(pack('b', 1, '2') + pack('a', 0, '1')))).toEqual([{ option: 'package (order)', from: 'a, b', to: 'b, a', restart: false }])
    expect(configChanges(a, load(pack('a', 0, '1'))).find((change) => change.option === 'package.b.price')).toEqual({
      option: 'package.b.price',
      from: '2',
      to: 'not set',
      restart: false,
    })
  })
})

describe('keepUntilRestart', () => {
  it('takes over what can change and keeps what cannot, list by list, option by option', () => {
    const started = load(`config hotspot 'hotspot'\n option portal_port 81\n option trials_per_day 5\n${pack('a', 0, '1')}`)
    const next = load(`config hotspot 'hotspot'\n option portal_port 82\n option trials_per_day 6\nconfig meshbox 'main'\n option name New\n list roles hotspot\n${pack('b', 1, '2')}`)
    const now = keepUntilRestart(started, next)
    expect(now.hotspot).toEqual({ ...started.hotspot, trialsPerDay: 6 })
    expect(now.main).toMatchObject({ name: 'New', roles: [] })
    expect(now.packages).toEqual(next.packages)
    expect(restartNeeded(now, next).map((change) => change.option)).toEqual(['meshbox.roles', 'hotspot.portal_port'])
  })

  it('is the new configuration when nothing needs a restart', () => {
    const [started, next] = [load(''), load(`config tariff 'tariff'\n option price_per_minute 2\n${pack('a', 0, '1')}`)]
    expect(keepUntilRestart(started, next)).toEqual(next)
  })

  it('does not let prices be read with other decimals than the token in force has', () => {
    const priced = (decimals: number): string => `config token 'token'\n option decimals ${decimals}\nconfig tariff 'tariff'\n option price_per_minute 0.5\n${pack('a', 0, '1')}`
    const [started, next] = [load(priced(18)), load(priced(6))]
    const now = keepUntilRestart(started, next)
    expect([now.token, now.tariff, now.packages]).toEqual([started.token, started.tariff, started.packages])
    const dearer = load(priced(6).replace('0.5', '0.75'))
    expect(configChanges(started, dearer)).toEqual([
      { option: 'token.decimals', from: '18', to: '6', restart: true },
      { option: 'tariff.price_per_minute', from: '0.5', to: '0.75', restart: true },
    ])
  })
})
