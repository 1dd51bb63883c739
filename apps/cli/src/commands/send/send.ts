import type { Command } from 'commander';
import { rate, share, wholeNumber } from '../../arguments.ts';
import { addCommand } from '../../command.ts';
import type { SendOptions } from './send-callbacks.ts';

export const registerSend = (program: Command): Command =>
  addCommand(program, {
    usage: 'send <what>',
    about: 'send callbacks as Clickatell does: a sample (moText, reply, status, all, …), a file, or - for stdin',
    example: 'send moText --count 1000 --rate 200 --duplicate 0.1 --shuffle 20',
    isEndless: true,
    run: async ([what], options: SendOptions, context) => {
      // Loaded only here, because it loads the samples and an HTTP client.
      const { send } = await import('./send-callbacks.ts');
      return send(what as string, options, context);
    },
  })
    .option('--count <n>', 'how many of each', wholeNumber, 1)
    .option('--rate <n>', 'callbacks a second (default: as fast as they are answered)', rate)
    .option('--duplicate <share>', 'share of the callbacks to send twice, 0 to 1', share, 0)
    .option('--shuffle <n>', 'mix the order among n neighbours', wholeNumber, 1)
    .option('--connections <n>', 'callbacks in flight at once', wholeNumber, 16)
    .option('--tries <n>', 'the most times to send one callback', wholeNumber, 5)
    .option('--exact', 'send the sample byte for byte, so that sending it twice makes a duplicate')
    .option('--url <url>', 'the receiver, or one of its callback URLs (default: the receiver on this machine)')
    .option('--single-url', 'post everything to --url as it is')
    .option('--auth <credential>', 'query:<secret>, basic:<user>:<password>, header:<name>:<secret> or none')
    .addHelpText('after', `\nSamples: ${SAMPLE_NAMES}`);

/** Spelled out, so that `--help` does not load the samples. */
const SAMPLE_NAMES = [
  'all, reply, status, moText, moMedia, moLocation, moContacts, moSuggestedResponse, moListPickerResponse,',
  'moButtonResponse, messageStatusUpdate; and odd ones: batch, integrationIdSpelling, locationLatitude,',
  'mediaByReference, mediaEncrypted, smsPercentEncoded, smsWithoutWhatsapp, statusUnknownCode, unknownType',
].join('\n         ');
