/** Frequent English words, each one token after a space in the vocabularies of the usual models. */
export const COMMON_WORDS: readonly string[] = (
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all ' +
  'her she there would their we him been has when who will no more if out so up said what its about than into them can only other ' +
  'time new some could these two may first then do any like my now over such our man me even most made after also did many before ' +
  'must years back through much where your way down should because long each just state those people how too little good world make ' +
  'very year still see own work men day get here old life both between being under three never know same last another while us off'
).split(' ')

/** One token each in next to every vocabulary, however small. */
export const LETTERS: readonly string[] = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ']
