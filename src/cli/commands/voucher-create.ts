/** `meshbox voucher create PACKAGE COUNT` */
import { argument, hasFlag, textOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { CODES_OPTION, hideCode } from './voucher-codes.ts'

const MAX_COUNT = 1000

export const voucherCreate: CommandSpec = {
  words: ['voucher', 'create'],
  summary: 'make vouchers of a package',
  details: `PACKAGE is the id of a package of the tariff (meshbox tariff), COUNT is 1 to 1000.
Print them with \`meshbox voucher sheet BATCH\`.`,
  arguments: [{ name: 'PACKAGE' }, { name: 'COUNT' }],
  options: [
    { name: 'valid-until', value: 'YYYY-MM-DD', help: 'last day of first use' },
    { name: 'note', value: 'TEXT', help: "label on the sheet instead of the package's" },
    CODES_OPTION,
  ],
  run: async (context) => {
    const countText = argument(context, 1)
    const count = Number(countText)
    if (!/^\d{1,4}$/.test(countText) || count < 1 || count > MAX_COUNT) throw usageError(`COUNT: '${countText}' is not allowed; allowed: 1 to ${MAX_COUNT}`)
    const validUntil = textOption(context, 'valid-until')
    const note = textOption(context, 'note')
    const made = await context.busy(
      'making vouchers',
      context.service.call('createVouchers', {
        body: { packageId: argument(context, 0), count, ...(validUntil === undefined ? {} : { validUntil }), ...(note === undefined ? {} : { note }) },
      }),
    )
    const vouchers = made.vouchers.map((voucher) => hideCode(voucher, hasFlag(context, 'codes')))
    const codes = hasFlag(context, 'codes') ? `${vouchers.map((voucher) => voucher.code).join('\n')}\n` : ''
    return {
      json: { batch: made.batch, vouchers },
      text: `${codes}${vouchers.length} vouchers made, batch ${made.batch}\nPrint them: meshbox voucher sheet ${made.batch} --output sheet.html`,
    }
  },
}
