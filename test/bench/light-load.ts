/**
 * Asks for small things at a steady pace, whether or not earlier requests were
 * answered: what ordinary clients see of whatever else a daemon is busy with.
 */
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds from one request to the next. */
const PACE = 5
const CONNECTIONS = 4

export class LightLoad {
  /** Milliseconds, in the order of the answers. */
  readonly latencies: number[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  readonly #timer: NodeJS.Timeout
  #asked = 0
  #answered = 0

  /** @param instances how many the cluster has, inst1.example.com and so on */
  constructor(port: number, instances: number) {
    this.#timer = setInterval(() => {
      const name = `inst${1 + ((this.#asked * 7919) % instances)}.example.com`
      const paths = ['/2/info', `/2/instances/${name}`, `/2/instances/${name}/tags`]
      const path = paths[this.#asked++ % paths.length]
      const begun = performance.now()
      get({ host: '127.0.0.1', port, path, agent: this.#agent }, (response) => {
        response.resume().on('end', () => this.latencies.push(performance.now() - begun))
        response.on('close', () => this.#answered++)
      })
    }, PACE)
  }

  async stop(): Promise<readonly number[]> {
    clearInterval(this.#timer)
    while (this.#answered < this.#asked) await delay(1)
    this.#agent.destroy()
    return this.latencies
  }
}
