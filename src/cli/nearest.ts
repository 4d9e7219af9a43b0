/** The known name nearest to a mistyped one; pure. */

/** By edit distance (insert, delete, change, swap of neighbours); null when none is near enough. */
export function nearest(typed: string, names: readonly string[]): string | null {
  let best: string | null = null
  let distance = Number.POSITIVE_INFINITY
  for (const name of names) {
    const now = name.startsWith(typed) && typed.length >= 2 ? 1 : editDistance(typed.slice(0, 40), name)
    if (now < distance) [best, distance] = [name, now]
  }
  return best !== null && distance <= Math.max(1, Math.floor(best.length / 3)) ? best : null
}

function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_unused, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(i - 1, j - 1) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(i - 2, j - 2) + 1)
      row.push(best)
    }
  }
  return at(a.length, b.length)
}
