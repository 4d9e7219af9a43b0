/** `meshbox chain poc status` */
import type { CommandSpec } from '../command.ts'
import { chainPocText } from './chain-poc-text.ts'

export const chainPocStatus: CommandSpec = {
  words: ['chain', 'poc', 'status'],
  summary: "the miner's deposit, and what is done about it",
  run: async ({ service }) => {
    const poc = await service.call('chainPoc', {})
    return { json: poc, text: chainPocText(poc) }
  },
}
