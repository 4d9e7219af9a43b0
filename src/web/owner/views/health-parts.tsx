/** Marks for how a part of the box is: a shape and a colour, next to words. */
import type { Level } from '../../../owner/api.ts'
import { Icon } from '../ui/icon.tsx'

const LOOK = { ok: 'check', warn: 'alert', bad: 'alert' } as const

export function LevelDot({ level }: { level: Level }) {
  return (
    <span class={`level level-${level}`} aria-hidden="true">
      <Icon name={LOOK[level]} size={16} />
    </span>
  )
}
