/** README.md and docs/ as a reader finds them: their words in code, their blocks, and the files they speak of. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../../..')

export interface Block {
  /** `docs/cli.md:12`, the first line in it. */
  readonly at: string
  /** Behind the opening fence; '' if nothing is. */
  readonly language: string
  readonly text: string
}

export interface Page {
  readonly name: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** What stands between single backticks, outside of blocks. */
  readonly spans: readonly { readonly at: string; readonly text: string }[]
}

export const PAGES: readonly Page[] = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT }).sort()].map(read)

/** OpenWrt's own, that pages speak of. */
const OPENWRTS = new Set(['jshn.sh', 'src/gz'])

/** Everything that is in the tree and not made by it; folders without a slash at their end. */
export const TREE: ReadonlySet<string> = new Set([
  ...globSync('*', { cwd: ROOT }),
  ...globSync('{.ci,configs,docs,firmware,native,openwrt-feed,qemu,scripts,src,test}/**/*', { cwd: ROOT }),
])

/** Every end of every path of the tree that begins at a name: `mesh/peers/node.ts`, `peers/node.ts`, `node.ts`. */
const ENDS: ReadonlySet<string> = new Set([...TREE].flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(index).join('/'))))

/** Whether a file or folder is there under a name that may leave its first folders out, as pages do; `*` stands for anything but a slash. */
export function isInTree(path: string): boolean {
  const name = path.replace(/\/$/, '')
  if (!name.includes('*')) return ENDS.has(name) || OPENWRTS.has(name)
  const pattern = new RegExp(`^${name.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('[^/]*')}$`)
  return [...ENDS].some((end) => pattern.test(end))
}

export function isFolder(path: string): boolean {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.isDirectory() ?? true // a link into a router's own root leads nowhere here
}

function read(name: string): Page {
  const text = readFileSync(join(ROOT, name), 'utf8')
  const blocks: Block[] = []
  const prose: string[] = []
  let open: { at: string; language: string; lines: string[] } | null = null
  text.split('\n').forEach((line, index) => {
    const fence = /^\s*```(\S*)/.exec(line)
    if (fence === null) (open?.lines ?? prose).push(line)
    else if (open === null) open = { at: `${name}:${index + 2}`, language: fence[1] ?? '', lines: [] }
    else {
      blocks.push({ at: open.at, language: open.language, text: open.lines.join('\n') })
      prose.push(...open.lines.map(() => ''), '', '') // so that what follows keeps its line
      open = null
    }
  })
  const spans = [...prose.join('\n').matchAll(/`([^`]+)`/g)].map((found) => ({
    at: `${name}:${prose.join('\n').slice(0, found.index).split('\n').length}`,
    text: (found[1] ?? '').replace(/\s+/g, ' '),
  }))
  return { name, text, blocks, spans }
}

/** Words of a shell's line up to what ends a command or begins a comment; quotes are taken off. */
export function shellWords(line: string): string[] {
  const words: string[] = []
  for (const found of line.matchAll(/\s*(?:([;|&<>)]|#.*|$)|((?:'[^']*'|"[^"]*"|\\.|[^\s;|&<>)'"\\])+))/gy)) {
    if (found[2] === undefined) break
    words.push(found[2].replace(/'([^']*)'|"([^"]*)"|\\(.)/g, (_, single: string | undefined, double: string | undefined, one: string | undefined) => single ?? double ?? one ?? ''))
  }
  return words
}
