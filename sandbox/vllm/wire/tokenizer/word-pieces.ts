/** How large vocabularies of byte pairs cut text before they merge: words with the blank before them, numbers of three digits, signs, blanks. */
// follows the patterns of cl100k and Llama 3 in their tokenizer.json
const WORDS =
  /'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu

const LATIN = /^[^\p{L}]?[a-zA-Z]+$/u
const CASED = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{L}\p{M}*/gu
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u
/** Spellings that English hardly has; each makes a word less likely to be one entry. */
const FOREIGN =
  /sch|[aeou]cht|icht|ung|keit|lich|[äöüß]|ige[rnsm]|isch|ier(?:t|en)|ver[^aesy]|ei[nt]|tz|zu|k[ae]|ge[bdfglmnsw]|[bdfglmnrst]en$|eu|ü|auf|aus|über|lt$|rk|[ij][jk]|ço|ção|é|è|ñ|ç|[^aeiouy]{4}/gu

/** Text in pieces, as a vocabulary of some 100,000 byte pairs would cut it: roughly as many, at plausible places. */
export function wordPieces(text: string): string[] {
  const pieces: string[] = []
  for (const [word] of text.matchAll(WORDS)) {
    if (word.length < 4 && !WIDE.test(word) && !/[^\0-\x7f]/.test(word)) pieces.push(word)
    else if (/[\p{L}]/u.test(word)) cutWord(word, pieces)
    else cutSigns(word, pieces)
  }
  return pieces
}

function cutWord(word: string, pieces: string[]): void {
  if (WIDE.test(word)) {
    pieces.push(...word)
    return
  }
  const parts = word.slice(1) === word.slice(1).toLowerCase() ? [word] : partsByCase(word)
  for (const part of parts) cutEvenly(part, piecesOf(part), pieces)
}

/** `getUserName` is three words. */
function partsByCase(word: string): string[] {
  const lead = /^[^\p{L}]/u.exec(word)?.[0] ?? ''
  const parts = word.slice(lead.length).match(CASED) ?? [word]
  return [lead + parts[0], ...parts.slice(1)]
}

/** How many entries a word of one case takes. */
function piecesOf(part: string): number {
  const letters = part.replace(/^[^\p{L}]/u, '')
  const lower = letters.toLowerCase()
  const { length } = lower
  if (!LATIN.test(part) && !/^[^\p{L}]?[a-zA-ZÀ-ž]+$/u.test(part)) return Math.max(1, Math.round(length / 2.6))
  if (length <= 3) return 1
  if (letters.length > 2 && letters === letters.toUpperCase()) return Math.max(1, Math.round(length / 3))
  const foreign = lower.match(FOREIGN)?.length ?? 0
  const glued = part.length > letters.length && part[0] !== ' ' ? 0.12 : 0
  const bare = part.length === letters.length ? 0.2 : 0
  const capital = letters[0] !== lower[0] ? 0.15 : 0
  const weight = 0.62 + Math.max(0, length - 4) * 0.067 + foreign * (0.9 + length * 0.05) + glued + bare + capital
  return Math.max(1, Math.min(length, Math.round(weight)))
}

/** Runs of one sign are one entry up to some length; others make entries of two. */
function cutSigns(word: string, pieces: string[]): void {
  if (/^\s+$/.test(word)) {
    cutEvenly(word, Math.ceil(word.length / 64), pieces)
    return
  }
  if (/[^\0-\x7f]/.test(word)) {
    pieces.push(...word)
    return
  }
  for (const [run] of word.matchAll(/ ?([^\s])\1{2,15}|\s?[^\s][^\s]?[\r\n]*|[\r\n]+/g)) pieces.push(run)
}

function cutEvenly(text: string, count: number, pieces: string[]): void {
  if (count <= 1) {
    pieces.push(text)
    return
  }
  const letters = [...text]
  for (let i = 0; i < count; i++) {
    const from = Math.round((i * letters.length) / count)
    const to = Math.round(((i + 1) * letters.length) / count)
    if (to > from) pieces.push(letters.slice(from, to).join(''))
  }
}
