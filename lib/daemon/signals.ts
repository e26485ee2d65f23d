/** What the daemon does on signals: all of it, in one switch. */
import type { EventEmitter } from 'node:events'
import { constants } from 'node:os'

export interface SignalActions {
  /** Asked to end: finish what is under way and go. Called once. */
  stop(signal: NodeJS.Signals): void
  /** Asked again while stopping: go at once. */
  end(signal: NodeJS.Signals): void
  /** Read everything anew, reopen the log. */
  reload(): void
}

const HANDLED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'] as const

/**
 * Starts to act on signals; gives a function that leaves them to their defaults again.
 *
 * @param source what emits them by name: this process, or who passes on another's
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
        // A peer that went away is an error of that one write.
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
