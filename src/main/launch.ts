/**
 * What Node runs first: looks at its version, switches the compile cache on, then loads the program beside it. The bundle
 * compiles this file for Node 12, so that an old Node reads it and can say what is wrong.
 *
 * The compile cache (NODE_COMPILE_CACHE names its folder; without it there is none) holds compiled code: whoever may write
 * there decides what runs, so it must be a folder 0700 of the user that the service runs as. Node writes it when the process ends; a
 * router ends by losing its power, so it is written a while after the start too.
 */
import * as nodeModule from 'node:module'
import { nodeProblem } from './node-version.ts'

declare const __MESHBOX_PROGRAM__: string
declare const __MESHBOX_ENTRY__: string

/** What a start and the first requests compile is compiled by then. */
const FLUSH_AFTER_MS = 60_000

const problem = nodeProblem(__MESHBOX_PROGRAM__, process.versions)
if (problem !== null) {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 1
} else {
  const folder = process.env['NODE_COMPILE_CACHE']
  if (folder !== undefined && folder !== '') {
    nodeModule.enableCompileCache(folder)
    setTimeout(() => nodeModule.flushCompileCache(), FLUSH_AFTER_MS).unref()
  }
  require(__MESHBOX_ENTRY__)
}
