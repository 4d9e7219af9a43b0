/** Ethernet frames as a forger would send them, with right checksums, so that only the guard can stop them. */

export const BROADCAST = 'ff:ff:ff:ff:ff:ff'

export const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex')
export const ip4Bytes = (ip4: string): Buffer => Buffer.from(ip4.split('.').map(Number))

/** Full or `::`-shortened text without an IPv4 tail. */
export function ip6Bytes(ip6: string): Buffer {
  const [head = '', tail] = ip6.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const left = groups(head)
  const right = groups(tail ?? '')
  const all = tail === undefined ? left : [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

export function frame(destination: string, source: string, etherType: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(14)
  macBytes(destination).copy(head, 0)
  macBytes(source).copy(head, 6)
  head.writeUInt16BE(etherType, 12)
  return Buffer.concat([head, payload, Buffer.alloc(Math.max(0, 46 - payload.length))])
}

export interface ArpFields {
  readonly operation: 'request' | 'reply'
  readonly senderMac: string
  readonly senderIp: string
  readonly targetMac: string
  readonly targetIp: string
}

export function arp(destination: string, source: string, fields: ArpFields): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, fields.operation === 'request' ? 1 : 2])
  const body = [macBytes(fields.senderMac), ip4Bytes(fields.senderIp), macBytes(fields.targetMac), ip4Bytes(fields.targetIp)]
  return frame(destination, source, 0x0806, Buffer.concat([head, ...body]))
}

export function udp4(macs: { to: string; from: string }, ips: { to: string; from: string }, ports: { to: number; from: number }, text: string): Buffer {
  const body = Buffer.from(text)
  const segment = Buffer.alloc(8 + body.length)
  segment.writeUInt16BE(ports.from, 0)
  segment.writeUInt16BE(ports.to, 2)
  segment.writeUInt16BE(segment.length, 4) // checksum 0: none, as IPv4 allows
  body.copy(segment, 8)
  const head = Buffer.alloc(20)
  head[0] = 0x45
  head.writeUInt16BE(20 + segment.length, 2)
  head[8] = 64
  head[9] = 17
  ip4Bytes(ips.from).copy(head, 12)
  ip4Bytes(ips.to).copy(head, 16)
  head.writeUInt16BE(checksum(head), 10)
  return frame(macs.to, macs.from, 0x0800, Buffer.concat([head, segment]))
}

export function udp6(macs: { to: string; from: string }, ips: { to: string; from: string }, ports: { to: number; from: number }, text: string): Buffer {
  const body = Buffer.from(text)
  const segment = Buffer.alloc(8 + body.length)
  segment.writeUInt16BE(ports.from, 0)
  segment.writeUInt16BE(ports.to, 2)
  segment.writeUInt16BE(segment.length, 4)
  body.copy(segment, 8)
  return ip6Packet(macs, ips, 17, segment, 6)
}

export function icmp6(macs: { to: string; from: string }, ips: { to: string; from: string }, type: number, body: Buffer): Buffer {
  return ip6Packet(macs, ips, 58, Buffer.concat([Buffer.from([type, 0, 0, 0]), body]), 2)
}

/** Neighbour advertisement (RFC 4861 section 4.4): override and solicited, with the target's link-layer address. */
export function neighbourAdvert(macs: { to: string; from: string }, ips: { to: string; from: string }, target: string, targetMac: string): Buffer {
  const body = Buffer.concat([Buffer.from([0x60, 0, 0, 0]), ip6Bytes(target), Buffer.from([2, 1]), macBytes(targetMac)])
  return icmp6(macs, ips, 136, body)
}

/** Router advertisement (RFC 4861 section 4.2) that would make the forger everybody's router. */
export function routerAdvert(macs: { to: string; from: string }, ips: { to: string; from: string }): Buffer {
  const body = Buffer.concat([Buffer.from([64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([1, 1]), macBytes(macs.from)])
  return icmp6(macs, ips, 134, body)
}

function ip6Packet(macs: { to: string; from: string }, ips: { to: string; from: string }, next: number, segment: Buffer, checksumAt: number): Buffer {
  const head = Buffer.alloc(40)
  head[0] = 0x60
  head.writeUInt16BE(segment.length, 4)
  head[6] = next
  head[7] = 255
  ip6Bytes(ips.from).copy(head, 8)
  ip6Bytes(ips.to).copy(head, 24)
  const pseudo = Buffer.alloc(8)
  pseudo.writeUInt32BE(segment.length, 0)
  pseudo[7] = next
  segment.writeUInt16BE(checksum(Buffer.concat([head.subarray(8), pseudo, segment])), checksumAt)
  return frame(macs.to, macs.from, 0x86dd, Buffer.concat([head, segment]))
}

function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
