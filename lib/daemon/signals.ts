/** The daemon's signal handling, in one switch. */
import type { EventEmitter } from 'node:events'
import { constants } from 'node:os'

export interface SignalActions {
  /** First request to stop: finish requests in progress, then exit. Called once. */
  stop(signal: NodeJS.Signals): void
  /** Second request to stop: exit at once. */
  end(signal: NodeJS.Signals): void
  /** Reload everything, reopen the log. */
  reload(): void
}

const HANDLED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const

/**
 * Starts to handle signals; gives a function that restores their defaults.
 *
 * @param source what emits them by name: this process, or a starter that forwards signals
 */
export function onSignals(actions: SignalActions, source: EventEmitter = process): () => void {
  let stopping = false
  const act = (signal: NodeJS.Signals) => {
    switch (signal) {
      case 'SIGTERM':
      case 'SIGINT':
        if (stopping) actions.end(signal)
        else actions.stop(signal)
        stopping = true
        break
      case 'SIGHUP':
        actions.reload()
        break
      case 'SIGPIPE':
        // Ignored: writing to a closed connection is an error of that write alone (EPIPE).
        break
    }
  }
  for (const signal of HANDLED) source.on(signal, act)
  return () => {
    for (const signal of HANDLED) source.off(signal, act)
  }
}

/** The number of a signal, as the original's log has it: `Received signal 15 asking for shutdown`. */
export function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal]
}
