import { z } from 'zod'

const change = z.strictObject({
  object: z.string().optional().describe('The id of the object; that of the server itself where it is left out.'),
  path: z.string().describe('As kubectl writes it: spec.containers[0].image.'),
  value: z.unknown().optional().describe('What the field is set to; left out: the field is removed.'),
})

const file = z.strictObject({
  file: z.string().describe('Where it belongs: beside the manifest of the server.'),
  text: z.string().describe('What it holds: YAML, as it was read when the fix was tried.'),
  objects: z.array(z.string()).describe('Kind, namespace where one is given, and name of each object.'),
  remark: z.string().optional().describe('What else it takes that the file is read.'),
})

const fix = z.strictObject({
  says: z.string(),
  outcome: z.literal('PASS').describe('What every seed came out as with it.'),
  changes: z.array(change).optional(),
  moreNodes: z.int().optional().describe('Nodes to add, like those the server runs on.'),
  adds: z.array(file).optional().describe('Files to add, with whole objects.'),
  alsoRun: z
    .array(z.string())
    .optional()
    .describe(
      'Other scenarios that were run with it, one seed each; none comes out worse. Those not named were not re-run.',
    ),
})

/** A finding as `verify --json` writes it. */
export const findingSchema = z.strictObject({
  cause: z.string().describe('A stable name.'),
  what: z.string(),
  at: z.string().describe('When, after the begin of the trial: 2m04s.'),
  evidence: z.array(z.strictObject({ at: z.int().describe('Microseconds.'), about: z.string(), text: z.string() })),
  source: z
    .strictObject({
      file: z.string(),
      line: z.int(),
      column: z.int(),
      endLine: z.int().optional(),
      endColumn: z.int().optional(),
      key: z.strictObject({ file: z.string(), line: z.int(), column: z.int() }).optional(),
      path: z.string(),
      says: z.string(),
      absent: z.boolean().optional(),
      via: z.string().optional(),
      rendered: z.string().optional(),
    })
    .optional(),
  fix: fix.optional().describe('Applied and run again on every seed.'),
  byHand: z
    .strictObject({ says: z.string(), commands: z.array(z.string()) })
    .optional()
    .describe('What people do, where no fix is known that passes. It was not tried.'),
  triedInVain: z.array(z.string()),
  replay: z.string(),
})

/** The same for editors and programs. */
export const findingJsonSchema = (): unknown => ({
  title: 'A finding of seatrial verify --json',
  ...z.toJSONSchema(findingSchema),
})
