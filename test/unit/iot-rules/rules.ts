import type { LocalRule } from '../../../src/iot/rules/index.ts'

export const SOIL = '0102030405060708'
export const PUMP = '00000000000000aa'

export function rule(given: Partial<Omit<LocalRule, 'when' | 'then'>> & { readonly when?: Partial<LocalRule['when']>; readonly then?: Partial<LocalRule['then']> } = {}): LocalRule {
  const { when, then, ...rest } = given
  return {
    id: 'water',
    name: 'Water field 3',
    when: { devEui: SOIL, value: 'soil', is: '<', than: 20, forSeconds: 600, ...when },
    then: { devEui: PUMP, on: { valve: 3, open: true }, off: { valve: 3, open: false }, durationSeconds: 600, isConfirmed: true, ...then },
    coolDownSeconds: 3_600,
    isLive: false,
    isPaused: false,
    ...rest,
  }
}
