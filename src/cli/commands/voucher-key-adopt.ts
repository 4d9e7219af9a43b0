/** `meshbox voucher key adopt` */
import { hasFlag } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readTwelveWords } from './typed-words.ts'

export const voucherKeyAdopt: CommandSpec = {
  words: ['voucher', 'key', 'adopt'],
  summary: 'take over another box\'s key by its words',
  details: `Asks for the 12 words, or reads them from standard input. Vouchers printed by this
box before are void afterwards; with such vouchers about, --replace is needed.`,
  options: [{ name: 'replace', help: 'even though vouchers of this box are void then' }],
  run: async (context) => {
    const words = await readTwelveWords(context.io)
    const answer = await context.service.call('voucherKeyAdopt', { body: { words, ...(hasFlag(context, 'replace') ? { replace: true } : {}) } })
    return { json: answer, text: `Voucher key adopted:\n${answer.voucherPublicKey}` }
  },
}
