/** What sentences are made of; any one of each list fits any one of the others. */
export const OPENINGS = [
  ...[
    '',
    '',
    '',
    '',
    '',
    '',
    'In practice, ',
    'For example, ',
    'However, ',
    'On most days ',
    'As a rule ',
    'Sometimes ',
  ],
] as const

export const SUBJECTS = [
  ...[
    'the careful engineer',
    'a small team',
    'the night train',
    'our neighbour',
    'the old library',
    'a patient teacher',
  ],
  ...[
    'the harbour crew',
    'every good recipe',
    'the city council',
    'a quiet observer',
    'the young scientist',
    'the market',
  ],
  ...[
    'a steady wind',
    'the second shift',
    'the garden',
    'a reliable service',
    'the chief editor',
    'the mountain guide',
  ],
  ...['a curious student', 'the weather station', 'the orchestra', 'the last ferry', 'a clear plan', 'the repair shop'],
] as const

export const VERBS = [
  ...[
    'keeps',
    'measures',
    'follows',
    'improves',
    'explains',
    'remembers',
    'changes',
    'compares',
    'protects',
    'describes',
  ],
  ...['finds', 'shares', 'collects', 'prepares', 'supports', 'examines', 'carries', 'questions', 'records', 'replaces'],
] as const

export const OBJECTS = [
  ...['the shape of the coast', 'a long list of results', 'the first draft', 'the rhythm of the week', 'a simple idea'],
  ...[
    'the cost of waiting',
    'a map of the valley',
    'the order of events',
    'the quality of the water',
    'an open question',
  ],
  ...['the results of the test', 'a fair share of the work', 'the story behind the numbers', 'the rules of the game'],
  ...['a handful of seeds', 'the height of the tide', 'the balance between speed and care', 'the names of the stars'],
  ...['a better way home', 'the limits of the method', 'the sound of the rain', 'the reasons for the delay'],
  ...['the colour of the light', 'the next step'],
] as const

export const ENDINGS = [
  ...[
    'before the morning begins',
    'without much noise',
    'in a few short steps',
    'when the season turns',
    'with great care',
  ],
  ...[
    'long after the others have left',
    'because it is worth the effort',
    'as long as nobody objects',
    'at the usual place',
  ],
  ...[
    'while the kettle boils',
    'so that anyone can repeat it',
    'in the light of new evidence',
    'far from the main road',
  ],
  ...[
    'one piece at a time',
    'for the sake of clarity',
    'under changing conditions',
    'as it was agreed',
    'from the beginning',
  ],
  ...['even on a busy day', 'and then writes it down', 'until the answer is plain', 'with the help of a friend'],
  ...['in less than an hour', 'and that makes the difference'],
] as const

/** Values for strings that nothing more is known of. */
export const NOUNS = [
  ...['harbour', 'lantern', 'meadow', 'compass', 'river', 'orchard', 'bridge', 'market', 'garden', 'signal', 'copper'],
  ...['violet', 'summit', 'island', 'window', 'letter', 'journey', 'marble', 'thunder', 'willow', 'silver', 'anchor'],
] as const
