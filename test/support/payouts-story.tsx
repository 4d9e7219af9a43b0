/** The payouts page by itself, with the sample that the address names: what the browser test opens. */
import { render } from 'preact'
import { PayoutsPage } from '../../src/web/owner/views/payouts.tsx'
import type { PayoutsJson } from '../../src/owner/api.ts'

const [name = 'busy', theme = 'light'] = location.hash.slice(1).split('/')
document.documentElement.dataset['theme'] = theme
/** Put there by the test's server: samples are made by the box's code, which a browser does not run. */
const sample = (globalThis as unknown as { readonly PAGES: Readonly<Record<string, PayoutsJson>> }).PAGES[name]
const root = document.getElementById('app')
const tried = (payout: number): void => void (document.title = `tried ${payout}`)
if (sample && root) render(<main class="main"><PayoutsPage {...sample} onMore={sample.payouts.length > 5 ? () => undefined : null} isBusy={false} onTry={tried} problem={null} /></main>, root)
