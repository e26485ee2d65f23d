/** Says why something cannot be shown. */
import type { ApiError } from '../api.ts'
import { h } from '../h.ts'

/** @param what what cannot be shown: "jobs" */
export function trouble(error: ApiError | undefined, what: string): HTMLElement | null {
  if (!error || error.status === 0) return null
  return h('p', { class: 'notice bad', role: 'alert' }, textOf(error, what))
}

function textOf({ status, message }: ApiError, what: string): string {
  if (status === 401) return `Log in to see ${what}.`
  if (status === 403) return `You may not see ${what}.`
  if (status === 404) return 'It does not exist, or not any more.'
  return `Cannot show ${what}: ${message}`
}
