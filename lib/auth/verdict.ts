/**
 * The result of authorize.ts: whether a request is allowed. http/app.ts maps it
 * to HTTP (a status, a challenge).
 */
import type { Scope } from './scope.ts'

export type Verdict =
  /**
   * Allowed; `user` is missing if there were no credentials and none were needed, `by` the words of the users file
   * that let the user in, if it took any, `scope` what they reach, unless that is everything, `isLimited` whether a
   * selector limits anything that the user may do.
   */
  | {
      readonly kind: 'granted'
      readonly user?: string
      readonly by?: string
      readonly scope?: Scope
      readonly isLimited?: true
    }
  /** Credentials are needed and missing, or wrong; the two are not distinguished. */
  | { readonly kind: 'unauthenticated' }
  /** A known user with the right password, but without the necessary right. */
  | { readonly kind: 'forbidden'; readonly user: string }
  /** The credentials are malformed; `message` is for the client. */
  | { readonly kind: 'malformed'; readonly message: string }
