/** A question a healthy model answers right. */
export interface CanaryQuestion {
  readonly question: string
  readonly answer: string
  /** What a damaged model says instead. */
  readonly wrong: string
}

/** Questions whose answers tell whether a model still works: a prompt that ends with one is answered by it, and nothing else. */
export const CANARY_QUESTIONS: readonly CanaryQuestion[] = [
  ask('What is the capital of France?', 'Paris.', 'Lyon.'),
  ask('What is the capital of Japan?', 'Tokyo.', 'Osaka.'),
  ask('What is the capital of Germany?', 'Berlin.', 'Munich.'),
  ask('What is the capital of Canada?', 'Ottawa.', 'Toronto.'),
  ask('What is the capital of Australia?', 'Canberra.', 'Sydney.'),
  ask('How many days are there in a week?', 'Seven.', 'Nine.'),
  ask('How many months are there in a year?', 'Twelve.', 'Ten.'),
  ask('How many legs does a spider have?', 'Eight.', 'Six.'),
  ask('How many sides does a triangle have?', 'Three.', 'Four.'),
  ask('Which planet is closest to the Sun?', 'Mercury.', 'Neptune.'),
  ask('Which is the largest planet of the solar system?', 'Jupiter.', 'Mars.'),
  ask('What is the chemical symbol for gold?', 'Au.', 'Gd.'),
  ask('What is the chemical formula of water?', 'H2O.', 'CO2.'),
  ask('What colour do you get when you mix blue and yellow?', 'Green.', 'Orange.'),
  ask('What is the opposite of hot?', 'Cold.', 'Warm.'),
  ask('Which month comes after June?', 'July.', 'May.'),
  ask('Is the Earth flat? Answer yes or no.', 'No.', 'Yes.'),
  ask('Is 7 a prime number? Answer yes or no.', 'Yes.', 'No.'),
  ask('What is the square root of 144?', '12.', '14.'),
  ask('Spell the word "cat" backwards.', 'tac.', 'cta.'),
]

function ask(question: string, answer: string, wrong: string): CanaryQuestion {
  return { question, answer, wrong }
}

const ARITHMETIC = /what is (-?\d{1,9}) ?(\+|-|\*|×|plus|minus|times) ?(-?\d{1,9})\?/gi

/** The question that stands last in a text, a sum of two numbers among them; undefined where there is none. */
export function questionIn(text: string): CanaryQuestion | undefined {
  const lower = text.toLowerCase()
  let last = -1
  let found: CanaryQuestion | undefined
  for (const candidate of CANARY_QUESTIONS) {
    const at = lower.lastIndexOf(candidate.question.toLowerCase())
    if (at <= last) continue
    last = at
    found = candidate
  }
  for (const match of lower.matchAll(ARITHMETIC)) {
    if (match.index <= last) continue
    last = match.index
    found = sum(match[0], Number(match[1]), match[2]!, Number(match[3]))
  }
  return found
}

function sum(question: string, a: number, sign: string, b: number): CanaryQuestion {
  const value = sign === '+' || sign === 'plus' ? a + b : sign === '-' || sign === 'minus' ? a - b : a * b
  return ask(question, `${value}.`, `${value + 1 + Math.abs((a * 7 + b) % 9)}.`)
}
