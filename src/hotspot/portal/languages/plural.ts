/**
 * Plural rules for whole numbers ≥ 0, from CLDR (Unicode TR 35, part 3, "Language Plural Rules"). The
 * category `many` that French, Spanish, Italian and Portuguese have for millions is left out: nothing on
 * the page is counted in millions.
 */
export function noPlural(): 'other' {
  return 'other'
}

/** English, German, Spanish, Italian, Turkish, Swahili. */
export function oneIsOne(count: number): 'one' | 'other' {
  return count === 1 ? 'one' : 'other'
}

/** French, Portuguese, Hindi, Persian: zero is counted as one. */
export function zeroAndOneAreOne(count: number): 'one' | 'other' {
  return count <= 1 ? 'one' : 'other'
}

export function polishPlural(count: number): 'one' | 'few' | 'many' {
  if (count === 1) return 'one'
  return endsLikeFew(count) ? 'few' : 'many'
}

export function russianPlural(count: number): 'one' | 'few' | 'many' {
  if (count % 10 === 1 && count % 100 !== 11) return 'one'
  return endsLikeFew(count) ? 'few' : 'many'
}

export function arabicPlural(count: number): 'zero' | 'one' | 'two' | 'few' | 'many' | 'other' {
  if (count === 0) return 'zero'
  if (count === 1) return 'one'
  if (count === 2) return 'two'
  const lastTwo = count % 100
  if (lastTwo >= 3 && lastTwo <= 10) return 'few'
  return lastTwo >= 11 ? 'many' : 'other'
}

function endsLikeFew(count: number): boolean {
  const last = count % 10
  const lastTwo = count % 100
  return last >= 2 && last <= 4 && (lastTwo < 12 || lastTwo > 14)
}
