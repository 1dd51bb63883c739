// A file of its own, so that a program loads JSONata only when there is a transform to check.
export { default } from 'jsonata';
