/**
 * Writes a tar archive in memory: POSIX ustar (IEEE 1003.1, pax, section "ustar Interchange Format"),
 * regular files only.
 *
 *   offset 0 name 100 · 100 mode 8 · 108 uid 8 · 116 gid 8 · 124 size 12 · 136 mtime 12 · 148 checksum 8
 *   156 type '0' · 257 magic "ustar\0" 6 · 263 version "00" 2; numbers in octal; blocks of 512 bytes
 */
import { concatBytes, inputError, utf8 } from '../base/index.ts'

export interface TarFile {
  /** Relative, ASCII, at most 100 characters. */
  readonly name: string
  readonly body: Uint8Array
}

const BLOCK = 512

export function writeTar(files: readonly TarFile[], unixSeconds: number): Uint8Array {
  const parts: Uint8Array[] = []
  for (const file of files) {
    parts.push(header(file, unixSeconds), file.body, new Uint8Array((BLOCK - (file.body.length % BLOCK)) % BLOCK))
  }
  parts.push(new Uint8Array(2 * BLOCK))
  return concatBytes(...parts)
}

function header(file: TarFile, unixSeconds: number): Uint8Array {
  if (!/^[\x21-\x7e]{1,100}$/.test(file.name)) throw inputError('name', file.name, '1-100 printable ASCII characters')
  const block = new Uint8Array(BLOCK)
  const put = (offset: number, text: string): void => block.set(utf8(text), offset)
  const octal = (offset: number, length: number, value: number): void =>
    put(offset, Math.max(0, Math.floor(value)).toString(8).padStart(length - 1, '0').slice(-(length - 1)))
  put(0, file.name)
  octal(100, 8, 0o600)
  octal(108, 8, 0)
  octal(116, 8, 0)
  octal(124, 12, file.body.length)
  octal(136, 12, unixSeconds)
  put(156, '0')
  put(257, 'ustar')
  put(263, '00')
  put(148, '        ') // the checksum counts its own field as spaces
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}
