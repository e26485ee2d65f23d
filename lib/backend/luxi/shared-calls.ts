/**
 * Identical reads share a call the way transactions share a group commit: the
 * first goes ahead; those that come while it is under way wait for the next
 * one, which serves all of them. So nobody is answered from a state older than
 * their own request, and a thousand clients that ask for the same cost the
 * master daemon no more than one that asks again and again.
 */
interface Flight<T> {
  /** Settles, well or not, with the call under way. */
  readonly done: Promise<void>
  /** The call that follows, for those who came meanwhile. */
  next: Promise<T> | undefined
}

export class SharedCalls<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * Makes a call, or joins the one that comes next.
   * @param key what makes two calls identical
   * @param start makes the call; should fail with a Failure, which all who share it get
   */
  make(key: string, start: () => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key)
    if (!flight) return this.#start(key, start)
    flight.next ??= flight.done.then(() => this.#start(key, start))
    return flight.next
  }

  #start(key: string, start: () => Promise<T>): Promise<T> {
    const call = start()
    const landed = () => {
      if (!flight.next) this.#flights.delete(key)
    }
    const flight: Flight<T> = { done: call.then(landed, landed), next: undefined }
    this.#flights.set(key, flight)
    return call
  }
}
