/**
 * Whether instances run and nodes answer, for those who ask for it: only the
 * nodes themselves know that, so all of them are asked, once in fifteen seconds
 * for all listeners.
 */
import type { Backend } from '../backend/backend.ts'
import { type Kind, THING_FIELDS, type Thing, thingOf } from '../backend/scoped/things.ts'
import type { Json } from '../json/json.ts'
import type { Event } from './event.ts'
import { NO_OBJECTS } from './objects.ts'

/** Milliseconds from one question to the next. */
const INTERVAL = 15_000

export class LiveStates {
  readonly #backend: () => Pick<Backend, 'queryInstances' | 'queryNodes'>
  readonly #emit: (event: Event) => void
  readonly #interval: number
  /** Events of the present by kind and name. */
  #states = new Map<string, Event>()
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<void> | undefined
  #isWanted = false

  constructor(
    backend: () => Pick<Backend, 'queryInstances' | 'queryNodes'>,
    emit: (event: Event) => void,
    interval = INTERVAL,
  ) {
    this.#backend = backend
    this.#emit = emit
    this.#interval = interval
  }

  /** Begins to ask, or ends it. */
  want(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return
    this.#isWanted = isWanted
    clearTimeout(this.#timer)
    if (isWanted) void this.#round()
  }

  /** The states, once they are known. @throws Failure if the cluster cannot be asked now */
  async present(): Promise<Iterable<Event>> {
    if (this.#states.size === 0) await this.#ask()
    return [...this.#states.values()]
  }

  async #round(): Promise<void> {
    // The answers to clients say why it failed.
    await this.#ask().catch(() => {})
    clearTimeout(this.#timer)
    if (this.#isWanted) this.#timer = setTimeout(() => void this.#round(), this.#interval).unref()
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askNow().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #askNow(): Promise<void> {
    const backend = this.#backend()
    const instances = await backend.queryInstances([], [...THING_FIELDS.instance, 'status'])
    const nodes = await backend.queryNodes([], [...THING_FIELDS.node, 'offline', 'mtotal'])
    const isFirst = this.#states.size === 0
    const before = this.#states
    this.#states = new Map()
    const put = (kind: Kind, row: readonly Json[], status: Json) => {
      const thing = thingOf(kind, row)
      const key = `${kind} ${thing.name}`
      const previous = before.get(key)?.data.status ?? null
      this.#states.set(key, stateEvent(thing, status, null))
      if (!isFirst && previous !== status) this.#emit(stateEvent(thing, status, previous))
    }
    for (const row of instances) put('instance', row, row.at(-1) ?? null)
    for (const row of nodes) put('node', row, nodeStatus(row.at(-2), row.at(-1) ?? null))
  }
}

function nodeStatus(offline: Json | undefined, memory: Json): string {
  if (offline === true) return 'offline'
  return memory === null ? 'down' : 'up'
}

function stateEvent(thing: Thing, status: Json, previous: Json): Event {
  const { kind, name } = thing
  const objects = { ...NO_OBJECTS, [kind === 'instance' ? 'instances' : 'nodes']: [name] }
  // It is neither added nor removed by this.
  return {
    type: 'state',
    data: { kind, name, status, previous },
    objects,
    things: { before: thing, after: thing },
  }
}
