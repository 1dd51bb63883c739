// Prints what n8n's scanner finds in a folder: `node scan.mjs <folder> [source]`. A program, because n8n's rules are
// stricter than in production when NODE_ENV says test.
import { analyzePackage, SOURCE_FILE_PATTERNS } from '@n8n/scan-community-package/scanner/scanner.mjs';

const [folder, source] = process.argv.slice(2);
console.log(JSON.stringify(await analyzePackage(folder, source === 'source' ? SOURCE_FILE_PATTERNS : undefined)));
