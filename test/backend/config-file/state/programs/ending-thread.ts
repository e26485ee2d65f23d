/** A thread that ends before it has done anything for a ConfigLoader: with a fault, or just so. */
import { workerData } from 'node:worker_threads'

if (workerData.path === 'fault') throw new TypeError('a fault of ours')
process.exit()
