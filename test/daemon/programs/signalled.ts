/** Prints what signals make it do, until a second request to stop, or `off` on standard input. */
import { onSignals, signalNumber } from '../../../lib/daemon/signals.ts'

const off = onSignals({
  stop: (signal) => console.log(`stop ${signalNumber(signal)}`),
  end: (signal) => {
    console.log(`end ${signal}`)
    process.exit(4)
  },
  reload: () => console.log('reload'),
})
process.stdin.on('data', () => {
  off()
  console.log('off')
})
console.log('ready')
