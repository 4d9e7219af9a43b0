/** `meshbox voucher sheet BATCH` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { OUTPUT_OPTION, deliver } from './output-file.ts'

export const voucherSheet: CommandSpec = {
  words: ['voucher', 'sheet'],
  summary: 'page for printing, A4, 32 vouchers a page',
  arguments: [{ name: 'BATCH' }],
  options: [OUTPUT_OPTION],
  run: async (context) => deliver(context, 'html', await context.busy('drawing the sheet', context.service.call('voucherSheet', { query: { batch: argument(context, 0) } }))),
}
