/**
 * The style sheet of the guest page, inline in each answer. Readable here, its white space taken out once
 * at start. Logical properties throughout, so that right-to-left languages need no rules of their own.
 * Colours: text at least 4.5:1, borders of fields and the dial at least 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
 */
const SOURCE = `
:root {
  color-scheme: light dark;
  --bg: #f2efe8; --card: #fff; --ink: #16211d; --soft: #55625c; --line: #e0dbd0; --edge: #7d776a;
  --brand: #0d5b4a; --on-brand: #fff; --press: #0a473a; --tint: #e6f1ed; --band: #0d5b4a; --band-2: #08362f;
  --warn: #fdf0cf; --on-warn: #5a4200; --bad: #fdeae7; --on-bad: #8f1f14; --dial: #0d7a62; --low: #b3541e;
  --shadow: 0 1px 2px #0000000d, 0 8px 28px #0e3a2e1a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0c1211; --card: #161e1c; --ink: #eaf2ee; --soft: #a5b5ae; --line: #2b3633; --edge: #74867f;
    --brand: #5fd3b2; --on-brand: #03231b; --press: #7fe0c5; --tint: #1c2d28; --band: #0c3b32; --band-2: #08211d;
    --warn: #3a2e0c; --on-warn: #f7dc96; --bad: #3d1713; --on-bad: #ffc4bb; --dial: #5fd3b2; --low: #f0a068;
    --shadow: 0 0 0 1px #ffffff0a, 0 8px 28px #0006;
  }
}
* { box-sizing: border-box; margin: 0; padding: 0; }
html { -webkit-text-size-adjust: 100%; }
body {
  min-height: 100vh; background: var(--bg); color: var(--ink); overflow-wrap: break-word;
  font: 400 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { font-size: 1.625rem; line-height: 1.2; font-weight: 750; letter-spacing: -.01em; }
h2 { font-size: 1.125rem; line-height: 1.3; font-weight: 700; }
ul, ol { list-style: none; }
svg { display: block; flex: none; }
a { color: var(--brand); }
:focus-visible { outline: 3px solid var(--dial); outline-offset: 3px; border-radius: 8px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--soft); font-size: .9375rem; }
.wrap { width: 100%; max-width: 60rem; margin: 0 auto; padding-inline: 1rem; }

.band {
  position: relative; color: #fff; padding: 1rem 0 5.5rem;
  background: linear-gradient(160deg, var(--band), var(--band-2));
}
.arcs { position: absolute; inset: 0; overflow: hidden; }
.arcs svg { position: absolute; inset-block-end: -7rem; inset-inline-end: -5rem; opacity: .09; }
.band .wrap { position: relative; display: flex; align-items: flex-start; gap: .75rem; }
.brand { flex: 1; min-width: 0; }
.venue { font-size: 1.375rem; font-weight: 750; line-height: 1.2; letter-spacing: -.01em; }
.what { display: flex; align-items: center; gap: .375rem; font-size: .9375rem; margin-top: .25rem; color: #d6ebe4; }
.band :focus-visible { outline-color: #fff; }
.lang { position: static; }
.lang summary {
  display: flex; align-items: center; gap: .375rem; min-height: 2.75rem; padding: 0 .75rem; cursor: pointer;
  list-style: none; border: 1px solid #ffffff8c; border-radius: 999px; font-size: .9375rem; font-weight: 600;
}
.lang summary::-webkit-details-marker { display: none; }
.lang[open] summary { background: #ffffff26; }
.langs {
  position: absolute; inset-block-start: 3.25rem; inset-inline: 1rem; z-index: 3; padding: .5rem; border-radius: 16px;
  display: grid; grid-template-columns: repeat(auto-fill, minmax(7.75rem, 1fr)); gap: .125rem;
  background: var(--card); border: 1px solid var(--line); box-shadow: 0 12px 40px #0005; max-width: 36rem; margin-inline-start: auto;
}
.langs a {
  display: flex; align-items: center; min-height: 2.75rem; padding: 0 .75rem; border-radius: 10px;
  color: var(--ink); text-decoration: none;
}
.langs a:hover { background: var(--tint); }
.langs a[aria-current] { background: var(--tint); font-weight: 700; }
.langs :focus-visible { outline-color: var(--dial); }

main { position: relative; display: grid; gap: 1rem; margin-top: -4.25rem !important; padding-bottom: 2.5rem; max-width: 34rem !important; }
.card { background: var(--card); border-radius: 22px; padding: 1.375rem; box-shadow: var(--shadow); min-width: 0; }
.card > * + *, .stack > * + * { margin-top: 1rem; }
.card > h1 + p, .card > h2 + p { margin-top: .375rem; }

label { display: block; font-weight: 650; }
.code {
  display: block; width: 100%; min-height: 3.75rem; margin-top: .375rem; padding: 0 1rem; color: var(--ink);
  background: var(--bg); border: 2px solid var(--edge); border-radius: 14px; text-transform: uppercase;
  font: 650 1.5rem/1.2 ui-monospace, "SF Mono", "Roboto Mono", "DejaVu Sans Mono", monospace; letter-spacing: .06em;
}
.code::placeholder { color: var(--soft); opacity: 1; font-weight: 400; }
.code:focus { outline: 3px solid var(--dial); outline-offset: 2px; }
.code[aria-invalid] { border-color: var(--on-bad); }
.code + p { margin-top: .5rem; }
@media (max-width: 25rem) { .code { font-size: 1.25rem; padding: 0 .75rem; } }

.btn {
  display: flex; align-items: center; justify-content: center; gap: .5rem; width: 100%; min-height: 3.25rem;
  padding: .5rem 1rem; border: 2px solid var(--brand); border-radius: 14px; cursor: pointer; text-align: center;
  font: inherit; font-weight: 700; line-height: 1.25; text-decoration: none; color: var(--brand); background: transparent;
}
.btn:hover { background: var(--tint); }
.main { color: var(--on-brand); background: var(--brand); }
.main:hover { background: var(--press); border-color: var(--press); }
.danger { color: var(--on-bad); border-color: var(--on-bad); }
.danger:hover { background: var(--bad); }
[aria-busy] { opacity: .65; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem; }
.pair form { display: grid; }
.pair .btn { padding-inline: .5rem; }
.note { padding: .75rem 1rem; border-radius: 14px; background: var(--warn); color: var(--on-warn); font-weight: 600; }
.good { background: var(--tint); color: var(--ink); }
.error { padding: .875rem 1rem; border-radius: 14px; background: var(--bad); color: var(--on-bad); border-inline-start: 5px solid var(--on-bad); }
.error a { color: inherit; }
.error b { display: block; }
.trial { display: grid; gap: .75rem; padding-top: 1.125rem; border-top: 1px solid var(--line); }

.menu li { display: grid; grid-template-columns: 1fr auto; column-gap: 1rem; align-items: baseline; padding: .75rem 0; border-top: 1px dashed var(--line); }
.menu li:first-child { border-top: 0; padding-top: .25rem; }
.menu b { font-weight: 650; }
.menu .price { font-weight: 750; font-variant-numeric: tabular-nums; text-align: end; }
.menu .what-in { color: var(--soft); font-size: .9375rem; }
.menu .what-in:last-child { grid-column: 1 / -1; }
.menu .was { color: var(--soft); font-size: .875rem; text-align: end; }
.head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; }
.badge { display: inline-block; padding: .25rem .75rem; border-radius: 999px; background: var(--warn); color: var(--on-warn); font-weight: 700; font-size: .9375rem; }

.center { text-align: center; }
.ok { display: flex; align-items: center; justify-content: center; gap: .5rem; }
.ok svg { color: var(--dial); }
.dial { position: relative; width: min(17.5rem, 100%); margin-inline: auto; color: var(--dial); }
.dial svg { width: 100%; height: auto; }
.dial .track { stroke: var(--line); }
.dial.low { color: var(--low); }
.dial.still, .dial.still ~ .meter svg { color: var(--edge); }
.face { position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; justify-content: center; color: var(--ink); }
.clock {
  font: 750 3rem/1.1 ui-rounded, "SF Pro Rounded", system-ui, Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; letter-spacing: -.02em; white-space: nowrap;
}
.clock.wide { font-size: 2.625rem; }
.clock.words { font-size: 1.375rem; white-space: normal; max-width: 11rem; letter-spacing: 0; }
.cap { color: var(--soft); font-size: .9375rem; max-width: 10rem; line-height: 1.25; }
.days { font-weight: 700; font-size: 1.25rem; }
.meter .row { display: flex; justify-content: space-between; gap: 1rem; }
.meter svg { width: 100%; height: 10px; border-radius: 5px; margin-top: .375rem; color: var(--dial); background: var(--line); }
.pulse { animation: pulse 1.6s ease-in-out infinite; }
@keyframes pulse { 50% { opacity: .45; } }
@media (prefers-reduced-motion: reduce) { .pulse { animation: none; } }

.rows { padding-block: .375rem; }
.card.rows > * + * { margin-top: 0; border-top: 1px solid var(--line); }
.rows > a, .rows summary {
  display: flex; align-items: center; gap: .875rem; min-height: 3.5rem; padding-block: .5rem; font-weight: 600; color: var(--ink);
  text-decoration: none; cursor: pointer; list-style: none;
}
.rows summary::-webkit-details-marker { display: none; }
.rows svg { color: var(--brand); }
.rows .go { margin-inline-start: auto; color: var(--soft); }
[dir=rtl] .go, [dir=rtl] .turn, [dir=rtl] .meter svg { transform: scaleX(-1); }
.rows details[open] .go { transform: rotate(90deg); }
.rows .stack { padding-bottom: 1rem; }

.ticket { position: relative; border: 2px dashed var(--edge); border-radius: 18px; padding: 1.25rem; text-align: center; background: var(--tint); }
.ticket b { display: block; font-size: 1.375rem; line-height: 1.25; }
.qr { width: min(17rem, 100%); margin-inline: auto; padding: 1rem; background: #fff; border-radius: 18px; border: 1px solid var(--line); }
.qr svg { width: 100%; height: auto; }
.steps { counter-reset: step; display: grid; gap: .75rem; }
.steps li { counter-increment: step; display: grid; grid-template-columns: 2rem 1fr; gap: .75rem; }
.steps li::before {
  content: counter(step); width: 2rem; height: 2rem; border-radius: 50%; background: var(--tint); color: var(--brand);
  font-weight: 750; display: flex; align-items: center; justify-content: center;
}
.address { font: 600 .9375rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; text-align: center; }
pre { font: .8125rem/1.55 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--bg); border-radius: 14px; padding: 1rem; text-align: left; }
.foot { text-align: center; color: var(--soft); font-size: .875rem; }

@media (min-width: 56rem) {
  .band { padding-top: 1.75rem; padding-bottom: 7rem; }
  .venue { font-size: 1.75rem; }
  main { margin-top: -5.25rem !important; }
  main.two { max-width: 60rem !important; grid-template-columns: 1.15fr 1fr; align-items: start; gap: 1.5rem; }
  main.two > .foot { grid-column: 1 / -1; }
  .card { padding: 2rem; }
  .card.rows { padding-block: .75rem; }
  h1 { font-size: 1.875rem; }
  .clock { font-size: 3.375rem; }
  .clock.wide { font-size: 2.875rem; }
}
`

/** What only the wallet page needs: the others stay as small as they are. */
const WALLET_SOURCE = `
[hidden] { display: none !important; }
a.address { display: block; padding-block: .625rem; }
bdi.address { font-size: .8125rem; }
.typed { display: block; width: 100%; padding: .75rem 1rem; color: var(--ink); background: var(--bg); border: 2px solid var(--edge); border-radius: 14px; font: inherit; }
.typed[aria-invalid] { border-color: var(--on-bad); }
.words { counter-reset: word; display: grid; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: .375rem .75rem; font-weight: 650; }
.words li { counter-increment: word; }
.choice { border: 0; min-width: 0; display: grid; gap: .5rem; }
.choice legend { font-weight: 650; padding: 0; margin-bottom: .25rem; }
.pick { display: grid; grid-template-columns: 1.375rem 1fr; gap: .75rem; align-items: center; min-height: 2.75rem; font-weight: 400; line-height: 1.35; cursor: pointer; }
#pay .btn:disabled { opacity: .5; cursor: default; }
main:has(#pay[data-phase=paying]) #open-box { display: none; }
.pick input { width: 1.375rem; height: 1.375rem; margin: 0; accent-color: var(--brand); }
.choice[disabled] { opacity: .65; }
.big { min-height: 4.25rem; font-size: 1.25rem; border-radius: 18px; }
.facts { font-size: .75rem; }
.words li::before { content: counter(word) " "; color: var(--soft); font-weight: 400; }
`

export const STYLE = tight(SOURCE)
export const WALLET_STYLE = tight(WALLET_SOURCE)

function tight(source: string): string {
  return source
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':') // never the space before: `.band :focus` is another selector than `.band:focus`
    .replace(/;}/g, '}')
    .trim()
}
