/** Tries edits on a thread of its own, which can be ended where they would never end. */
import { parentPort } from 'node:worker_threads'
import { type Edits, tryEdits } from './edits.ts'

parentPort?.on('message', (edits: Edits) => parentPort?.postMessage(tryEdits(edits)))
