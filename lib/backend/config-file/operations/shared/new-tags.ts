/** What a tag may be. */
import { OpError } from './operation.ts'

const MAX_TAGS = 4096
const MAX_LENGTH = 128

/**
 * The tags of a new object, each once.
 * @throws OpError TagError for one that cannot be a tag, or too many
 */
export function newTags(tags: readonly string[]): readonly string[] {
  for (const tag of tags) {
    if (tag.length > MAX_LENGTH) throw new OpError('TagError', [`Tag too long (>${MAX_LENGTH} characters)`])
    if (tag === '') throw new OpError('TagError', ['Tags cannot be empty'])
    if (!/^[\w.+*/:@-]+$/.test(tag)) throw new OpError('TagError', ['Tag contains invalid characters'])
  }
  const different = [...new Set(tags)]
  if (different.length > MAX_TAGS) throw new OpError('TagError', ['Too many tags'])
  return different
}
