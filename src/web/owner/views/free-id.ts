/** Names for new packages and happy hours, as the configuration file allows them. */
const MOST_CHARACTERS = 28

/** 'Day pass' → 'day_pass', with a number when it is taken. Letters, digits and _ only. */
export function freeId(label: string, taken: readonly { readonly id: string }[]): string {
  const plain = label
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, MOST_CHARACTERS)
  const base = plain === '' ? 'item' : plain
  const isTaken = (id: string): boolean => taken.some((one) => one.id === id)
  if (!isTaken(base)) return base
  let number = 2
  while (isTaken(`${base}_${number}`)) number++
  return `${base}_${number}`
}
