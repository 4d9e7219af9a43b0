/** The sensors page by itself, or one sensor closely, with the sample that the address names: what the browser test opens. */
import { render } from 'preact'
import { IotOff, IotPage } from '../../src/web/owner/views/iot.tsx'
import { DeviceLook } from '../../src/web/owner/views/iot-device-look.tsx'
import { Dialog } from '../../src/web/owner/ui/dialog.tsx'
import type { IotPageProps } from '../../src/web/owner/views/iot.tsx'
import { TenantDialog } from '../../src/web/owner/views/iot-tenants.tsx'
import type { IotTenantJson } from '../../src/owner/api.ts'
import type { LookSample } from './iot-pages.ts'

const [kind = 'page', name = 'working', theme = 'light'] = location.hash.slice(1).split('/')
document.documentElement.dataset['theme'] = theme
/** Put there by the test's server: samples are made by the box's code, which a browser does not run. */
const given = globalThis as unknown as { readonly PAGES: Readonly<Record<string, IotPageProps>>; readonly LOOKS: Readonly<Record<string, LookSample>>; readonly TENANTS: Readonly<Record<string, IotTenantJson>> }
const root = document.getElementById('app')
const heard = (what: string) => (value: string | number) => void (document.title = `${what} ${value}`)
const page = given.PAGES[name]
const look = given.LOOKS[name]
const tenant = given.TENANTS[name]
if (root && kind === 'off') render(<main class="main"><IotOff /></main>, root)
if (root && kind === 'page' && page) render(<main class="main"><IotPage {...page} /></main>, root)
if (root && kind === 'tenant' && tenant)
  render(
    <main class="main">
      <h1>Sensors</h1>
      <TenantDialog tenant={tenant} onClose={() => undefined} onChanged={() => undefined} />
    </main>,
    root,
  )
if (root && kind === 'look' && look)
  render(
    <main class="main">
      <h1>Sensors</h1>
      <Dialog title={look.device.name} wide toRead onClose={() => undefined}>
        <DeviceLook {...look} onDraw={heard('drawn')} onSpan={heard('span')} onTakeBack={heard('taken back')} />
      </Dialog>
    </main>,
    root,
  )
