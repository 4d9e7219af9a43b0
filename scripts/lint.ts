/**
 * Holds the plan of the house (docs/architecture.md): who may import whom, where I/O may live, what a core
 * may not touch. Exits 1 with one line per breach, `file:line: what and what instead`.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Rooms a room may import, besides itself. Domains do not import each other. */
const ROOMS: Record<string, readonly string[]> = {
  base: [],
  native: ['base'],
  config: ['base'],
  store: ['base'],
  identity: ['base', 'store'],
  ledger: ['base', 'config', 'store', 'identity'],
  audit: ['base'],
  hotspot: ['base', 'config', 'store', 'identity', 'ledger'],
  spectrum: ['base', 'native', 'config', 'store', 'identity', 'ledger'],
  photon: ['base', 'native', 'config', 'store', 'identity', 'ledger'],
  mesh: ['base', 'native', 'config', 'store', 'identity', 'ledger'],
  iot: ['base', 'config', 'store', 'identity', 'ledger'],
  payout: ['base', 'config', 'store', 'identity', 'ledger'],
  owner: ['base', 'config', 'store', 'identity', 'ledger', 'hotspot', 'spectrum', 'photon', 'mesh', 'iot', 'payout'],
  cli: ['base', 'config', 'identity', 'hotspot', 'spectrum', 'photon', 'mesh', 'iot', 'payout', 'owner'],
  // Browser code shares only types with the server, and never runs a server's module.
  web: ['owner', 'base'],
}

const SHARED_WITH_BROWSER: ReadonlySet<string> = new Set(['src/owner/api.ts', 'src/photon/stream/payer/index.ts', 'src/photon/contracts/orders.ts'])

/** Modules that do I/O: only for files in an `io/` folder, in store/, cli/ or main.ts. */
const IO_MODULES =
  /^(node:(fs|net|dgram|http|https|http2|tls|dns|child_process|worker_threads|readline|os)(\/.*)?|fastify|@fastify\/.*|mqtt(\/.*)?|@ethereumjs\/devp2p|libp2p|@libp2p\/.*|better-sqlite3|.*\.node)$/
/** Even pure builtins stay out of code that runs in a browser. */
const NODE_MODULES = /^node:/

const CORE_BANS: readonly { pattern: RegExp; say: string }[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, say: 'reads the wall clock; take a Clock as an argument' },
  { pattern: /\bMath\.random\(/, say: 'rolls its own dice; take Randomness as an argument' },
  { pattern: /\b(setTimeout|setInterval|setImmediate)\(/, say: 'starts a timer; take Timers as an argument' },
  { pattern: /\bprocess\.(env|exit|argv)\b/, say: 'reads the process; take it from the configuration' },
]
const EVERYWHERE_BANS: readonly { pattern: RegExp; say: string; isAboutCode?: boolean }[] = [
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, say: 'an unfinished mark' },
  { pattern: /catch *(\([^)]*\))? *\{ *\}/, say: 'swallows an error; say in the body why that is right' },
  { pattern: /\b(describe|it|test)\.(skip|only|todo)\b/, say: 'a test switched off or narrowed' },
  { pattern: /[\w)\]]\??:\s*any\b(?! \w)|\bas any\b|<any>|@ts-(ignore|nocheck)/, say: 'switches the type checker off', isAboutCode: true },
]
const MAX_LINES = 450

const breaches: string[] = []
/** Who imports what: `src/base/hex.ts#hexOf`, and `src/base/hex.ts#*` for all of it. */
const wanted = new Set<string>()
/** Of each file of src/ those that it runs: imports of types and later ones by `import()` left out. */
const runs = new Map<string, readonly string[]>()
const isTable = (file: string): boolean => /\/(languages|tables?|strings)[/.]/.test(file)

for (const file of globSync('{src,test,scripts,firmware,qemu}/**/*.{ts,tsx}', { cwd: ROOT }).sort()) {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const lines = text.split('\n')
  const inSource = file.startsWith('src/')
  const isDoor = /(^|\/)io\//.test(file) || /^src\/(store|cli|web)\//.test(file) || /^src\/main(\.ts$|\/)/.test(file)
  if (inSource && lines.length > MAX_LINES && !isTable(file)) breach(file, 1, `${lines.length} lines; does it do one thing? (limit ${MAX_LINES})`)
  lines.forEach((line, index) => {
    const code = line.replace(/^\s*(\/?\*|\/\/).*/, '')
    if (file !== 'scripts/lint.ts') for (const ban of EVERYWHERE_BANS) if (ban.pattern.test(ban.isAboutCode === true ? code : line)) breach(file, index + 1, ban.say)
    if (inSource && !isDoor && !file.startsWith('src/base/')) for (const ban of CORE_BANS) if (ban.pattern.test(code)) breach(file, index + 1, ban.say)
  })
  noteWanted(file, text)
  if (!inSource) continue
  const imports = importsOf(text)
  for (const found of imports) checkImport(file, found.line, found.from, found.typeOnly, isDoor)
  runs.set(file, imports.filter(({ from, typeOnly, isLater }) => from.startsWith('.') && !typeOnly && !isLater).map(({ from }) => normalize(join(dirname(file), from))))
}

for (const circle of circlesOf(runs)) breach(circle[0] ?? '', 1, `imports itself by way of ${circle.slice(1).join(', ')}; put what they share into a file of its own`)

// What a file shows to others somebody wants, a test at the least; and a folder's contract begins with what the folder is for.
for (const file of globSync('src/**/*.{ts,tsx}', { cwd: ROOT }).sort()) {
  const text = readFileSync(join(ROOT, file), 'utf8')
  if (file.endsWith('/index.ts') && !text.startsWith('/**')) breach(file, 1, 'says nothing of what its folder is for; begin with a comment')
  if (wanted.has(`${file}#*`)) continue
  for (const found of text.matchAll(/^export (?:abstract |async )*(?:const|let|function\*?|class) ([\w$]+)/gm))
    if (!wanted.has(`${file}#${found[1]}`)) breach(file, lineOf(text, found.index), `exports ${found[1]}, which nobody imports`)
  if (file.endsWith('/index.ts'))
    for (const found of text.matchAll(/^export \{([^}]*)\} from/gm))
      for (const name of namesIn(found[1])) if (!wanted.has(`${file}#${name}`)) breach(file, lineOf(text, found.index), `passes on ${name}, which nobody imports`)
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}

/** What is between the braces of an export as others know it; types are passed over, they say what a value is like. */
function namesIn(list = ''): string[] {
  return list.split(',').map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type ')).map((name) => name.split(' as ').at(-1) ?? name)
}

function noteWanted(file: string, text: string): void {
  for (const [, names, from, whole] of text.matchAll(/(?:import|export)\s+(?:type\s+)?(?:\w+\s*,\s*)?(\{[^}]*\}|\*(?: as \w+)?)\s+from\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'/g)) {
    const target = normalize(join(dirname(file), from ?? whole ?? ''))
    for (const name of names?.startsWith('{') ? names.slice(1, -1).split(',') : ['*']) wanted.add(`${target}#${name.trim().replace(/^type /, '').split(' as ')[0]}`)
  }
}

function checkImport(file: string, line: number, from: string, typeOnly: boolean, isDoor: boolean): void {
  const room = roomOf(file)
  if (!from.startsWith('.')) {
    if (IO_MODULES.test(from) && !isDoor) breach(file, line, `imports ${from}; only files in io/, store/, cli/ and main.ts may`)
    if (room === 'web' && NODE_MODULES.test(from)) breach(file, line, `imports ${from}; browser code has no Node`)
    return
  }
  const target = normalize(join(dirname(file), from))
  if (!target.startsWith('src/')) return breach(file, line, `imports ${target}, outside src/`)
  const targetRoom = roomOf(target)
  if (targetRoom === room || room === 'main') return
  if (targetRoom === 'main') return breach(file, line, 'imports main.ts, the composition root')
  // Made to be shared with the browser: the API's types and its table of routes; the paying end of a stream, and what is
  // signed for a channel, which are pure. Nothing else of a server is.
  if (room === 'web' && SHARED_WITH_BROWSER.has(target)) return
  const allowed = ROOMS[room]
  if (!allowed) return breach(file, line, `is in room '${room}', which scripts/lint.ts does not know`)
  if (!allowed.includes(targetRoom)) return breach(file, line, `room '${room}' may not know '${targetRoom}'; declare a port and let main.ts hand it in`)
  if (room === 'web' && !typeOnly && targetRoom !== 'base') return breach(file, line, 'browser code may import only types from the server')
  const isContract = /\/index\.ts$/.test(target) || targetRoom === 'base'
  if (!isContract) breach(file, line, `reaches into '${targetRoom}' (${relative('src', target)}); use its index.ts`)
}

function roomOf(file: string): string {
  const parts = file.split('/')
  return parts.length > 2 ? (parts[1] ?? '') : 'main'
}

function importsOf(text: string): { from: string; line: number; typeOnly: boolean; isLater: boolean }[] {
  const found = []
  const pattern = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
  for (const match of text.matchAll(pattern)) {
    const from = match[3] ?? match[4]
    if (from === undefined) continue
    const line = text.slice(0, (match.index ?? 0) + match[0].length).split('\n').length
    found.push({ from, line, typeOnly: match[2] !== undefined, isLater: match[4] !== undefined })
  }
  return found
}

/** Files that reach each other, sorted: the strongly connected components with more than one file (Tarjan 1972). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>()
  const open: string[] = []
  const circles: string[][] = []
  const visit = (file: string): number => {
    const index = order.size
    let low = index
    order.set(file, index)
    open.push(file)
    for (const next of graph.get(file) ?? []) {
      const seen = order.get(next)
      if (seen === undefined) low = Math.min(low, visit(next))
      else if (open.includes(next)) low = Math.min(low, seen)
    }
    if (low === index) {
      const circle = open.splice(open.indexOf(file))
      if (circle.length > 1) circles.push(circle.sort())
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return circles
}

function breach(file: string, line: number, what: string): void {
  breaches.push(`${file}:${line}: ${what}`)
}

if (breaches.length > 0) {
  console.error(breaches.join('\n'))
  console.error(`lint: ${breaches.length} breach${breaches.length === 1 ? '' : 'es'} of the plan of the house`)
  process.exit(1)
}
console.log('lint: the plan of the house holds')
