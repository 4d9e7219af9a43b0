/** The guide's pictures: one that cannot be taken is said, and is no success. */
import { expect, it } from 'vitest'
import { townToPicture } from '../../../scripts/guide/options.ts'

const TOWN = { live: 'http://127.0.0.1:2099/' }

it('town and sensors are taken from the town that runs; without one nothing is, unless they are left out by name', () => {
  expect(townToPicture([], TOWN)).toBe(TOWN)
  expect(() => townToPicture([], null)).toThrow(/no town is running, so town.png and sensors.png cannot be taken: start `make run`.*allowed: --without-town/)
  expect(townToPicture(['--without-town'], null)).toBeNull()
  expect(townToPicture(['--without-town'], TOWN)).toBeNull()
  expect(() => townToPicture(['--quick'], TOWN)).toThrow("there is no option '--quick'; allowed: --without-town")
})
