/** What `make run` starts is installed by what it calls first. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
/** Programs by the Debian package that has them; others are in every Debian. */
const PACKAGE_OF: Readonly<Record<string, string>> = { nft: 'nftables', python3: 'python3', dnsmasq: 'dnsmasq-base', busybox: 'busybox', curl: 'curl', ping: 'iputils-ping', ip: 'iproute2' }

it('the programs that the lab and its town start come with `make run`', () => {
  const installed = /^run="(.*)"$/m.exec(readFileSync(join(ROOT, 'scripts/setup.sh'), 'utf8'))?.[1]?.split(' ') ?? []
  const sources = ['scripts/lab/*.ts', 'test/support/{town-services,phone,netns}.ts'].flatMap((pattern) => globSync(pattern, { cwd: ROOT })).map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  const started = Object.keys(PACKAGE_OF).filter((program) => sources.includes(`'${program}'`))
  expect(started).toEqual(expect.arrayContaining(['nft', 'python3', 'dnsmasq', 'busybox', 'ip']))
  expect(started.filter((program) => !installed.includes(PACKAGE_OF[program] ?? ''))).toEqual([])
})
