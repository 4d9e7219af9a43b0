/** Options of `config payout 'payout'`, `config payee` and `config milestone`: who is paid when, and rewards. docs/payouts.md. */
import { listOf, matching, money, oneOf, option, optional, requiredOption, wholeNumber } from './rules.ts'
import type { Rules } from './schema.ts'
import type { MilestoneConfig, PayeeConfig, PayoutConfig } from './types.ts'

const account = matching('account', 'investor:, relay:, advertiser: or community: and the beneficiary of a share, such as investor:anna', (text) => /^(investor|relay|advertiser|community):[A-Za-z0-9._@-]{1,96}$/.test(text))

export const PAYOUT: Rules<PayoutConfig> = {
  threshold: option(money, 0n, '0', { doc: 'Whoever is owed so much is paid at once; 0: not by amount.' }),
  dailyHour: optional(wholeNumber(0, 23, 'hour, UTC'), 'nobody is paid by the day', { doc: 'Hour (UTC) from which everybody is paid once a day, while the clock is trusted.' }),
  dust: option(money, 0n, '0', { doc: 'Less than this is never paid but carried over; 0: from one smallest unit on.' }),
  maxFeePpm: option(wholeNumber(0, 100_000, 'parts per million'), 10_000, '10000', { doc: 'The most that other boxes may get for carrying a payout where no channel with the recipient has enough, as a part of it, at your cost; 0: only where it is free.' }),
  alarmAfter: option(wholeNumber(1, 100, 'tries'), 5, '5', { doc: 'Failed tries of one payout in a row that make an alarm.' }),
}

export const PAYEE: Rules<Omit<PayeeConfig, 'id'>> = {
  account: requiredOption(account, { doc: 'Whose part: role and beneficiary of a share. Without a payee it stays in the book.' }),
  address: requiredOption(matching('address', '0x and 40 hex digits', (text) => /^0x[0-9a-fA-F]{40}$/.test(text)), { doc: 'Photon account it is sent to (`meshbox channel status` on the box of who is paid). Another one holds for later payouts; what was begun goes where it was begun for.' }),
}

export const MILESTONE: Rules<Omit<MilestoneConfig, 'id'>> = {
  account: requiredOption(account, { doc: 'Who gets the reward.' }),
  measure: requiredOption(oneOf('minutes', 'earnings', 'tokens', 'days'), { doc: '`minutes` sold by voucher, number of `earnings`, `tokens` earned, `days` (UTC) with an earning.' }),
  count: requiredOption(wholeNumber(1, 1_000_000_000, 'of the measure'), { doc: 'How many of them; refunds count against tokens alone.' }),
  reward: requiredOption(money, { doc: "What it is worth: once, out of the owner's part, as soon as that covers it." }),
  sources: listOf(
    matching('source', 'a source of earnings, such as hotspot:voucher', (text) => /^[a-z][a-z0-9-]*(:[a-z0-9-]+)*$/.test(text) && text.length <= 64),
    32,
    { value: [], text: 'all earnings' },
    { doc: 'Earnings that count.' },
  ),
}
