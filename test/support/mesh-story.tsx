/** The mesh page by itself, with the sample that the address names: what the browser test opens. */
import { render } from 'preact'
import { MeshPage } from '../../src/web/owner/views/mesh.tsx'
import type { MeshSample } from './mesh-pages.ts'

const [name = 'busy', theme = 'light'] = location.hash.slice(1).split('/')
document.documentElement.dataset['theme'] = theme
/** Put there by the test's server: samples are made by the box's code, which a browser does not run. */
const sample = (globalThis as unknown as { readonly PAGES: Readonly<Record<string, MeshSample>> }).PAGES[name]
const root = document.getElementById('app')
if (sample && root) render(<main class="main"><MeshPage {...sample} onTakeBack={(number) => void (document.title = `taken back ${number}`)} /></main>, root)
