/** `meshbox tariff show` */
import type { TariffJson } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { bytes, duration, pairs, table, tokens } from '../text.ts'

export const tariffShow: CommandSpec = {
  words: ['tariff', 'show'],
  isDefault: true,
  summary: 'prices, packages and happy hours',
  run: async ({ service }) => {
    const tariff = await service.call('tariff', {})
    return { json: tariff, text: tariffText(tariff) }
  },
}

export function tariffText(tariff: TariffJson): string {
  const { token } = tariff
  const each = tariff.minutesPerToken === null ? 'not sold singly' : `${tokens(tariff.pricePerMinute, token)} (1 ${token.symbol} = ${tariff.minutesPerToken} minutes)`
  const rate = (kbps: number | null): string => (kbps === null ? 'not limited' : `${kbps} kbit/s`)
  const trial = tariff.trialMinutes === 0 ? 'none' : `${tariff.trialMinutes} minutes${tariff.trialMib === null ? '' : `, ${tariff.trialMib} MiB`} for each device and day`
  const parts = [
    pairs([
      ['Minute', each],
      ['MiB', tariff.pricePerMib.units === '0' ? 'not charged' : tokens(tariff.pricePerMib, token)],
      ...(tariff.burnerCap.units === '0' ? [] : [['Without TLS', `a page spends at most ${tokens(tariff.burnerCap, token)} by the second`] as const]),
      ['Free trial', trial],
      ['Rates', `down ${rate(tariff.downKbps)}, up ${rate(tariff.upKbps)}`],
      ['Happy hour', tariff.happyHourNow === null ? 'not now' : `${tariff.happyHourNow.label}: ${tariff.happyHourNow.discountPercent} % off`],
    ]),
  ]
  if (tariff.packages.length > 0)
    parts.push(
      '',
      table(
        [{ title: 'PACKAGE' }, { title: 'SLOT', align: 'right' }, { title: 'TIME', align: 'right' }, { title: 'DATA', align: 'right' }, { title: 'DEVICES', align: 'right' }, { title: 'PRICE', align: 'right' }, { title: 'OFFERED' }, { title: 'LABEL', stretch: true }],
        tariff.packages.map((one) => [
          one.id,
          String(one.slot),
          one.tokens !== null ? `${one.tokens.text} tokens` : one.seconds === null ? '-' : duration(one.seconds),
          one.bytes === null ? '-' : bytes(one.bytes),
          String(one.devices),
          one.price.text,
          one.offered ? 'yes' : 'no',
          one.label,
        ]),
      ),
    )
  if (tariff.happyHours.length > 0)
    parts.push(
      '',
      table(
        [{ title: 'HAPPY HOUR' }, { title: 'BY' }, { title: 'FROM', align: 'right' }, { title: 'TO', align: 'right' }, { title: 'DAYS' }, { title: 'OFF', align: 'right' }, { title: 'LABEL', stretch: true }],
        tariff.happyHours.map((one) => [one.id, one.basis, clockTime(one.basis, one.fromMinute), clockTime(one.basis, one.toMinute), one.days.length === 7 || one.days.length === 0 ? 'all' : one.days.join(' '), `${one.discountPercent} %`, one.label]),
      ),
    )
  return parts.join('\n')
}

function clockTime(basis: 'clock' | 'uptime', minute: number): string {
  return basis === 'uptime' ? `${minute} min` : `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
