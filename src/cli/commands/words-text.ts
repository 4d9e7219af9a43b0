/** Words of a key, numbered, three in a line, to be copied by hand. */
export function wordsText(words: readonly string[]): string {
  const lines: string[] = []
  for (let at = 0; at < words.length; at += 3)
    lines.push(
      words
        .slice(at, at + 3)
        .map((word, index) => `${String(at + index + 1).padStart(2)} ${word.padEnd(10)}`)
        .join('  ')
        .trimEnd(),
    )
  return lines.join('\n')
}
