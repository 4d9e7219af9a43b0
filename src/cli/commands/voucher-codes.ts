/** Voucher codes are worth money: lists show them only when asked with --codes. */
import type { VoucherJson } from '../../owner/api/index.ts'
import type { OptionSpec } from '../command.ts'

export const CODES_OPTION: OptionSpec = { name: 'codes', help: 'show the codes; whoever reads them can use them' }

export function hideCode(voucher: VoucherJson, isShown: boolean): VoucherJson {
  return isShown ? voucher : { ...voucher, code: '*****-*****' }
}
