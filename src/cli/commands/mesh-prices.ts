/** `meshbox mesh prices` */
import type { CommandSpec } from '../command.ts'
import { meshPricesText } from './mesh-text.ts'

export const meshPrices: CommandSpec = {
  words: ['mesh', 'prices'],
  summary: 'what carrying costs here and at neighbours, and who owes whom',
  run: async ({ service }) => {
    const prices = await service.call('meshPrices', {})
    return { json: prices, text: meshPricesText(prices) }
  },
}
