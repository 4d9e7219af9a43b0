/** `meshbox voucher list` */
import { hasFlag, numberOption, textOption, usageError } from '../command.ts'
import type { VoucherJson } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { bytes, duration, table } from '../text.ts'
import { CODES_OPTION, hideCode } from './voucher-codes.ts'

const STATES = ['unused', 'used', 'revoked'] as const

export const voucherList: CommandSpec = {
  words: ['voucher', 'list'],
  isDefault: true,
  summary: 'vouchers, newest first',
  options: [
    { name: 'batch', value: 'BATCH', help: 'only of this printing run' },
    { name: 'state', value: 'STATE', help: 'only unused, used or revoked ones' },
    { name: 'limit', value: 'N', help: '1 to 1000, default 100' },
    { name: 'offset', value: 'N', help: 'leave out so many: next page' },
    CODES_OPTION,
  ],
  run: async (context) => {
    const stateText = textOption(context, 'state')
    const state = STATES.find((known) => known === stateText)
    if (stateText !== undefined && state === undefined) throw usageError(`--state: '${stateText}' is not allowed; allowed: ${STATES.join(', ')}`)
    const batch = textOption(context, 'batch')
    const limit = numberOption(context, 'limit', 1, 1000)
    const offset = numberOption(context, 'offset', 0, 10_000_000)
    const page = await context.service.call('vouchers', {
      query: {
        ...(batch === undefined ? {} : { batch }),
        ...(state === undefined ? {} : { state }),
        ...(limit === undefined ? {} : { limit }),
        ...(offset === undefined ? {} : { offset }),
      },
    })
    const vouchers = page.vouchers.map((voucher) => hideCode(voucher, hasFlag(context, 'codes')))
    const rows = vouchers.map((one) => [one.id, one.state, one.code, grantOf(one), one.price.text, one.validUntil ?? '-', one.label])
    const list = table(
      [{ title: 'ID' }, { title: 'STATE' }, { title: 'CODE' }, { title: 'GRANTS' }, { title: 'PRICE', align: 'right' }, { title: 'UNTIL' }, { title: 'LABEL', stretch: true }],
      rows,
    )
    const more = page.nextOffset === null ? '' : `\nMore: --offset ${page.nextOffset}`
    return { json: { ...page, vouchers }, text: rows.length === 0 ? 'No vouchers.' : list + more }
  },
}

function grantOf({ seconds, bytes: data, tokens }: VoucherJson): string {
  return [...(seconds === null ? [] : [duration(seconds)]), ...(data === null ? [] : [bytes(data)]), ...(tokens === null ? [] : [`${tokens.text} tokens`])].join(' ')
}
