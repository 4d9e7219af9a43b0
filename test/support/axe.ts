/** axe-core in a page: the rules of WCAG 2.2 AA. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/**
 * What does not hold, one line for each rule: empty for a page that everybody can use.
 *
 * @param least rules that have to hold at least: an empty page breaks none.
 * @throws Error where fewer do
 */
export async function axeFindings(page: Page, least: number): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE)
  const results = await page.evaluate((values): Promise<AxeResults> => (window as unknown as { axe: typeof import('axe-core') }).axe.run(document, { runOnly: { type: 'tag', values } }), TAGS)
  if (results.passes.length < least) throw new Error(`only ${results.passes.length} rules could be tried on ${page.url()}, at least ${least} were expected: is anything drawn?`)
  return results.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join(' | ')}`)
}
