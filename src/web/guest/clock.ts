/** The clock as the page shows it below a day: `1:23:45`, `23:45`. The server writes the same. */
export function clockText(seconds: number, withDays: boolean): string {
  const whole = Math.max(0, Math.floor(seconds))
  const hours = Math.floor(whole / 3600) % 24
  const tail = two(Math.floor(whole / 60) % 60) + ':' + two(whole % 60)
  if (withDays) return two(hours) + ':' + tail
  return hours > 0 ? hours + ':' + tail : tail
}

export function wholeDays(seconds: number): number {
  return Math.floor(Math.max(0, seconds) / 86_400)
}

function two(value: number): string {
  return value < 10 ? '0' + value : String(value)
}
