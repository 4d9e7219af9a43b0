/** The chain page by itself, with the sample that the address names: what the browser test opens. */
import { render } from 'preact'
import { ChainPage } from '../../src/web/owner/views/chain.tsx'
import { CHAIN_VIEWS } from './chain-views.ts'

const [name = 'live', theme = 'light'] = location.hash.slice(1).split('/')
document.documentElement.dataset['theme'] = theme
const view = CHAIN_VIEWS[name]
const root = document.getElementById('app')
const looked = (): void => void (document.title = 'looked')
if (view && root) render(<main class="main"><ChainPage view={view} looking={false} refused={null} onLooked={looked} /></main>, root)
