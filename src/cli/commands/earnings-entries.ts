/** `meshbox earnings entries` */
import { numberOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { moment, table } from '../text.ts'

export const earningsEntries: CommandSpec = {
  words: ['earnings', 'entries'],
  summary: 'entries of the book, oldest first',
  details: 'Debits are positive, credits negative; each entry sums to zero.',
  options: [
    { name: 'after', value: 'ID', help: 'go on after this entry: next page' },
    { name: 'limit', value: 'N', help: '1 to 500, default 100' },
  ],
  run: async (context) => {
    const afterId = numberOption(context, 'after', 0, Number.MAX_SAFE_INTEGER)
    const limit = numberOption(context, 'limit', 1, 500)
    const page = await context.service.call('entries', { query: { ...(afterId === undefined ? {} : { afterId }), ...(limit === undefined ? {} : { limit }) } })
    const rows = page.entries.flatMap((entry) =>
      entry.postings.map((posting, index) => {
        const head = index === 0 ? [String(entry.id), entry.wallTrusted ? moment(entry.wallMs) : '(no date)', entry.source] : ['', '', '']
        return [...head, posting.account, posting.amount.text]
      }),
    )
    const list = table([{ title: 'ID', align: 'right' }, { title: 'WHEN (UTC)' }, { title: 'SOURCE' }, { title: 'ACCOUNT', stretch: true }, { title: 'AMOUNT', align: 'right' }], rows)
    const more = page.nextAfterId === null ? '' : `\nMore: --after ${page.nextAfterId}`
    return { json: page, text: rows.length === 0 ? 'No entries.' : list + more }
  },
}
