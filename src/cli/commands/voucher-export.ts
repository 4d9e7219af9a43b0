/** `meshbox voucher export BATCH` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { OUTPUT_OPTION, deliver } from './output-file.ts'

export const voucherExport: CommandSpec = {
  words: ['voucher', 'export'],
  summary: 'vouchers of a batch with their codes, as CSV',
  arguments: [{ name: 'BATCH' }],
  options: [OUTPUT_OPTION],
  run: async (context) => deliver(context, 'csv', await context.service.call('voucherCsv', { query: { batch: argument(context, 0) } })),
}
