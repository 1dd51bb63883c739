export { type Envelope, freshCopy, type OddSample, type SampleType, sampleCallback, samples } from './samples.ts';
export {
  createSender,
  type Sender,
  type SenderOptions,
  type SendManyOptions,
  type SendReport,
  type SendResult,
} from './sender.ts';
