/** Where the router of `make qemu` has its sockets: the same for all programs of this checkout, and short. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyOf, ROOT } from '../image/places.ts'

export const RUN_FOLDER = join(tmpdir(), `meshbox-qemu-${keyOf(ROOT).slice(0, 8)}`)
