/**
 * What a process holds, from its RSS while the soak's load goes on. V8 lets garbage of the old generation stand until it is as much as what
 * lives, and takes it away once in some minutes: 4 MiB up and down in a process of 70, more than the growth that is looked for. So each process
 * collects at the begin of two spans, and the two are compared: the same load, the same point of that curve.
 */

/** Seconds since the load began; `to` is not part of it. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Plan {
  /** Memory held when all is warm. */
  readonly first: Span
  /** Turns of main threads: a collection that the soak asks for is not one of theirs. */
  readonly turns: Span
  /** Memory held at the end. */
  readonly last: Span
}

/** Compilers and caches fill; growth is what comes after. */
const WARM_PART = 0.25
const SPAN_PART = 0.1
const MAX_SPAN_SECONDS = 60
/** Three samples in each span at least. */
export const LEAST_SECONDS = 60

export interface Sample {
  readonly seconds: number
  readonly rss: number
}

/** `seconds`: of the whole run. */
export function planOf(seconds: number): Plan {
  const span = Math.min(MAX_SPAN_SECONDS, seconds * SPAN_PART)
  const from = seconds * WARM_PART
  return { first: { from, to: from + span }, turns: { from: from + span, to: seconds - span }, last: { from: seconds - span, to: Number.POSITIVE_INFINITY } }
}

export function isIn({ from, to }: Span, seconds: number): boolean {
  return seconds >= from && seconds < to
}

/** Medians of both spans and their growth as a part; `most`: the largest sample since the first of them. Units as given. NaN: a span without samples. */
export function growthOf(samples: readonly Sample[], { first, last }: Plan): { readonly first: number; readonly last: number; readonly most: number; readonly growth: number } {
  const [before, after] = [medianIn(samples, first), medianIn(samples, last)]
  const most = samples.reduce((largest, { seconds, rss }) => (seconds >= first.from ? Math.max(largest, rss) : largest), 0)
  return { first: before, last: after, most, growth: (after - before) / before }
}

function medianIn(samples: readonly Sample[], span: Span): number {
  const rss = samples.filter(({ seconds }) => isIn(span, seconds)).map((sample) => sample.rss)
  return rss.toSorted((one, other) => one - other)[Math.floor(rss.length / 2)] ?? Number.NaN
}
