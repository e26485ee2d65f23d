import type { Cuts } from '../syntax/yaml-cuts.ts'
import { TextAsWhole } from './text-as-whole.ts'
import { TextInPieces } from './text-in-pieces.ts'
import type { YamlText } from './yaml-text.ts'

/** @param cuts where the text can be cut, as they were found when it was read */
export function makeYamlText(text: string, cuts: Cuts): YamlText {
  return cuts.values ? TextAsWhole.of(text, cuts.about, cuts.values) : TextInPieces.of(text, cuts)
}
