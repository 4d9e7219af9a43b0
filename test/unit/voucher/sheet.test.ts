import { createHash } from 'node:crypto'
import fc from 'fast-check'
import encodeQR from 'qr'
import { describe, expect, it } from 'vitest'
import { SHEET_CONTENT_SECURITY_POLICY, voucherCsv, voucherSheetParts } from '../../../src/hotspot/voucher/index.ts'
import { voucherSheet } from '../../../src/hotspot/voucher/sheet.ts'
import type { SheetVoucher, VoucherCsvRow } from '../../../src/hotspot/voucher/index.ts'
import { qrOutline } from '../../../src/hotspot/voucher/qr-outline.ts'

/** Fills the path as SVG's evenodd rule says: a module is dark if an odd number of edges lie above it. */
function fill(path: string, modules: number): boolean[][] {
  const crossings = Array.from({ length: modules + 1 }, () => new Array<number>(modules).fill(0))
  let x = 0
  let y = 0
  for (const [, command = '', numbers = ''] of path.matchAll(/([Mhvz])([-\d ]*)/g)) {
    if (command === 'M') [x = 0, y = 0] = numbers.split(' ').map(Number)
    else if (command === 'v') y += Number(numbers)
    else if (command === 'h') {
      const end = x + Number(numbers)
      for (let column = Math.min(x, end); column < Math.max(x, end); column++) {
        const row = crossings[y]
        if (row) row[column] = (row[column] ?? 0) + 1
      }
      x = end
    }
  }
  const inside = new Array<number>(modules).fill(0)
  return crossings.slice(0, modules).map((row) => row.map((edges, column) => ((inside[column] = (inside[column] ?? 0) + edges) & 1) === 1))
}

describe('QR outline', () => {
  it('fills exactly the modules of the code', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ/:.'), minLength: 1, maxLength: 220 }), (text) => {
        const { modules, path } = qrOutline(text)
        const grid = encodeQR(text, 'raw', { ecc: 'medium', border: 1 })
        expect(modules).toBe(grid.length - 2)
        expect(fill(path, modules)).toEqual(grid.slice(1, -1).map((row) => row.slice(1, -1)))
      }),
      { numRuns: 40 },
    )
  })
})

const VOUCHER: SheetVoucher = { id: '1.0.7', code: 'ABCDE-FGHJK', qrUrl: 'HTTP://WIFI.LAN/V/0123456789ABCDEF', label: '30 minutes', validUntilText: '2027-03-23' }
const SHEET = { venue: 'Café', portalHost: 'wifi.lan', vouchers: [VOUCHER], printedText: '2026-11-21' }

describe('sheet', () => {
  it('says what a guest needs', () => {
    const html = voucherSheet({ ...SHEET, vouchers: [{ ...VOUCHER, note: '2 devices' }] })
    for (const text of ['Café', '30 minutes', '2 devices', 'Use by', '2027-03-23', 'ABCDE-FGHJK', 'Open any page, type this code', '1.0.7', 'wifi.lan', '2026-11-21', '1 / 1'])
      expect(html).toContain(`>${text}<`)
  })

  it('says nothing of a last day if there is none', () => {
    expect(voucherSheet({ ...SHEET, vouchers: [{ ...VOUCHER, validUntilText: null }] })).not.toContain('Use by')
  })

  it('speaks the language it is given', () => {
    const texts = { language: 'ar', direction: 'rtl', howTo: 'افتح أي صفحة', validUntil: 'صالح حتى', print: 'طباعة' } as const
    const html = voucherSheet({ ...SHEET, texts })
    expect(html).toContain('<html lang="ar" dir="rtl">')
    for (const text of ['>افتح أي صفحة<', '>صالح حتى<', '>طباعة<']) expect(html).toContain(text)
    expect(html).not.toContain('Open any page')
  })

  it('asks for nothing from outside and runs nothing but its own button', () => {
    const html = voucherSheet(SHEET)
    expect(html).not.toMatch(/(src|href)=|@import|url\(/)
    const script = /<script>(.*?)<\/script>/.exec(html)?.[1] ?? ''
    expect(SHEET_CONTENT_SECURITY_POLICY).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`)
    expect(html).toContain(`content="${SHEET_CONTENT_SECURITY_POLICY}"`)
  })

  it('escapes everything it is given', () => {
    const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>&amp;`
    const texts = { language: evil, direction: 'ltr', howTo: evil, validUntil: evil, print: evil } as const
    const voucher = { id: evil, code: evil, qrUrl: 'HTTP://X', label: evil, validUntilText: evil, note: evil }
    const html = voucherSheet({ venue: evil, portalHost: evil, vouchers: [voucher], printedText: evil, texts })
    expect(html.match(/<script>/g)).toHaveLength(1)
    expect(html).not.toContain('<img')
    expect(html).toContain('&#38;amp;')
  })

  it('comes in parts of at most one voucher', () => {
    const sheet = { ...SHEET, vouchers: new Array<SheetVoucher>(70).fill(VOUCHER) }
    const parts = [...voucherSheetParts(sheet)]
    expect(parts.join('')).toBe(voucherSheet(sheet))
    const counts = parts.map((part) => part.split('<article').length - 1)
    expect(Math.max(...counts)).toBe(1)
    expect(counts.filter((count) => count === 1)).toHaveLength(70)
  })

  it('refuses no vouchers and more than 10,000', () => {
    expect(() => voucherSheet({ ...SHEET, vouchers: [] })).toThrow(expect.objectContaining({ kind: 'input', field: 'vouchers' }))
    expect(() => voucherSheet({ ...SHEET, vouchers: new Array<SheetVoucher>(10_001).fill(VOUCHER) })).toThrow(expect.objectContaining({ kind: 'input' }))
  })
})

const ROW: VoucherCsvRow = {
  slot: 1, box: 0, serial: 7, code: 'ABCDE-FGHJK', qrUrl: 'HTTP://WIFI.LAN/V/0', batch: 'b1', label: '30 minutes', seconds: 1800,
  bytes: null, tokensText: null, devices: 2, priceText: '2.5', tokenSymbol: 'MBX', validUntilText: null, state: 'unused',
}

/** Reads RFC 4180 strictly. */
function readCsv(text: string): string[][] {
  const lines: string[][] = [[]]
  let rest = text
  while (rest !== '') {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest)
    if (match === null) throw new Error(`not CSV: ${rest.slice(0, 40)}`)
    lines.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    if (match[3] === '\r\n') lines.push([])
    rest = rest.slice(match[0].length)
  }
  lines.pop()
  return lines
}

describe('CSV', () => {
  it('has a header line and one line a voucher', () => {
    expect(voucherCsv([ROW])).toBe(
      'code,label,price,token,seconds,bytes,worth,devices,valid_until,state,batch,slot,box,serial,url\r\n' +
        'ABCDE-FGHJK,30 minutes,2.5,MBX,1800,,,2,,unused,b1,1,0,7,HTTP://WIFI.LAN/V/0\r\n',
    )
  })

  it('gives back any label, and none of them is a formula', () => {
    const label = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'=+-@",;\r\n\t \u0000ab＝') }))
    fc.assert(
      fc.property(label, (written) => {
        const cell = readCsv(voucherCsv([{ ...ROW, label: written }]))[1]?.[1] ?? ''
        expect([written, `'${written}`]).toContain(cell)
        expect(cell).not.toMatch(/^[\s\u0000]*[=+\-@＝＋－＠]/)
      }),
    )
  })

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\r=1', '＝1', '\u0000=1'])('defuses %j', (label) => {
    expect(readCsv(voucherCsv([{ ...ROW, label }]))[1]?.[1]).toBe(`'${label}`)
  })
})
