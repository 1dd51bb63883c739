import { Icon } from '../parts/icon.tsx';
import { session, signOut } from '../session.ts';
import { nextTheme, theme } from '../theme.ts';
import { inUtc, zoneName } from '../time.ts';
import { Find } from './find.tsx';
import { isHelpOpen } from './use-keys.ts';

export const Top = () => (
  <header class="top">
    <Find />
    <span class="grow" />
    <button class="btn s quiet" type="button" onClick={() => (inUtc.value = !inUtc.value)} title="Local time or UTC">
      <Icon name="clock" />
      {zoneName()}
    </button>
    <button class="btn icon quiet" type="button" aria-label={`Theme: ${theme.value}`} onClick={nextTheme}>
      <Icon name={theme.value === 'light' ? 'sun' : 'moon'} />
    </button>
    <button
      class="btn icon quiet"
      type="button"
      aria-label="Keys"
      onClick={() => {
        isHelpOpen.value = true;
      }}
    >
      <kbd>?</kbd>
    </button>
    <Account />
  </header>
);

const Account = () => {
  const { name, scopes } = session.value ?? { name: '', scopes: [] };
  return (
    <details class="menu">
      <summary class="btn icon quiet" aria-label={`Signed in with the key ${name}`}>
        <Icon name="user" />
      </summary>
      <div>
        <b>{name}</b>
        <p class="small muted">may: {scopes.join(', ')}</p>
        <button class="btn" type="button" onClick={signOut}>
          <Icon name="out" />
          Sign out
        </button>
      </div>
    </details>
  );
};
