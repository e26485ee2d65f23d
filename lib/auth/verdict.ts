/**
 * What authorize.ts answers when asked whether a request may go on; how
 * that looks in HTTP (a status, a challenge) is for http/app.ts to say.
 */
export type Verdict =
  /** Go on; `user` is missing where nobody authenticated and nobody had to. */
  | { readonly kind: 'granted'; readonly user?: string }
  /** No credentials where some are needed, or wrong ones: the two are not told apart. */
  | { readonly kind: 'unauthenticated' }
  /** A known user with the right password, but without the right asked for. */
  | { readonly kind: 'forbidden'; readonly user: string }
  /** The credentials are no credentials; `message` is for the client. */
  | { readonly kind: 'malformed'; readonly message: string }
