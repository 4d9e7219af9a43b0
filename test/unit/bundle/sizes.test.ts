/** A bundle that is too large is refused, and so is one that something fell out of. */
import { expect, it } from 'vitest'
import { BOUNDS, sizeProblem } from '../../../scripts/bundle/sizes.ts'

/** All at a size that is allowed. */
const whole = (): Map<string, number> => new Map([...Object.entries(BOUNDS).map(([file, { least }]) => [file, least] as const), ['parts/iot-AAAAAAAA.cjs', 1]])

it('lets a whole bundle through', () => {
  expect(sizeProblem(whole())).toBeNull()
})

it.each(Object.entries(BOUNDS))('names %s when it is too large, too small, empty or not there', (file, { least, most }) => {
  expect(sizeProblem(whole().set(file, most))).toBeNull()
  expect(sizeProblem(whole().set(file, most + 1))).toBe(`${file} has ${most + 1} bytes; the limit is ${most}`)
  expect(sizeProblem(whole().set(file, least - 1))).toBe(`${file} has ${least - 1} bytes; less than ${least} cannot be all of it`)
  expect(sizeProblem(whole().set(file, 0))).toContain(file)
  const without = whole()
  without.delete(file)
  expect(sizeProblem(without)).toBe(`${file} is missing`)
})

it('takes no empty file, whatever its name', () => {
  expect(sizeProblem(whole().set('native/secp256k1.node', 0))).toBe('native/secp256k1.node is empty')
})
