/** The town's map: nothing stands on something else or outside, on a desk and on a phone. */
import { describe, expect, it } from 'vitest'
import { lengthOf, planFor, pointAt, seatsOf, type Plan, type Point } from '../../../scripts/lab/live/layout.js'

/** A house with its roof, and the three lines under it; in the map's units. */
const HOUSE = { above: 38, below: 69, half: 32 }
/** As many as the town takes. */
const GUESTS = Array.from({ length: 12 }, (_, index) => `g${index + 1}`)
const PLANS: readonly (readonly [string, Plan, boolean])[] = [
  ['the town on a desk', planFor({ isPhone: false, isWholeTown: true }), true],
  ['the town on a phone', planFor({ isPhone: true, isWholeTown: true }), true],
  ['two boxes on a desk', planFor({ isPhone: false, isWholeTown: false }), false],
  ['two boxes on a phone', planFor({ isPhone: true, isWholeTown: false }), false],
]
const isIn = ([x, y]: Point, [left, top, width, height]: readonly [number, number, number, number], side = 0, above = 0, below = 0): boolean =>
  x - side >= left && x + side <= left + width && y - above >= top && y + below <= top + height

describe.each(PLANS)('%s', (_, plan, isWholeTown) => {
  it('has a place for each, within what is seen', () => {
    expect(Object.keys(plan.places).toSorted()).toEqual((isWholeTown ? ['box1', 'box2', 'box4', 'box5', 'box6', 'box7', 'field', 'hall', 'internet'] : ['box1', 'box2', 'field']).toSorted())
    expect(Object.entries(plan.places).filter(([, place]) => !isIn(place, plan.view, HOUSE.half, HOUSE.above, 40))).toEqual([])
    expect(plan.grounds.filter(([x, y, width, height]) => !isIn([x, y], plan.view) || !isIn([x + width, y + height], plan.view))).toEqual([])
  })

  it('has no house on another', () => {
    const places = Object.entries(plan.places)
    const near = places.flatMap(([id, [x, y]], index) => places.slice(index + 1).filter(([, [otherX, otherY]]) => Math.abs(x - otherX) < 2 * HOUSE.half && Math.abs(y - otherY) < HOUSE.above + HOUSE.below).map(([other]) => `${id} ${other}`))
    expect(near).toEqual([])
  })

  if (isWholeTown)
    it('seats twelve guests on the market square, apart from each other, in rows that are centred', () => {
      const seats = Object.values(seatsOf(plan, GUESTS))
      expect(seats.length).toBe(12)
      const [square] = plan.grounds
      expect(seats.filter((seat) => square === undefined || !isIn(seat, [square[0], square[1], square[2], square[3]], 10, 24, 31))).toEqual([])
      for (const [index, [x, y]] of seats.entries()) for (const [otherX, otherY] of seats.slice(index + 1)) expect(Math.hypot(x - otherX, y - otherY)).toBeGreaterThan(40)
      const [first, second] = Object.values(seatsOf(plan, ['g1', 'g2']))
      expect(((first?.[0] ?? 0) + (second?.[0] ?? 0)) / 2).toBeCloseTo((plan.people.left + plan.people.right) / 2)
    })
})

describe('a way', () => {
  const way: readonly Point[] = [[0, 0], [30, 0], [30, 10]]
  it('is as long as its parts, and is gone from its beginning to its end', () => {
    expect(lengthOf(way)).toBe(40)
    expect([0, 0.5, 0.75, 0.875, 1].map((part) => pointAt(way, part))).toEqual([[0, 0], [20, 0], [30, 0], [30, 5], [30, 10]])
  })
  it('is not left at its ends, and one without a length is its end', () => {
    expect([pointAt(way, -1), pointAt(way, 2)]).toEqual([[0, 0], [30, 10]])
    expect(pointAt([[5, 5], [5, 5]], 0.5)).toEqual([5, 5])
  })
})
