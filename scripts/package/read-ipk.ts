/**
 * Takes an ipk apart and says what is wrong with it. Written from the format's description alone (docs/packages.md), it
 * shares no code with the packer: what both misunderstand the same way would otherwise pass.
 */
import { gunzipSync } from 'node:zlib'

/** One thing in a tar file, with everything the header said. */
export interface Member {
  readonly name: string
  readonly type: 'file' | 'dir' | 'link'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly owner: string
  readonly group: string
  readonly time: number
  readonly target: string
  readonly body: Buffer
}

export interface Ipk {
  readonly members: readonly Member[]
  readonly control: readonly Member[]
  readonly data: readonly Member[]
  readonly fields: ReadonlyMap<string, string>
  /** The text of `control` without its final newline. */
  readonly controlText: string
  /** Bytes of the data tar, unpacked. */
  readonly dataBytes: number
}

/** @throws Error that says what of the file is not as it must be to be read at all */
export function readIpk(bytes: Buffer): Ipk {
  const members = readTar(unzip(bytes, 'the package'))
  const part = (name: string): Buffer => {
    const found = members.find((member) => member.name === name)
    if (found === undefined) throw new Error(`it has no ${name}`)
    return found.body
  }
  const data = unzip(part('./data.tar.gz'), 'data.tar.gz')
  const control = readTar(unzip(part('./control.tar.gz'), 'control.tar.gz'))
  const controlText = control.find((member) => member.name === './control')?.body.toString('utf8').replace(/\n$/, '')
  if (controlText === undefined) throw new Error('it has no ./control')
  return { members, control, data: readTar(data), fields: readFields(controlText), controlText, dataBytes: data.length }
}

function unzip(bytes: Buffer, what: string): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new Error(`${what} is not gzip`)
  return gunzipSync(bytes)
}

/** `Name: value`; lines that begin with a blank go on. */
export function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  let last = ''
  for (const line of text.split('\n')) {
    if (line.startsWith(' ') && last !== '') fields.set(last, `${fields.get(last) ?? ''}\n${line.slice(1)}`)
    else {
      const at = line.indexOf(': ')
      if (at <= 0) throw new Error(`control: '${line}' is not a field`)
      last = line.slice(0, at)
      if (fields.has(last)) throw new Error(`control: ${last} is given twice`)
      fields.set(last, line.slice(at + 2))
    }
  }
  return fields
}

export function readTar(tar: Buffer): Member[] {
  if (tar.length % 512 !== 0) throw new Error('a tar does not end at a block')
  const found: Member[] = []
  let longName = ''
  let longTarget = ''
  for (let at = 0; at < tar.length; ) {
    const head = tar.subarray(at, at + 512)
    if (head.every((byte) => byte === 0)) {
      if (!tar.subarray(at).every((byte) => byte === 0)) throw new Error('a tar goes on after its end')
      if (tar.length - at < 1024) throw new Error('a tar has no end')
      return found
    }
    checkHeader(head)
    const size = number(head, 124, 12)
    const body = tar.subarray(at + 512, at + 512 + size)
    if (body.length !== size) throw new Error('a tar is cut short')
    at += 512 + Math.ceil(size / 512) * 512
    const type = String.fromCharCode(head[156] ?? 0)
    if (type === 'L' || type === 'K') {
      const text = body.toString('utf8').replace(/\0$/, '')
      if (type === 'L') longName = text
      else longTarget = text
      continue
    }
    const kind = type === '0' ? 'file' : type === '5' ? 'dir' : type === '2' ? 'link' : null
    if (kind === null) throw new Error(`a tar has an entry of type '${type}'`)
    found.push({
      name: longName || string(head, 0, 100),
      type: kind,
      mode: number(head, 100, 8),
      uid: number(head, 108, 8),
      gid: number(head, 116, 8),
      owner: string(head, 265, 32),
      group: string(head, 297, 32),
      time: number(head, 136, 12),
      target: longTarget || string(head, 157, 100),
      body,
    })
    longName = longTarget = ''
  }
  throw new Error('a tar has no end')
}

function checkHeader(head: Buffer): void {
  if (head.toString('latin1', 257, 265) !== 'ustar  \0') throw new Error('a tar is not in GNU format')
  let sum = 0
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : (head[i] ?? 0)
  if (sum !== number(head, 148, 8)) throw new Error('the checksum of a tar header is wrong')
}

function string(head: Buffer, at: number, room: number): string {
  const field = head.subarray(at, at + room)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? room : end)
}

function number(head: Buffer, at: number, room: number): number {
  const text = string(head, at, room).trim()
  if (!/^[0-7]+$/.test(text)) throw new Error(`a tar header has the number '${text}'`)
  return Number.parseInt(text, 8)
}
