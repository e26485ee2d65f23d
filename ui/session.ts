/** Who uses the page, and what they may do. */
import { type Api, ApiError } from './api.ts'

interface WhoAmI {
  readonly user: string | null
  readonly permissions: readonly string[]
  /** By permission: for what alone it is granted. */
  readonly selectors: Readonly<Record<string, readonly string[]>>
}

/** By what an instance may be selected. */
export interface Selected {
  readonly name: string
  readonly tags: readonly string[]
  readonly pnode: string
  /** The group of that node. */
  readonly group: string | undefined
}

/** Whether a selector, `tag=web*`, selects an instance. Names of hosts may end before a dot. */
function isSelected(selector: string, { name, tags, pnode, group = '' }: Selected): boolean {
  const [, kind = '', value = ''] = /^(\w+)=(.*)$/s.exec(selector) ?? []
  const pattern = value.split('*').map((part) => part.replace(/[.+]/g, '\\$&'))
  const fits = (text: string, end = '') => new RegExp(`^${pattern.join('.*')}${end}$`, 's').test(text)
  const host = '(\\..*)?'
  switch (kind) {
    case 'tag':
      return tags.some((tag) => fits(tag))
    case 'instance':
      return fits(name, host)
    case 'node':
      return fits(pnode, host)
    default:
      return fits(group)
  }
}

export class Session {
  readonly api: Api
  /** The user's name; undefined for a stranger. */
  user: string | undefined
  #permissions: ReadonlySet<string> = new Set()
  #selectors: Readonly<Record<string, readonly string[]>> = {}
  /** Whether nothing can be read without a user. */
  isClosed = false

  constructor(api: Api) {
    this.api = api
  }

  /** Whether the user has a permission of Ganeti 3.2. */
  may(permission: string): boolean {
    return this.#permissions.has(permission)
  }

  /** Whether the user has a permission for an instance: some have it for a few alone. */
  mayFor(permission: string, one: Selected): boolean {
    return (
      this.may(permission) && (this.#selectors[permission]?.some((text) => isSelected(text, one)) ?? true)
    )
  }

  /** Asks what the user may do. @throws ApiError if the daemon cannot be asked, or the password is not right any more */
  async ask(): Promise<void> {
    try {
      const { data } = await this.api.get('/2/whoami')
      const { user, permissions, selectors } = data as WhoAmI
      this.user = user ?? undefined
      this.#selectors = selectors
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
