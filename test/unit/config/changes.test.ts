/** What a re-read of the file changes, and what of it needs a restart. */
import { describe, expect, it } from 'vitest'
import { configChanges, loadConfig, restartNeeded } from '../../../src/config/index.ts'

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
