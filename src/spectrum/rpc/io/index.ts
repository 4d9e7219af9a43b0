/** The HTTP door of the JSON-RPC; apart from ../index.ts so that who only wants the protocol loads no HTTP server. */
export { RpcServer } from './rpc-server.ts'
export type { RpcServerOptions } from './rpc-server.ts'
