import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { ROUTES } from '../../../src/owner/api.ts'

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

describe('docs', () => {
  it('list every route with its access, and no other', () => {
    const listed = [...page('owner-api.md').matchAll(/^\| `(GET|POST|PUT) (\/api\/\S*)` \| (\w+) \|/gm)].map(([, method, path, access]) => `${method} ${path} ${access}`)
    expect(listed.sort()).toEqual(Object.values(ROUTES).map(({ method, path, access }) => `${method} ${path} ${access}`).sort())
  })

  it('list every command with its options, and no other', () => {
    const rows = [...page('cli.md').matchAll(/^\| `([a-z][^`]*)` \| .*? \| (.*)\|$/gm)]
    const listed = rows.map(([, command, options]) => `${command} ${[...(options ?? '').matchAll(/`(--[^`]+)`/g)].map(([, option]) => option).join(' ')}`.trim())
    const known = COMMANDS.map((command) =>
      [...command.words, ...(command.arguments ?? []).map((one) => one.name), ...(command.options ?? []).map((one) => `--${one.name}${one.value === undefined ? '' : ` ${one.value}`}`)].join(' '),
    )
    expect(listed.sort()).toEqual(known.sort())
  })
})
