/** What the lab prints: numbered steps with their time, and findings under them. */
const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text)
const green = (text: string): string => (process.stdout.isTTY ? `\u001b[32m${text}\u001b[0m` : text)
const red = (text: string): string => (process.stdout.isTTY ? `\u001b[31m${text}\u001b[0m` : text)

let number = 0
const startedAt = performance.now()

export function step(text: string): void {
  number++
  console.log(`\n${bold(`${String(number).padStart(2)}. ${text}`)}  (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`)
}

export function note(text: string): void {
  for (const line of text.split('\n')) console.log(`    ${line}`)
}

/** A claim the story makes; the story ends when it is false. */
export function claim(text: string, isTrue: boolean, seen = ''): void {
  if (!isTrue) throw new StoryError(`${text}${seen === '' ? '' : `: ${seen}`}`)
  console.log(`    ${green('✔')} ${text}`)
}

export class StoryError extends Error {
  override readonly name = 'StoryError'
}

export function fail(text: string): void {
  console.error(`    ${red('✘')} ${text}`)
}
