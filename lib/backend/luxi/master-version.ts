import { isJsonObject } from '../../json/json.ts'
import { type Version, versionFrom } from '../../model/version.ts'
import type { LuxiClient } from './client.ts'
import { unexpected } from './results.ts'

/**
 * The version of the master daemon. It stays the same as long as a connection
 * to it stands; the one that is met after that may be of another version.
 */
export class MasterVersion {
  readonly #client: LuxiClient
  #known: Version | undefined
  #asking: Promise<Version> | undefined
  #isOld = true

  constructor(client: LuxiClient) {
    this.#client = client
  }

  /** The last one that was heard of. */
  get known(): Version | undefined {
    return this.#known
  }

  /** To be called when a master daemon is met. */
  meet(): void {
    this.#isOld = true
    this.ask().catch(() => {})
  }

  /** @throws Failure as `LuxiClient.read` */
  async ask(): Promise<Version> {
    if (this.#known && !this.#isOld && this.#client.connected) return this.#known
    this.#asking ??= this.#read().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #read(): Promise<Version> {
    const info = await this.#client.read('QueryClusterInfo', [])
    const version = isJsonObject(info) ? versionFrom(String(info.software_version)) : undefined
    if (!version) throw unexpected('its version')
    this.#known = version
    this.#isOld = false
    return version
  }
}
