/** `meshbox voucher revoke` */
import { textOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'

const MAX_CODE_BYTES = 256

export const voucherRevoke: CommandSpec = {
  words: ['voucher', 'revoke'],
  summary: 'make vouchers void, also those in use',
  details: `One of --id, --code, --batch. \`--code -\` reads the code from standard input.
A session that runs on a revoked voucher ends.`,
  options: [
    { name: 'id', value: 'ID', help: 'one voucher' },
    { name: 'code', value: 'CODE', help: 'one voucher by its code' },
    { name: 'batch', value: 'BATCH', help: 'a whole printing run' },
  ],
  run: async (context) => {
    const id = textOption(context, 'id')
    const typed = textOption(context, 'code')
    const batch = textOption(context, 'batch')
    if ([id, typed, batch].filter((one) => one !== undefined).length !== 1) throw usageError('which one? exactly one of --id, --code, --batch')
    const code = typed === '-' ? (await context.io.readStdin(MAX_CODE_BYTES)).trim() : typed
    const answer = await context.service.call('revokeVouchers', {
      body: { ...(id === undefined ? {} : { id }), ...(code === undefined ? {} : { code }), ...(batch === undefined ? {} : { batch }) },
    })
    return { json: answer, text: answer.revoked === 1 ? '1 voucher revoked' : `${answer.revoked} vouchers revoked` }
  },
}
