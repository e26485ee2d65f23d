/** What a method of a test needs that stands for no real one. */
import type { Need } from '../../lib/auth/permissions.ts'
import type { Right } from '../../lib/auth/rights.ts'

/** A permission, and any one of these rights; none for what is open to everyone. */
export function needing(access: readonly Right[]): Need {
  return { permissions: ['os.list'], access }
}
