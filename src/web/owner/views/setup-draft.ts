/** What the owner has typed into the first-run wizard so far, and what each of its pages is given. */
import type { PackagePresetId, SetupForm } from '../../../owner/api.ts'
import { typedDecimal } from '../money.ts'

export interface SetupDraft {
  readonly name: string
  readonly setupCode: string
  readonly minutes: string
  readonly sellsMinutes: boolean
  readonly packages: PackagePresetId
  readonly guestInterface: string
  readonly password: string
  readonly repeat: string
}

export interface StepProps {
  readonly draft: SetupDraft
  readonly edit: (part: Partial<SetupDraft>) => void
  readonly form: SetupForm
  /** The owner pressed Next once: missing things are said. */
  readonly checked: boolean
  /** The box's objection to a field. */
  readonly at: (field: string) => string | null
}

/** Minutes for one token as a number; 0 = not sold singly, NaN = not a number. */
export function minutesOf(draft: SetupDraft): number {
  if (!draft.sellsMinutes) return 0
  return Number(typedDecimal(draft.minutes) ?? Number.NaN)
}
