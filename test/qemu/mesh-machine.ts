/** An emulated router in which the programs of the mesh's tests lie, with a crowd on its network card (mesh-crowd.ts). For tests and `make qemu-bench`. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { addonPath, buildNative } from '../../scripts/native.ts'
import { imageOf } from '../../qemu/image.ts'
import { architectureNamed } from '../../qemu/image/architectures.ts'
import { say } from '../../qemu/image/places.ts'
import { Machine } from '../../qemu/runner/machine.ts'
import type { MachineOptions } from '../../qemu/runner/machine.ts'
import type { Check } from './genetlink-guest/checks.ts'
import { Crowd } from './mesh-crowd.ts'
import { putProgram } from './program.ts'

const TARGET = 'arm64-gnu'
const ADDONS = ['genetlink', 'nfnetlink', 'better_sqlite3', 'secp256k1']
/** A bound against hanging: under a load of 20 a part takes seven minutes. */
const PART_SECONDS = 900
const WORDS_OF_FAILURE = 16_000

export interface PartResult {
  readonly checks: readonly Check[]
  readonly notes: Readonly<Record<string, unknown>>
}

export class MeshMachine {
  readonly crowd: Crowd
  readonly #machine: Machine
  readonly #folder: string
  readonly #command: string

  private constructor(machine: Machine, crowd: Crowd, folder: string, command: string) {
    this.crowd = crowd
    this.#machine = machine
    this.#folder = folder
    this.#command = command
  }

  /** Of `crowdSize` originators. `programs`: what parts start beside themselves, sources relative to the repository. */
  static async boot(crowdSize: number, programs: readonly string[] = [], options: Pick<MachineOptions, 'bootSeconds' | 'hasOwnTime' | 'memoryMegabytes' | 'processors'> = {}): Promise<MeshMachine> {
    await buildNative(TARGET, say, { only: ADDONS })
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
    const crowd = await Crowd.open(crowdSize)
    let machine: Machine | null = null
    try {
      machine = await Machine.boot({ image: await imageOf(architectureNamed('arm64')), folder, network: crowd.card(), ...options })
      for (const addon of ADDONS) copyFileSync(addonPath(TARGET, addon), join(machine.share, basename(addonPath(TARGET, addon))))
      for (const program of programs) await putProgram(machine, program, 'cjs')
      return new MeshMachine(machine, crowd, folder, `node ${await putProgram(machine, 'test/qemu/mesh-guest.ts', 'cjs')}`)
    } catch (error) {
      await machine?.cut()
      crowd.close()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A part of mesh-guest.ts. Errors: it said nothing. */
  async part(name: string, seconds = PART_SECONDS): Promise<PartResult> {
    const { code, stdout, stderr } = await this.#machine.exec(`${this.#command} ${name} ${ADDONS.map((addon) => `/host/${addon}.node`).join(' ')}`, seconds)
    const line = stdout.trim().split('\n').at(-1) ?? ''
    if (!line.startsWith('{')) throw new Error(`${name} ended with ${code} and said nothing: ${stdout}${stderr}${this.#machine.lastWords()}`)
    if (code !== 0) say(`${name}: ${stderr.slice(-WORDS_OF_FAILURE)}`)
    return JSON.parse(line) as PartResult
  }

  async remove(): Promise<void> {
    await this.#machine.cut()
    this.crowd.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
