/** The name of an array in a callback's `event` object. */
export type EventType = string;
