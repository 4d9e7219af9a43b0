/** What is installed is what was reviewed: exact versions, each with the hash of its contents, and no program of a package run by installing it. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Locked {
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
}

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const { packages } = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Locked>> }
const named = JSON.parse(read('package.json')) as { readonly allowScripts: Readonly<Record<string, boolean>> } & Readonly<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Readonly<Record<string, string>>>>

describe('npm packages', () => {
  it('are named by exact versions', () => {
    const versions = Object.entries({ ...named.dependencies, ...named.devDependencies, ...named.optionalDependencies })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))).toEqual([])
  })

  it('are locked with the hash of what is in them, and come from the registry alone', () => {
    const locked = Object.entries(packages).filter(([path]) => path !== '')
    expect(locked.length).toBeGreaterThan(100)
    expect(locked.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')).map(([path]) => path)).toEqual([])
    expect(locked.filter(([, { resolved, link }]) => link === true || (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'))).map(([path]) => path)).toEqual([])
  })

  it('run nothing when they are installed', () => {
    const installs = read('scripts/setup.sh').split('\n').filter((line) => /\bnpm (ci|install|i)\b/.test(line) && !/^\s*(#|say )/.test(line))
    expect(installs).toHaveLength(1)
    expect(installs[0]).toContain('npm ci --ignore-scripts')
    expect(Object.values(named.allowScripts).some(Boolean)).toBe(false)
  })
})
