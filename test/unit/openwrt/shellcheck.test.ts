/** Every shell file of the stand-in is plain POSIX shell for ash and dash, and shellcheck has nothing to say about it. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { STAND_IN } from './shells.ts'

const files = readdirSync(STAND_IN, { recursive: true, withFileTypes: true })
  .filter((one) => one.isFile())
  .map((one) => join(one.parentPath, one.name))
const scripts = files.filter((file) => /^#(!\/bin\/sh| shellcheck shell=dash)/.test(readFileSync(file, 'utf8')))

it('has no file that is neither shell nor awk', () => {
  expect(files.filter((file) => !scripts.includes(file) && !file.endsWith('.awk'))).toEqual([])
  expect(scripts.length).toBeGreaterThan(20)
})

it('is clean', () => {
  const done = spawnSync('shellcheck', ['--format=gcc', ...scripts], { encoding: 'utf8' })
  if (done.error) throw done.error
  expect(done.stdout).toBe('')
  expect(done.status).toBe(0)
})
