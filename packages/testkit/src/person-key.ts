/** The `PERSON_KEY` of everything that tests start. */
export const PERSON_KEY = 'the-person-key-of-tests-and-of-nothing-else';
