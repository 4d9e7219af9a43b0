/** `meshbox earnings` */
import type { EarningsJson } from '../../owner/api/index.ts'
import { numberOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { pairs, table } from '../text.ts'

const BAR_COLUMNS = 40

export const earnings: CommandSpec = {
  words: ['earnings'],
  summary: 'earned today, this month, by source and day',
  details: `Days are UTC. While the clock is not confirmed, what is earned has no date and is
counted since the box was switched on.`,
  options: [{ name: 'days', value: 'N', help: 'days of the plot, 1 to 62, default 30' }],
  run: async (context) => {
    const days = numberOption(context, 'days', 1, 62)
    const answer = await context.service.call('earnings', { query: days === undefined ? {} : { days } })
    return { json: answer, text: textOf(answer) }
  },
}

function textOf(answer: EarningsJson): string {
  const sum = (one: EarningsJson['earnedToday'] | null): string =>
    one === null ? 'the clock is not confirmed' : `${one.all.text} ${answer.token.symbol}${one.owner.units === one.all.units ? '' : `, ${one.owner.text} of it yours`}`
  const parts = [
    pairs([
      [answer.clockTrusted ? 'Today' : 'Since switched on', sum(answer.earnedToday)],
      ['This month', sum(answer.earnedMonth)],
      ['In all', sum(answer.earnedTotal)],
      ...(answer.undated.all.units === '0' ? [] : [['Without a date', sum(answer.undated)] as const]),
    ]),
  ]
  if (answer.bySource.length > 0)
    parts.push(
      '',
      table(
        [{ title: 'SOURCE', stretch: true }, { title: 'TODAY', align: 'right' }, { title: 'MONTH', align: 'right' }, { title: 'ALL', align: 'right' }],
        answer.bySource.map((one) => [one.source, one.today.all.text, one.month?.all.text ?? '-', one.total.all.text]),
      ),
    )
  if (answer.accounts.length > 0)
    parts.push(
      '',
      table(
        [{ title: 'ACCOUNT', stretch: true }, { title: '' }, { title: 'BALANCE', align: 'right' }],
        answer.accounts.map((one) => [one.account, one.kind === 'till' ? 'in the till' : 'owed', one.amount.text]),
      ),
    )
  const plot = plotOf(answer)
  if (plot !== '') parts.push('', plot)
  return parts.join('\n')
}

/** One bar a day, the best day the longest. */
function plotOf(answer: EarningsJson): string {
  const best = answer.days.reduce((most, day) => (BigInt(day.all.units) > most ? BigInt(day.all.units) : most), 0n)
  if (best <= 0n) return ''
  return table(
    [{ title: 'DAY' }, { title: 'EARNED', align: 'right' }, { title: '' }],
    answer.days.map((day) => {
      const units = BigInt(day.all.units)
      const columns = units <= 0n ? 0 : Number((units * BigInt(BAR_COLUMNS) + best - 1n) / best)
      return [day.day, day.all.text, '#'.repeat(columns)]
    }),
  )
}
