/** Who uses the page, and what they may do. */
import { type Api, ApiError } from './api.ts'

export class Session {
  readonly api: Api
  /** The user's name; undefined for a stranger. */
  user: string | undefined
  #permissions: ReadonlySet<string> = new Set()
  /** Whether nothing can be read without a user. */
  isClosed = false

  constructor(api: Api) {
    this.api = api
  }

  /** Whether the user has a permission of Ganeti 3.2. */
  may(permission: string): boolean {
    return this.#permissions.has(permission)
  }

  /** Asks what the user may do. @throws ApiError if the daemon cannot be asked, or the password is not right any more */
  async ask(): Promise<void> {
    try {
      const { data } = await this.api.get('/2/whoami')
      const { user, permissions } = data as { user: string | null; permissions: string[] }
      this.user = user ?? undefined
      this.#permissions = new Set(permissions)
      this.isClosed = permissions.length === 0
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 401 || this.user !== undefined) throw thrown
      this.#permissions = new Set()
      this.isClosed = true
    }
  }

  /** @throws ApiError 401 if they are wrong; then nobody is logged in */
  async logIn(name: string, password: string): Promise<void> {
    this.api.identify(name, password)
    this.user = name
    try {
      await this.ask()
    } catch (thrown) {
      await this.logOut()
      throw thrown
    }
  }

  async logOut(): Promise<void> {
    this.api.identify()
    this.user = undefined
    await this.ask()
  }
}
