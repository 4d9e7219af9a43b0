/**
 * How far ahead a page pays (portal.md 2.5). A page that is looked at pays as it goes, with a lead that bridges
 * throttled timers; one that is hidden will be suspended, so it pays more before that; one in a mini-browser dies when
 * the guest is online, so it pays a block at once. What is not used comes back when the session ends.
 */
export const MAX_VISIBLE_SECONDS = 90
export const MAX_HIDDEN_SECONDS = 600
const MAX_BLOCK_SECONDS = 3600

export interface LeadChoice {
  readonly visibleSeconds: number
  readonly hiddenSeconds: number
  /** Paid at once and no more after it; 0: pays as it goes. */
  readonly blockSeconds: number
}

export const STREAMING: LeadChoice = { visibleSeconds: MAX_VISIBLE_SECONDS, hiddenSeconds: MAX_HIDDEN_SECONDS, blockSeconds: 0 }

export function block(minutes: number): LeadChoice {
  return { visibleSeconds: 0, hiddenSeconds: 0, blockSeconds: minutes * 60 }
}

export function leadSeconds(choice: LeadChoice, isHidden: boolean): number {
  if (choice.blockSeconds > 0) return within(choice.blockSeconds, MAX_BLOCK_SECONDS)
  return isHidden ? within(choice.hiddenSeconds, MAX_HIDDEN_SECONDS) : within(choice.visibleSeconds, MAX_VISIBLE_SECONDS)
}

/**
 * All a session may cost: what the guest chose, for a block its price, and on a page that came by plain HTTP never
 * more than the burner cap, for whoever can change the page can take what its key holds.
 */
export function spendLimit(chosen: bigint, choice: LeadChoice, price: { readonly unit: bigint; readonly tickSeconds: number }, burnerCap: bigint | null): bigint {
  const ofBlock = price.unit * BigInt(Math.ceil(within(choice.blockSeconds, MAX_BLOCK_SECONDS) / price.tickSeconds))
  const wanted = choice.blockSeconds > 0 && ofBlock < chosen ? ofBlock : chosen
  return burnerCap !== null && burnerCap < wanted ? burnerCap : wanted
}

function within(seconds: number, most: number): number {
  return Math.max(0, Math.min(most, Math.floor(seconds)))
}
