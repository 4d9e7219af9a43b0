/** The owner's dashboard: a page in the owner's browser, served by the box itself and talking only to it. */
import { render } from 'preact'
import { App } from './app.tsx'
import { followLook } from './theme.ts'

followLook()
const place = document.getElementById('app')
if (place) render(<App />, place)
