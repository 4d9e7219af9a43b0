/**
 * Looks of the printed sheet. A4 is 210 × 297 mm (ISO 216); printers leave about 4.2 mm at the edges
 * blank, so nothing but cut marks lies outside of 5 mm. Cells are 48.5 × 35 mm: 4 × 8 a page. Black on
 * white only; the letters of the code are from a face whose zero is slashed or dotted, where there is one.
 */
export const SHEET_STYLE = `
@page { size: A4 portrait; margin: 0 }
* { box-sizing: border-box; margin: 0; padding: 0 }
html { -webkit-text-size-adjust: none; text-size-adjust: none }
body { background: #e7e9ec; color: #000; font: 400 2.5mm/1.25 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif }
.bar { position: sticky; top: 0; z-index: 1; display: flex; gap: 16px; align-items: center; justify-content: space-between;
  padding: 12px 20px; background: #fff; border-bottom: 1px solid #c9ced6; font-size: 16px }
.bar p { min-width: 0; display: flex; gap: 10px; align-items: baseline; white-space: nowrap }
.bar b { min-width: 0; overflow: hidden; text-overflow: ellipsis }
.bar small { font-size: 14px; color: #4a5361 }
.bar button { flex: none; min-height: 44px; padding: 0 24px; border: 0; border-radius: 8px; background: #0b5cad; color: #fff; font: inherit; font-weight: 600; cursor: pointer }
.bar button:hover { background: #084a8c }
.bar button:focus-visible { outline: 3px solid #f2a900; outline-offset: 2px }
.page { position: relative; width: 210mm; height: 297mm; margin: 8mm auto; padding: 6mm 8mm 11mm; overflow: hidden; background: #fff;
  box-shadow: 0 1mm 4mm rgba(0, 0, 0, .18); display: grid; grid-template: repeat(8, 35mm) / repeat(4, 48.5mm); align-content: start }
.cuts { position: absolute; left: 0; top: 0; width: 210mm; height: 297mm; pointer-events: none }
.page footer { position: absolute; left: 10mm; right: 10mm; bottom: 4.6mm; height: 2.9mm; display: flex; justify-content: space-between; gap: 4mm; font-size: 2.2mm; line-height: 2.9mm; color: #333 }
.page footer span { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.voucher { height: 35mm; width: 48.5mm; overflow: hidden; padding: .3mm 2.3mm 0; display: grid;
  grid-template: "qr text" 22.7mm "code code" 5.2mm "foot foot" 5.5mm / 19mm minmax(0, 1fr) }
.qr { grid-area: qr; width: 22.4mm; height: 22.4mm; margin-inline: -1.7mm }
.text { grid-area: text; min-width: 0; height: 20.2mm; margin-top: 1.3mm; margin-inline-start: 2mm; overflow: hidden; display: flex; flex-direction: column; gap: .4mm }
.text p { overflow: hidden; overflow-wrap: anywhere; text-align: left; flex: none }
[dir=rtl] .text p { text-align: right }
.venue { font-weight: 600; font-size: 2.5mm; line-height: 3.1mm; max-height: 6.2mm; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2 }
.label { font-weight: 700; font-size: 4.2mm; line-height: 4.9mm; max-height: 9.8mm; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2 }
.label.long { font-size: 2.8mm; line-height: 3.1mm; max-height: 9.3mm; -webkit-line-clamp: 3 }
.note { font-size: 2.3mm; line-height: 2.9mm; max-height: 2.9mm; white-space: nowrap; text-overflow: ellipsis }
.code { grid-area: code; text-align: center; white-space: nowrap; direction: ltr;
  font: 700 6.1mm/5.2mm "DejaVu Sans Mono", Menlo, Consolas, "Cascadia Mono", "Liberation Mono", "Roboto Mono", monospace;
  font-feature-settings: "zero" 1; font-variant-numeric: slashed-zero }
.foot { grid-area: foot; min-width: 0; margin-top: .6mm; display: grid; grid-template: "how how" 2.5mm "until id" 2.5mm / minmax(0, 1fr) auto; column-gap: 1.5mm; font-size: 2.2mm; line-height: 2.5mm }
.how, .until span { min-width: 0; overflow: hidden; overflow: clip visible; text-overflow: ellipsis; white-space: nowrap }
.how { grid-area: how; text-align: left }
[dir=rtl] .how { text-align: right }
.until { grid-area: until; min-width: 0; display: flex; gap: .6mm; white-space: nowrap }
.until b { flex: none; direction: ltr }
.id { grid-area: id; direction: ltr; color: #333 }
@media print {
  body { background: #fff; print-color-adjust: exact; -webkit-print-color-adjust: exact }
  .bar { display: none }
  .page { margin: 0; box-shadow: none; break-after: page; break-inside: avoid }
  .page:last-child { break-after: auto }
}
`
