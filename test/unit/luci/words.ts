/** The words of the LuCI pages: where they stand in the sources, and gettext's files of them. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const APP = fileURLToPath(new URL('../../../openwrt-feed/luci-app-meshbox/', import.meta.url))
export const LANGUAGES = readdirSync(`${APP}po`).filter((name) => name !== 'templates').sort()

/** Text → the files it stands in, in the order of the sources; titles of the menu and of the access list too. */
export function wordsOfSources(): Map<string, string[]> {
  const words = new Map<string, string[]>()
  const add = (text: string, file: string): void => void words.set(text, [...new Set([...(words.get(text) ?? []), file])])
  const scripts = readdirSync(`${APP}htdocs`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js')).sort()
  for (const file of scripts) for (const [, text] of readFileSync(`${APP}htdocs/${file}`, 'utf8').matchAll(/\b_\('((?:[^'\\]|\\.)*)'\)/g)) add((text ?? '').replaceAll("\\'", "'"), `htdocs/${file}`)
  for (const [file, field] of [['root/usr/share/luci/menu.d/luci-app-meshbox.json', 'title'], ['root/usr/share/rpcd/acl.d/luci-app-meshbox.json', 'description']] as const)
    for (const entry of Object.values(JSON.parse(readFileSync(`${APP}${file}`, 'utf8')) as Record<string, Record<string, string>>)) add(entry[field] ?? '', file)
  return words
}

export function template(words: ReadonlyMap<string, readonly string[]>): string {
  const entries = [...words].map(([text, files]) => `${files.map((file) => `#: applications/luci-app-meshbox/${file}\n`).join('')}msgid ${quoted(text)}\nmsgstr ""\n`)
  return ['msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n', ...entries].join('\n')
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

/** msgid → msgstr of a file whose texts stand on one line each; its head is left out. */
export function readPo(language: string): Map<string, string> {
  const text = readFileSync(`${APP}po/${language}/meshbox.po`, 'utf8')
  return new Map([...text.matchAll(/^msgid "((?:[^"\\]|\\.)+)"\nmsgstr "((?:[^"\\]|\\.)*)"$/gm)].map(([, id, translated]) => [plain(id ?? ''), plain(translated ?? '')]))
}

const plain = (text: string): string => text.replace(/\\(.)/g, '$1')
