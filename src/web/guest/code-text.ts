/** How a code looks while it is typed: upper case, a dash in the middle. Anything that is no code stays as it is. */
const CODE_LENGTH = 10
const HALF = 5

export function tidyCode(typed: string): string {
  if (/[^0-9a-z\s-]/i.test(typed)) return typed // a pasted address
  const symbols = typed.replace(/[\s-]/g, '').toUpperCase()
  if (symbols.length > CODE_LENGTH) return typed // a pasted voucher or ticket
  return symbols.length > HALF ? symbols.slice(0, HALF) + '-' + symbols.slice(HALF) : symbols
}
