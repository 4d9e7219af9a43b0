/** Sessions, vouchers and prices of the hotspot as the owner's JSON; pure. */
import type { Config } from '../config/index.ts'
import type { PriceBoard, SessionView, VoucherBatchRow, VoucherRow } from '../hotspot/index.ts'
import type { SessionAction, SessionJson } from './api/sessions.ts'
import type { TariffJson } from './api/tariff.ts'
import type { VoucherBatchJson, VoucherJson } from './api/vouchers.ts'
import { dateOfDay, minutesPerToken, money } from './money.ts'

export function sessionJson(view: SessionView, decimals: number): SessionJson {
  return {
    id: view.id,
    state: view.state,
    endReason: view.endReason,
    pauseReason: view.pauseReason,
    source: view.source,
    label: view.label,
    secondsLeft: view.secondsLeft,
    bytesLeft: view.bytesLeft,
    secondsUsed: view.secondsUsed,
    upBytes: view.upBytes,
    downBytes: view.downBytes,
    devices: view.devices.map(({ mac, ip4 }) => ({ mac, ip4 })),
    devicesMax: view.devicesMax,
    paid: money(view.paid, decimals),
    refunded: money(view.refunded, decimals),
    startedWallMs: view.startedWallMs,
    startedWallTrusted: view.startedWallTrusted,
    actions: actionsOf(view),
  }
}

/** What the hotspot would not refuse outright in this state. */
function actionsOf(view: SessionView): SessionAction[] {
  const refund: SessionAction[] = view.paid > view.refunded ? ['refund'] : []
  switch (view.state) {
    case 'active':
    case 'gate-open':
      return ['pause', 'extend', 'kick', ...refund]
    case 'paused':
      return ['resume', 'extend', 'kick', ...refund]
    case 'journaled':
    case 'credited':
      return ['kick', ...refund]
    case 'quoted':
    case 'preflight':
    case 'received':
    case 'ended':
      return []
  }
}

/** Does one of the things an owner would look for contain this text? */
export function isSessionFound(view: SessionView, find: string): boolean {
  const wanted = find.toLowerCase()
  const texts = [view.id, view.label, ...view.devices.flatMap((device) => [device.mac, device.ip4 ?? ''])]
  return texts.some((text) => text.toLowerCase().includes(wanted))
}

export function voucherJson(row: VoucherRow, decimals: number): VoucherJson {
  return {
    id: row.id,
    batch: row.batch,
    label: row.label,
    code: row.code,
    state: row.state,
    sessionId: row.sessionId,
    createdWallMs: row.createdWallMs,
    seconds: row.terms.seconds,
    bytes: row.terms.bytes,
    tokens: row.terms.tokens === null ? null : money(row.terms.tokens, decimals),
    devices: row.terms.devices,
    price: money(row.terms.price, decimals),
    validUntil: row.terms.validUntilDay === null ? null : dateOfDay(row.terms.validUntilDay),
  }
}

export function voucherBatchJson(row: VoucherBatchRow, decimals: number): VoucherBatchJson {
  const { batch, label, createdWallMs, count, unused, used, revoked } = row
  return { batch, label, createdWallMs, count, unused, used, revoked, price: money(row.price, decimals) }
}

export function tariffJson(config: Config, board: PriceBoard | null): TariffJson {
  const { tariff, token } = config
  return {
    token: { symbol: token.symbol, decimals: token.decimals },
    pricePerMinute: money(tariff.pricePerMinute, token.decimals),
    pricePerMib: money(tariff.pricePerMib, token.decimals),
    minutesPerToken: minutesPerToken(tariff.pricePerMinute, token.decimals),
    burnerCap: money(tariff.burnerCap, token.decimals),
    trialMinutes: tariff.trialMinutes,
    trialMib: tariff.trialMib,
    downKbps: tariff.downKbps,
    upKbps: tariff.upKbps,
    packages: config.packages.map((one) => ({ ...one, tokens: one.tokens === null ? null : money(one.tokens, token.decimals), price: money(one.price, token.decimals) })),
    happyHours: config.happyHours.map((one) => ({ ...one, days: [...one.days] })),
    happyHourNow: board?.happyHour ?? null,
  }
}
