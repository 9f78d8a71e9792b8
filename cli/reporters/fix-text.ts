import type { Finding } from '../../harness/verdict/finding.ts'
import type { FileToAdd, Fix } from '../../harness/verdict/fixes.ts'

/** What is to be said of the fix of a finding, or of what people do in its place, in lines; without the files to add. */
export function fixLines({ fix, byHand, triedInVain }: Pick<Finding, 'fix' | 'byHand' | 'triedInVain'>): string[] {
  if (fix) return [`fix (re-run: ${fix.outcome}): ${fix.says}${inFiles(fix.adds ?? [])}`, ...alsoRunLine(fix)]
  return [
    ...(triedInVain.length > 0 ? [`no fix known that passes (tried: ${triedInVain.join('; ')})`] : []),
    ...(byHand ? [`by hand (not re-run): ${byHand.says}`, ...byHand.commands.map((command) => `  ${command}`)] : []),
  ]
}

/** A file to paste: a comment with its name, then what it holds. */
export const fileLines = ({ file, text }: FileToAdd): string[] => [`# ${file}`, ...text.trimEnd().split('\n')]

const inFiles = (adds: readonly FileToAdd[]): string =>
  adds.map(({ file, remark }) => `: add ${file}${remark ? ` (${remark})` : ''}`).join('')

/** A fix that adds objects acts on more than what failed. */
function alsoRunLine({ adds, alsoRun = [] }: Fix): string[] {
  if (!adds) return []
  return [
    alsoRun.length === 0
      ? 'other scenarios were not re-run with it'
      : `re-run with it and none the worse: ${alsoRun.join(', ')}; no other was re-run`,
  ]
}
