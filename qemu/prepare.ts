/** Makes what the emulated machines of the tests begin with: both images, and the router with our package. What is there is left alone. */
import { BuildError } from '../scripts/native/run.ts'
import { imageOf } from './image.ts'
import { ARCHITECTURES } from './image/architectures.ts'
import { say } from './image/places.ts'
import { prepared } from './router.ts'

try {
  for (const architecture of ARCHITECTURES) await imageOf(architecture)
  await prepared()
  say('images and router are ready')
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`[qemu] ${error.message}`)
  process.exitCode = 1
}
