/** The test projects: whose files are which (vitest.config.ts takes it from here), and how `make test` shares them out. See docs/testing.md. */
import { globSync } from 'node:fs'

export const PROJECT_NAMES = ['unit', 'contracts', 'sim', 'real', 'qemu'] as const
export type ProjectName = (typeof PROJECT_NAMES)[number]

export interface Project {
  readonly name: ProjectName
  /** Globs of its files, relative to the root. */
  readonly include: readonly string[]
  /** Globs of files that another project has. */
  readonly exclude?: readonly string[]
  /** What its files mostly do. `computing`: one at a time for each processor. `waiting`: some beside those. */
  readonly kind: 'computing' | 'waiting'
  /** A run of several files takes about so long, seconds; a file that takes longer is a run of its own. */
  readonly runSeconds: number
  /** Of a file that durations.ts does not name. */
  readonly usualSeconds: number
  /** A program of ours that makes what its files share; it runs once, before the first of them. */
  readonly preparation?: string
}

/** These set a witness for all towns of their process, and some read others in: each has a process of its own. */
const CONTRACTS = ['test/unit/photon-contracts/*.test.ts']

export const PROJECTS: readonly Project[] = [
  { name: 'unit', include: ['test/unit/**/*.test.{ts,tsx}'], exclude: CONTRACTS, kind: 'computing', runSeconds: 150, usualSeconds: 1.5 },
  { name: 'contracts', include: CONTRACTS, kind: 'computing', runSeconds: 90, usualSeconds: 10 },
  { name: 'sim', include: ['test/sim/**/*.test.ts'], kind: 'computing', runSeconds: 60, usualSeconds: 5 },
  { name: 'real', include: ['test/netns/**/*.test.ts', 'test/browser/**/*.test.ts'], kind: 'waiting', runSeconds: 240, usualSeconds: 10 },
  { name: 'qemu', include: ['test/qemu/**/*.test.ts'], kind: 'computing', runSeconds: 60, usualSeconds: 60, preparation: 'qemu/prepare.ts' },
]

export const isProjectName = (word: string): word is ProjectName => (PROJECT_NAMES as readonly string[]).includes(word)

/** A project's globs, as vitest takes them. */
export function globsOf(name: ProjectName): { include: string[]; exclude: string[] } {
  const rows = PROJECTS.filter((project) => project.name === name)
  return { include: rows.flatMap(({ include }) => include), exclude: rows.flatMap(({ exclude }) => exclude ?? []) }
}

/** A project's files, relative to the root, in no order. */
export const filesOf = ({ include, exclude = [] }: Project, root: string): string[] => globSync([...include], { cwd: root, exclude: [...exclude] })
