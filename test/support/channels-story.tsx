/** The channels page by itself, with the sample that the address names: what the browser test opens. */
import { render } from 'preact'
import { ChannelsPage } from '../../src/web/owner/views/channels.tsx'
import type { ChannelsSample } from './channel-pages.ts'

const [name = 'busy', theme = 'light'] = location.hash.slice(1).split('/')
document.documentElement.dataset['theme'] = theme
/** Put there by the test's server: samples are made by the box's code, which a browser does not run. */
const sample = (globalThis as unknown as { readonly PAGES: Readonly<Record<string, ChannelsSample>> }).PAGES[name]
const root = document.getElementById('app')
const calledBack = (id: string): void => void (document.title = `called back ${id}`)
if (sample && root) render(<main class="main"><ChannelsPage {...sample} onMoreChannels={null} onMore={sample.payments.length > 5 ? () => undefined : null} onCallBack={calledBack} /></main>, root)
