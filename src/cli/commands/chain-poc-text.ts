/** The miner's deposit on a terminal. */
import type { ChainPocJson } from '../../owner/api/index.ts'
import { pairs, plain, tokens, wrap } from '../text.ts'

const STATES: Readonly<Record<NonNullable<ChainPocJson['state']>, string>> = {
  'not-deposited': 'no deposit',
  withdrawn: 'withdrawn',
  waiting: 'waiting to be picked',
  picked: 'picked for the next round',
  active: 'in this round',
  missed: 'missed a slot; kept out until the epoch ends',
  locked: 'locked by the contract',
  stopped: 'stopped',
  'foreign-owner': "another wallet's deposit",
}
const GOALS: Readonly<Record<ChainPocJson['goal'], string>> = { none: 'nothing', mining: 'take part', stopped: 'stay stopped', withdrawn: 'take the deposit back' }
const OUTCOMES = { mined: 'done', failed: 'failed', dropped: 'given up' } as const

export function chainPocText(poc: ChainPocJson): string {
  const { action, token } = poc
  if (poc.wallet === null)
    return [
      pairs([['Miner', poc.miner], ['Coinbase', poc.coinbase]]),
      '',
      wrap("The coinbase is not the box's own address, so the box sends nothing for this deposit: meshbox chain poc bind shows what to send from your wallet."),
    ].join('\n')
  return pairs([
    ['Miner', poc.miner],
    ['Wallet', `${poc.wallet}${poc.walletBalance === null ? '' : `, ${tokens(poc.walletBalance, token)}`}`],
    ['State', poc.state === null ? 'not proved yet' : `${STATES[poc.state]}${poc.number === null ? '' : `, at block ${poc.number}`}`],
    ['Deposit', poc.deposit === null ? 'not known' : tokens(poc.deposit, token)],
    ['Least', poc.leastDeposit === null ? 'not known' : tokens(poc.leastDeposit, token)],
    ['Bound to', poc.boundTo === null || /^0x0{40}$/.test(poc.boundTo) ? 'nobody' : poc.boundTo],
    ['Wanted', GOALS[poc.goal]],
    ...(action === null ? [] : [['Last call', `${action.kind} ${plain(action.hash.slice(0, 18))}…, ${action.outcome === null ? 'on its way' : OUTCOMES[action.outcome]}${action.reason === null ? '' : `: ${action.reason}`}`] as const]),
    ...(poc.obstacle === null ? [] : [['In the way', poc.obstacle] as const]),
  ])
}
