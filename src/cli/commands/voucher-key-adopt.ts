/** `meshbox voucher key adopt` */
import { hasFlag, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'

const MAX_WORDS_BYTES = 1024
const WORDS = 12

export const voucherKeyAdopt: CommandSpec = {
  words: ['voucher', 'key', 'adopt'],
  summary: 'take over another box\'s key by its words',
  details: `Asks for the 12 words, or reads them from standard input. Vouchers printed by this
box before are void afterwards; with such vouchers about, --replace is needed.`,
  options: [{ name: 'replace', help: 'even though vouchers of this box are void then' }],
  run: async (context) => {
    const { io } = context
    const typed = io.stdinIsTty ? await io.readSecret('The 12 words (not shown): ') : await io.readStdin(MAX_WORDS_BYTES)
    const words = typed.trim().toLowerCase().split(/\s+/)
    if (words.length !== WORDS) throw usageError(`these are ${typed.trim() === '' ? 0 : words.length} words; there are ${WORDS}, separated by spaces`)
    const answer = await context.service.call('voucherKeyAdopt', { body: { words, ...(hasFlag(context, 'replace') ? { replace: true } : {}) } })
    return { json: answer, text: `Voucher key adopted:\n${answer.voucherPublicKey}` }
  },
}
