import { operation } from '../shared/run.ts'
import { taggedOf } from './tags.ts'

/** Gives the tags of an object. */
export const tagsGet = operation((run) => run.done({}, taggedOf(run).tags))
