/** Who listens to events, what they cost, and whom the daemon has ended. */
import type { EventHub } from '../events/event-hub.ts'
import { counter, type Family, gauge } from './family.ts'
import { only } from './http-metrics.ts'

export class EventMetrics {
  readonly #hub: Pick<EventHub, 'size' | 'log' | 'ended' | 'counts'>

  constructor(hub: Pick<EventHub, 'size' | 'log' | 'ended' | 'counts'>) {
    this.#hub = hub
  }

  families(): Family[] {
    const { size, log, ended, counts } = this.#hub
    return [
      only(gauge, 'ganeti_rapi_event_listeners', 'Clients that follow events.', size),
      only(
        counter,
        'ganeti_rapi_events',
        'Events that have happened while somebody followed them.',
        counts.events,
      ),
      only(gauge, 'ganeti_rapi_events_kept', 'Events that a client can go on from.', log.size),
      only(gauge, 'ganeti_rapi_events_kept_bytes', 'Size of these events.', log.bytes),
      counter(
        'ganeti_rapi_event_listeners_ended',
        'Clients that were ended, by reason.',
        [...ended].map(([reason, count]) => [{ reason }, count]),
      ),
      counter(
        'ganeti_rapi_event_listeners_returned',
        'Clients that came again with an id, by what they got.',
        [
          [{ result: 'resumed' }, counts.resumed],
          [{ result: 'reset' }, counts.reset],
        ],
      ),
    ]
  }
}
