/**
 * Answers to those who follow events: streams that last for hours, so they have
 * a limit of their own, and what their users may see is checked again when the
 * users file changes.
 *
 * To a browser's EventSource an error means not to come again. So where a client
 * should, it gets a stream that ends at once, and says when to come again.
 */
import type { Authorizer } from '../auth/authorize.ts'
import type { Permission } from '../auth/permissions.ts'
import type { Within } from '../backend/scoped/things.ts'
import { FairSemaphore, type Release } from '../concurrency/fair-semaphore.ts'
import { EVENT_TYPES, type EventType, frameOf } from '../events/event.ts'
import type { EventHub } from '../events/event-hub.ts'
import type { Listener } from '../events/listener.ts'
import { type Sight, View, type Wanted } from '../events/view.ts'
import { Failure } from '../failure.ts'
import { EVENT_PERMISSIONS } from '../resources/v2/events.ts'
import type { Outlet, Request, RequestHeaders, Response } from './message.ts'
import { HttpError } from './status.ts'

const DEFAULT_MOST = 256
/** One user, or for strangers one network, may have this part of all streams. */
const SHARE = 1 / 16

const TYPE = 'text/event-stream'
/** Neither stored nor held back on the way; the last one is nginx's. */
const HEADERS = ['Cache-Control', 'no-store', 'X-Accel-Buffering', 'no', 'X-Content-Type-Options', 'nosniff']
/** Milliseconds until a client comes again that was cut off. */
const RETRY = Buffer.from('retry: 2000\n\n')
/** The same for one that found no place. */
const RETRY_LATER = 30_000

/** How long to wait until rights are checked again that could not be checked, in milliseconds. */
const RECHECK = 1000

export interface EventStreamsOptions {
  readonly hub: Pick<EventHub, 'listen' | 'remove' | 'end' | 'flush' | 'find'>
  readonly authorizer: Pick<Authorizer, 'authorize'>
  /** How many streams there may be. Default: 256. */
  readonly most?: number
  /** Called when a stream has ended. */
  readonly log?: (message: string) => void
}

/** What a stream begins with. */
interface Beginning {
  readonly request: Request
  readonly user: string | undefined
  readonly wanted: Wanted
  readonly view: View
  /** How often the users had changed when rights were checked. */
  readonly usersChanged: number
}

/** A stream that was begun. */
interface Open {
  readonly request: Request
  readonly user: string | undefined
  readonly listener: Listener
}

export class EventStreams {
  readonly #hub: EventStreamsOptions['hub']
  readonly #authorizer: EventStreamsOptions['authorizer']
  readonly #log: (message: string) => void
  readonly #places: FairSemaphore
  readonly #open = new Set<Open>()
  /** How often the users have changed. */
  #usersChanged = 0
  /** The check of all rights that is being made. */
  #rechecking: Promise<void> = Promise.resolve()

  constructor({ hub, authorizer, most = DEFAULT_MOST, log = () => {} }: EventStreamsOptions) {
    this.#hub = hub
    this.#authorizer = authorizer
    this.#log = log
    const refusal = 'Too many clients follow events, try again later'
    const share = Math.max(1, Math.floor(most * SHARE))
    this.#places = new FairSemaphore({ places: most, share, waiting: 0, refusal })
  }

  /**
   * Answers a request with a stream.
   * @param user who may see something, and what was named in `wanted`
   * @throws HttpError 503 if there is no place, unless the client asks for nothing but events
   */
  async open(request: Request, wanted: Wanted, user: string | undefined): Promise<Response> {
    const usersChanged = this.#usersChanged
    const sight = await this.#sightOf(request, user)
    const release = this.#places.tryAcquire(
      user === undefined ? `network ${request.network}` : `user ${user}`,
    )
    if (!release) return refusal(request)
    const view = new View(wanted, sight ?? { user, types: new Map() }, this.#hub.find)
    const begin = (outlet: Outlet) => this.#begin({ request, wanted, user, view, usersChanged }, outlet)
    return this.#response(request, begin, release)
  }

  #response(request: Request, begin: (outlet: Outlet) => Open, release: Release): Response {
    const begun = performance.now()
    let open: Open | undefined
    return {
      ...{ status: 200, type: TYPE, headers: HEADERS, body: RETRY },
      stream: {
        begin: (outlet) => {
          open = begin(outlet)
        },
        stop: () => open && this.#hub.end(open.listener, 'shutdown'),
        get ending() {
          return open?.listener.ending
        },
      },
      release: () => {
        release()
        if (!open) return
        this.#open.delete(open)
        this.#hub.remove(open.listener)
        const seconds = ((performance.now() - begun) / 1000).toFixed(1)
        this.#log(
          `${request.peer} events ended after ${seconds} s: ${open.listener.ending ?? 'the client has left'}`,
        )
      },
    }
  }

  #begin({ request, user, wanted, view, usersChanged }: Beginning, outlet: Outlet): Open {
    const listener = this.#hub.listen(wanted, view, outlet)
    const open = { request, user, listener }
    this.#open.add(open)
    const left = () => outlet.end()
    if (request.signal.aborted) left()
    else request.signal.addEventListener('abort', left)
    // The users may have changed while this one was checked.
    if (usersChanged !== this.#usersChanged) this.recheck([open])
    return open
  }

  /** Checks again what users may see, as they have changed. Meanwhile nothing is told. */
  usersChanged(): void {
    this.#usersChanged++
    this.recheck([...this.#open])
  }

  recheck(streams: readonly Open[]): void {
    for (const { listener } of streams) listener.hold()
    // One after the other: each check of a password may take a tenth of a second of a processor.
    this.#rechecking = this.#rechecking.then(async () => {
      for (const open of streams) await this.#recheck(open)
      this.#hub.flush()
    })
  }

  async #recheck({ request, listener, user }: Open): Promise<void> {
    const usersChanged = this.#usersChanged
    while (!listener.isOver) {
      try {
        const sight = await this.#sightOf(request, user)
        // If they have changed again, another check follows this one.
        if (usersChanged !== this.#usersChanged) return
        if (sight && listener.view.isSameFor(sight)) listener.release()
        else this.#hub.end(listener, 'rights')
        return
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        await new Promise((resolve) => setTimeout(resolve, RECHECK).unref())
      }
    }
  }

  /** What a user may see; undefined if that is nothing, or there is no such user any more. */
  async #sightOf({ headers, network }: Request, user: string | undefined): Promise<Sight | undefined> {
    const authorize = (permissions: readonly Permission[]) =>
      this.#authorizer.authorize(headers.authorization, { permissions, access: [] }, network)
    const types = new Map<EventType, Within>()
    for (const type of EVENT_TYPES) {
      const verdict = await authorize(EVENT_PERMISSIONS[type])
      if (verdict.kind === 'granted') types.set(type, verdict.scope?.within ?? [])
    }
    return types.size > 0 ? { user, types } : undefined
  }
}

/** The answer if there is no place. */
function refusal({ headers }: Request): Response {
  if (!wantsStream(headers)) {
    const later = ['Retry-After', String(RETRY_LATER / 1000)]
    throw new HttpError(503, 'Too many clients follow events, try again later', later)
  }
  return endedStream(RETRY_LATER, 'busy')
}

/** A stream that ends at once. @param retry milliseconds until its client comes again */
export function endedStream(retry: number, reason: string): Response {
  const body = Buffer.concat([Buffer.from(`retry: ${retry}\n\n`), frameOf('end', { reason })])
  return { status: 200, type: TYPE, headers: HEADERS, body }
}

/** Whether a client wants nothing but events, to which an error means not to come again. */
export function wantsStream({ accept }: RequestHeaders): boolean {
  return accept?.includes(TYPE) ?? false
}
