/**
 * Whether instances run and nodes answer, for those who ask for it: only the
 * nodes themselves know that, so all of them are asked, once in fifteen seconds
 * for all listeners.
 */
import type { Backend } from '../backend/backend.ts'
import type { Json } from '../json/json.ts'
import { type Event, NO_OBJECTS } from './event.ts'

/** Milliseconds from one question to the next. */
const INTERVAL = 15_000

type Kind = 'instance' | 'node'

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
    const instances = await backend.queryInstances([], ['name', 'status'])
    const nodes = await backend.queryNodes([], ['name', 'offline', 'mtotal'])
    const isFirst = this.#states.size === 0
    const before = this.#states
    this.#states = new Map()
    const put = (kind: Kind, name: Json, status: Json) => {
      const key = `${kind} ${name}`
      const previous = before.get(key)?.data.status ?? null
      this.#states.set(key, stateEvent(kind, String(name), status, null))
      if (!isFirst && previous !== status) this.#emit(stateEvent(kind, String(name), status, previous))
    }
    for (const [name = null, status = null] of instances) put('instance', name, status)
    for (const [name = null, offline, memory = null] of nodes) put('node', name, nodeStatus(offline, memory))
  }
}

function nodeStatus(offline: Json | undefined, memory: Json): string {
  if (offline === true) return 'offline'
  return memory === null ? 'down' : 'up'
}

function stateEvent(kind: Kind, name: string, status: Json, previous: Json): Event {
  const objects = { ...NO_OBJECTS, [kind === 'instance' ? 'instances' : 'nodes']: [name] }
  return { type: 'state', data: { kind, name, status, previous }, objects }
}
