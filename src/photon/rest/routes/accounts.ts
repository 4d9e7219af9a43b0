/** Fees, income and transactions: what the node has earned and done. */
import type { Address, Hash } from '../../../base/index.ts'
import type { Fields } from '../../wire/inspect/fields.ts'
import type { FeeRate } from '../api.ts'
import { checksumAddress } from '../checksum.ts'
import { addressOrNull, hashOrNull, route, textOrNull } from '../route.ts'
import type { Route } from '../route.ts'
import { feePolicy, feesEarned, transactionData } from '../views.ts'

const DEFAULT_DAYS = 7
const MAX_DAYS = 366

export const ACCOUNT_ROUTES: readonly Route[] = [
  route('GET', 'fee_policy', async (api) => feePolicy(await api.feeTable())),
  route('POST', 'fee_policy', async (api, { body }) => {
    const account = body.at('account_fee').isAbsent ? null : rateOf(body.at('account_fee'))
    const tokens = ratesOf<Address>(body.at('token_fee_map'), (key) => key.address())
    await api.setFeeTable({ account, tokens, channels: ratesOf<Hash>(body.at('channel_fee_map'), (key) => key.hash()) })
    return feePolicy(await api.feeTable())
  }),
  route('GET', 'fee', async (api) => feesEarned(await api.feesEarned())),
  route('POST', 'income/details', async (api, { body }) => {
    const entries = await api.income(addressOrNull(body.at('token_address')), positive(body.at('from_time')), positive(body.at('to_time')), positive(body.at('limit')))
    return entries.map((one) => ({ amount: one.amount, data: one.data, type: one.source === 'transfer' ? '0' : '1', time_stamp: one.seconds }))
  }),
  route('POST', 'income/days', async (api, { body }) => {
    const days = Math.min(positive(body.at('days')) ?? DEFAULT_DAYS, MAX_DAYS)
    return (await api.incomeOfDays(addressOrNull(body.at('token_address')), days)).map((one) => ({
      token_address: checksumAddress(one.token),
      total_amount: one.total,
      days,
      details: one.days.map((day) => ({ amount: day.amount, time_stamp: day.seconds })),
    }))
  }),
  route('POST', 'tx/query', async (api, { body }) => {
    const epoch = body.at('open_block_number')
    const filter = {
      channel: hashOrNull(body.at('channel_identifier')),
      epoch: positive(epoch) === null ? null : epoch.amount(),
      token: addressOrNull(body.at('token_address')),
      type: textOrNull(body.at('tx_type')),
      status: textOrNull(body.at('tx_status')),
    }
    return (await api.transactions(filter)).map(transactionData)
  }),
]

/** 0, -1 and nothing: no bound. */
function positive(from: Fields): number | null {
  if (from.isAbsent || from.value === '') return null
  const value = from.whole()
  return value > 0 ? value : null
}

function rateOf(from: Fields): FeeRate {
  return { constant: from.at('fee_constant').amount(), divisor: from.at('fee_percent').amount() }
}

function ratesOf<K extends Address | Hash>(from: Fields, keyOf: (key: Fields) => K): ReadonlyMap<K, FeeRate> {
  if (from.isAbsent) return new Map()
  return new Map(from.entries().map(([key, rate]) => [keyOf(key), rateOf(rate)]))
}
