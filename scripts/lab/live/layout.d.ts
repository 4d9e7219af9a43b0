export type Point = readonly [x: number, y: number]

export interface Plan {
  readonly view: readonly [x: number, y: number, width: number, height: number]
  readonly grounds: readonly (readonly [x: number, y: number, width: number, height: number, name: string])[]
  /** By the id of a box, of the Internet, of the field. */
  readonly places: Readonly<Record<string, Point>>
  /** Guests sit in rows of `most`, from `top` downwards. */
  readonly people: { readonly left: number; readonly right: number; readonly top: number; readonly row: number; readonly most: number }
}

/** `isWholeTown`: with the Internet and the street, as root; otherwise two boxes and a field. */
export function planFor(screen: { readonly isPhone: boolean; readonly isWholeTown: boolean }): Plan
/** Rows are centred. */
export function seatsOf(plan: Plan, ids: readonly string[]): Readonly<Record<string, Point>>
/** Of a way over these points, two or more. */
export function lengthOf(points: readonly Point[]): number
/** `part`: 0 its beginning, 1 its end; what is less or more is taken as these. */
export function pointAt(points: readonly Point[], part: number): Point
