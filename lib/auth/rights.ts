/** The rights a user can have, as the users file spells them; `write` does not imply `read`. */
export const RIGHTS = ['read', 'write'] as const
export type Right = (typeof RIGHTS)[number]
