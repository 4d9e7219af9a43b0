/** Pages that most visits do not open: a script of their own, loaded when one of them is. */
export { ChainView } from './chain-view.tsx'
export { ChannelsView } from './channels-view.tsx'
export { IotView } from './iot-view.tsx'
export { MeshView } from './mesh-view.tsx'
export { PayoutsView } from './payouts-view.tsx'
export { SetupPage } from './setup.tsx'
