import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one line that people and CI can read: `N passed, N failed`. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    // Errors outside any test, and files that did not load, count as failures too.
    let failed = unhandledErrors.length;
    const failedFiles: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
      }
      if (!module.ok()) failedFiles.push(relative(process.cwd(), module.moduleId));
    }
    const { FAILED_FILES } = process.env;
    // An error outside any test may come from any file.
    if (FAILED_FILES && unhandledErrors.length === 0)
      writeFileSync(FAILED_FILES, failedFiles.map((file) => `${file}\n`).join(''));
    console.log(`${passed} passed, ${failed} failed`);
  }
}
