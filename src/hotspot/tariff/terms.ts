/** Packages, vouchers and trials as terms of an allotment. */
import type { PackageConfig, TariffConfig } from '../../config/index.ts'
import type { Terms } from '../session/index.ts'
import type { VoucherId, VoucherTerms } from '../voucher/types.ts'

const MIB = 1_048_576

/** What a voucher of this package says: as printed now, or as a typed code of another box is understood. */
export function packageTerms(
  pack: PackageConfig,
  number: Pick<VoucherTerms, 'box' | 'serial'>,
  validUntilDay: number | null,
): VoucherTerms {
  const { slot, seconds, bytes, tokens, devices, downKbps, upKbps, price } = pack
  const rates = tokens === null ? { downKbps, upKbps } : { downKbps: null, upKbps: null }
  return { slot, ...number, seconds, bytes, tokens, devices, ...rates, price, validUntilDay }
}

export function voucherAllotment(id: VoucherId, label: string, terms: VoucherTerms): Terms {
  return {
    source: 'voucher',
    bearer: id,
    label,
    grantedMs: terms.seconds === null ? null : terms.seconds * 1000,
    grantedBytes: terms.bytes,
    devices: terms.devices,
    downKbps: terms.downKbps,
    upKbps: terms.upKbps,
    price: terms.price,
  }
}

export function trialAllotment(tariff: TariffConfig): Terms {
  return {
    source: 'trial',
    bearer: null,
    label: 'Free trial',
    grantedMs: tariff.trialMinutes * 60_000,
    grantedBytes: tariff.trialMib === null ? null : tariff.trialMib * MIB,
    devices: 1,
    downKbps: tariff.downKbps,
    upKbps: tariff.upKbps,
    price: 0n,
  }
}
