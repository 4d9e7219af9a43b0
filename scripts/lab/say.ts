/** What the lab prints: numbered steps with their time, and findings under them. The live page shows the same lines. */
const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text)
const green = (text: string): string => (process.stdout.isTTY ? `\u001b[32m${text}\u001b[0m` : text)
const red = (text: string): string => (process.stdout.isTTY ? `\u001b[31m${text}\u001b[0m` : text)

export interface Said {
  readonly kind: 'step' | 'note' | 'claim' | 'fail'
  readonly text: string
  /** Since the lab's start. */
  readonly seconds: number
}

let number = 0
const startedAt = performance.now()
const listeners = new Set<(said: Said) => void>()

export const secondsSinceStart = (): number => (performance.now() - startedAt) / 1000

export function onSaid(listener: (said: Said) => void): void {
  listeners.add(listener)
}

export function step(text: string): void {
  number++
  console.log(`\n${bold(`${String(number).padStart(2)}. ${text}`)}  (${secondsSinceStart().toFixed(1)} s)`)
  tell('step', `${number}. ${text}`)
}

export function note(text: string): void {
  for (const line of text.split('\n')) console.log(`    ${line}`)
  tell('note', text)
}

/** A claim the story makes; the story ends when it is false. */
export function claim(text: string, isTrue: boolean, seen = ''): void {
  if (!isTrue) throw new StoryError(`${text}${seen === '' ? '' : `: ${seen}`}`)
  console.log(`    ${green('✔')} ${text}`)
  tell('claim', text)
}

export class StoryError extends Error {
  override readonly name = 'StoryError'
}

export function fail(text: string): void {
  console.error(`    ${red('✘')} ${text}`)
  tell('fail', text)
}

function tell(kind: Said['kind'], text: string): void {
  const said: Said = { kind, text, seconds: secondsSinceStart() }
  for (const listener of listeners) listener(said)
}
