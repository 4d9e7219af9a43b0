/** Prices and packages, which several views show. */
import type { TariffJson } from '../../owner/api.ts'
import { call } from './client.ts'
import { useLive, type Live } from './live.ts'

export function useTariff(): Live<TariffJson> {
  return useLive('tariff', () => call('tariff', {}), null)
}
