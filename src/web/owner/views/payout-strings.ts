/** Words of the payouts page. Plain English for somebody who runs a shop. */
export const title = 'Payouts'
export const lead = 'What belongs to others of what the box earns, and how it reaches them.'
export const none = 'Nobody shares in your earnings'
export const noneText = 'All that the box earns is yours. To give somebody a part, add a share to the configuration: see the guide, Taking money out.'
export const parties = 'Who shares'
export const partiesText = 'Paid by themselves when the sum or the hour is reached that is set.'
export const owedNow = 'To be paid'
export const owedNothing = 'Nobody is owed anything now.'
export const paidSoFar = (sum: string): string => `${sum} paid over channels so far`

export const roles: Readonly<Record<string, string>> = { investor: 'Investor', relay: 'Relay', advertiser: 'Advertiser', community: 'Community' }
export const share = (percent: string, sources: readonly string[]): string => (sources.length === 0 ? `${percent} of everything` : `${percent} of ${sources.join(', ')}`)
export const noShare = 'No share now'
export const owed = 'Owed'
export const paid = 'Paid'
export const last = 'Last payment'
export const lastNever = 'None yet'
export const to = 'Account'
export const noAddress = 'none named'
/** Whole rooms, which a share may name. */
export const sources: Readonly<Record<string, string>> = { hotspot: 'guests', mesh: 'the mesh', iot: 'sensors', photon: 'payments of others' }
export const waits = (text: string): string => `Waits for ${text}.`
export const states = { even: 'Nothing owed', overdrawn: 'Paid ahead', waits: 'Waiting', nowhere: 'No account', leaving: 'On its way', tried: 'Tried again', fails: 'Fails' } as const
export const under = (sum: string): string => `${sum} under way`
export const unacknowledged = 'Sent; the other side has not confirmed it yet. It is sent again until it does, and never paid twice.'
export const lockWaits = {
  answer: 'On its way over other boxes; the other side has not answered yet. If it does not, the money comes back and is sent again.',
  secret: 'The other side has it; the boxes between hand the proof back. It is never paid twice.',
  end: 'Came to nothing on the way. Waiting for the lock to end; then it is sent again.',
} as const
export const over = (boxes: number): string => (boxes === 0 ? 'over other boxes' : `over ${boxes === 1 ? 'one other box' : `${boxes} other boxes`}`)
export const feeOnTop = (sum: string): string => `fee ${sum}, at your cost`
export const lockEnds = (block: number, seconds: number | null): string => `over by block ${block}${seconds === null ? '' : seconds < 90 ? `, in about ${seconds} s` : `, in about ${Math.round(seconds / 60)} min`}`
export const retry = (seconds: number | null, tries: number): string => `${tries === 1 ? 'One try' : `${tries} tries`} so far${seconds === null ? '' : seconds === 0 ? ', the next any moment' : `, the next in ${seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`}.`
export const payNow = 'Pay now'
export const tryNow = 'Try now'
export const byHand = 'Paid by hand'

export const payTitle = (who: string): string => `Pay ${who} now?`
export const payTo = 'Goes to'
export const payRule = 'All that is owed now is paid, whatever sum or hour is set. It is paid once: if no way is found it is tried again by itself, and the reason stands here.'
export const payButton = (sum: string): string => `Pay ${sum}`
export const payDone = 'Under way.'
export const noteTitle = (who: string): string => `Paid ${who} by hand`
export const noteRule = 'Only written into the book, as taken from the till: no money moves. It cannot be taken back.'
export const noteAmount = 'How much'
export const noteMemo = 'Note for yourself (may be empty)'
export const noteWrong = (most: string): string => `Type an amount, at most ${most}`
export const noteButton = 'Write it down'
export const noteDone = 'Written into the book.'

export const history = 'Payouts so far'
export const historyNone = 'None yet.'
export const historyStates: Readonly<Record<string, string>> = { paid: 'Paid', open: 'Under way', dropped: 'Given up' }
export const reasons = { threshold: 'sum reached', daily: 'daily', ordered: 'ordered' } as const
export const statement = 'Statement'
export const statementsText = 'Whoever was paid checks a statement by himself: meshbox payout verify.'
export const entries = (from: number, to: number): string => `entries ${from + 1} to ${to} of the book`

export const rewards = 'Rewards'
export const measures: Readonly<Record<string, string>> = { minutes: 'minutes sold', earnings: 'earnings', tokens: 'tokens earned', days: 'days with an earning' }
export const reached = (done: string, goal: string, measure: string): string => `${done} of ${goal} ${measure}`
export const rewardState = { booked: 'Given', waits: 'Waits for your part to cover it', open: 'On the way' } as const
