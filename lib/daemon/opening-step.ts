/** What an operator can do where the daemon cannot open a file of its own, such as its log. */
import { dirname } from 'node:path'
import { ownName } from './privileges.ts'

/**
 * Gives the next step after a failed attempt to open a file for writing.
 * @param error what the attempt threw
 * @returns undefined for errors that say it themselves
 */
export function openingStep(error: unknown, path: string): string | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `make its folder: mkdir -p ${dirname(path)}`
    case 'EACCES':
    case 'EPERM':
      return `the user ${ownName()} must be allowed to write there`
  }
  return undefined
}
