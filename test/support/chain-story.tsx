/** The chain page by itself, with the sample that the address names: what the browser test opens. */
import { render } from 'preact'
import { ChainPage } from '../../src/web/owner/views/chain.tsx'
import { CHAIN_BRANCHES, CHAIN_POC, CHAIN_VIEWS, CHAIN_WALLET } from './chain-views.ts'

const [name = 'live', theme = 'light'] = location.hash.slice(1).split('/')
document.documentElement.dataset['theme'] = theme
const view = CHAIN_VIEWS[name]
const root = document.getElementById('app')
const looked = (): void => void (document.title = 'looked')
if (view && root) render(<main class="main"><ChainPage view={view} looking={false} refused={null} onLooked={looked} money={{ wallet: name === 'offline' ? null : CHAIN_WALLET, poc: view.sealer === null ? null : CHAIN_POC, problem: null }} branches={view.alarm === null ? null : CHAIN_BRANCHES} /></main>, root)
