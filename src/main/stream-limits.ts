/** What a box lets open of a stream, in ticks: for who sells them and for who looks whether it was kept. */

/** Served beyond what is paid: the next session pays it first. */
export const GRACE_TICKS = 15
/** Paid and not on flash: what a power cut may cost. */
export const FLUSH_TICKS = 180n
/** Served, and not proved by what is on flash. */
export const UNPROVED_TICKS = FLUSH_TICKS + BigInt(GRACE_TICKS)
