/** The LuCI package: every file of it is packed, its menu leads to views that are there, its version is the service's. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeLuci } from '../../../scripts/package/describe.ts'
import { APP } from './words.ts'

const list = (folder: string): string[] => readdirSync(join(APP, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(APP.length))
const json = (path: string): Record<string, { action?: { type: string; path?: string }; depends?: { acl?: string[]; uci?: object } }> => JSON.parse(readFileSync(join(APP, path), 'utf8')) as never

it('packs every file where luci.mk would put it', () => {
  const packed = describeLuci().contents.entries.filter((entry) => entry.kind === 'file').map((entry) => entry.path).sort()
  const expected = [...list('htdocs').map((file) => file.replace('htdocs/', 'www/')), ...list('root').map((file) => file.replace('root/', ''))]
  expect(packed).toEqual(expected.sort())
})

it('has a menu of views that are there, for who has the rights', () => {
  const menu = json('root/usr/share/luci/menu.d/luci-app-meshbox.json')
  expect(Object.keys(menu)).toEqual(['admin/services/meshbox', 'admin/services/meshbox/overview', 'admin/services/meshbox/settings'])
  expect(menu['admin/services/meshbox']?.depends).toEqual({ acl: Object.keys(json('root/usr/share/rpcd/acl.d/luci-app-meshbox.json')), uci: { meshbox: true } })
  for (const { action } of Object.values(menu)) if (action?.type === 'view') expect(list('htdocs')).toContain(`htdocs/luci-static/resources/view/${action.path ?? ''}.js`)
})

it('is made for every processor, needs the service, and has its version', () => {
  const makefile = readFileSync(join(APP, 'Makefile'), 'utf8')
  const service = readFileSync(join(APP, '../meshbox/Makefile'), 'utf8')
  for (const variable of ['PKG_VERSION', 'PKG_RELEASE']) expect(new RegExp(`^${variable}:=(.*)$`, 'm').exec(makefile)?.[1]).toBe(new RegExp(`^${variable}:=(.*)$`, 'm').exec(service)?.[1])
  expect(makefile).toMatch(/^LUCI_PKGARCH:=all$/m)
  expect(makefile).toMatch(/^LUCI_DEPENDS:=\+luci-base \+meshbox$/m)
  expect(makefile.trim().endsWith('# call BuildPackage - OpenWrt buildroot signature')).toBe(true)
})
