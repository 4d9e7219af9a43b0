/**
 * Names in the kernel. Chosen so that none is a word of nft's own language, and short enough to read in a
 * dump. `docs/gate.md` explains what each holds.
 */

/** Our table, in the families `inet` and `bridge`. */
export const TABLE = 'meshbox'

/** Walled garden, filled by dnsmasq (its configuration names these). */
export const GARDEN4 = 'garden4'
export const GARDEN6 = 'garden6'
