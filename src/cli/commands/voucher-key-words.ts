/** `meshbox voucher key words` */
import type { CommandSpec } from '../command.ts'
import { wordsText } from './words-text.ts'

export const voucherKeyWords: CommandSpec = {
  words: ['voucher', 'key', 'words'],
  summary: 'words of the voucher key, for your other boxes',
  details: `Typed into another box with \`meshbox voucher key adopt\`, they let it accept the
vouchers of this one. Whoever knows them can make vouchers: keep them secret.`,
  run: async ({ service }) => {
    const answer = await service.call('voucherKeyWords', {})
    return { json: answer, text: wordsText(answer.words) }
  },
}
