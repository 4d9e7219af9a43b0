/**
 * A rough hint how hard a new password is to guess: 0 too short … 4 strong. It counts length, kinds of
 * characters and repetition; it never says "safe", and the box has the last word.
 */
const COMMON = /password|passwort|123456|qwert|letmein|welcome|meshbox|wifi|router|admin|iloveyou/i

export function passwordStrength(password: string, least: number): number {
  const characters = [...password]
  if (characters.length < least) return 0
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length
  const distinct = new Set(characters.map((character) => character.toLowerCase())).size
  const words = password.split(/[\s_.-]+/).filter((word) => word.length >= 3).length
  const bits = distinct * 2.2 + characters.length * 1.1 + kinds * 3 + Math.max(0, words - 1) * 4
  const level = bits < 38 ? 1 : bits < 48 ? 2 : bits < 62 ? 3 : 4
  return COMMON.test(password) || isRun(characters) ? 1 : level
}

/** 'aaaaaaaaaa', 'abcdefghij', '9876543210'. */
function isRun(characters: readonly string[]): boolean {
  const steps = characters.slice(1).map((character, index) => (character.codePointAt(0) ?? 0) - (characters[index]?.codePointAt(0) ?? 0))
  const [first = 0] = steps
  return Math.abs(first) <= 1 && steps.every((step) => step === first)
}
