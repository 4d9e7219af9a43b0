/** `meshbox voucher batches` */
import type { CommandSpec } from '../command.ts'
import { moment, table } from '../text.ts'

export const voucherBatches: CommandSpec = {
  words: ['voucher', 'batches'],
  summary: 'printing runs of vouchers, newest first',
  run: async ({ service }) => {
    const answer = await service.call('voucherBatches', {})
    const rows = answer.batches.map((one) => [one.batch, moment(one.createdWallMs), String(one.count), String(one.unused), String(one.used), String(one.revoked), one.price.text, one.label])
    const list = table(
      [
        { title: 'BATCH' },
        { title: 'MADE (UTC)' },
        { title: 'ALL', align: 'right' },
        { title: 'UNUSED', align: 'right' },
        { title: 'USED', align: 'right' },
        { title: 'REVOKED', align: 'right' },
        { title: 'PRICE', align: 'right' },
        { title: 'LABEL', stretch: true },
      ],
      rows,
    )
    return { json: answer, text: rows.length === 0 ? 'No vouchers were made yet.' : list }
  },
}
