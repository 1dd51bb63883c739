import { useEffect, useRef } from 'preact/hooks';
import { actOnKeys, GO, isHelpOpen, setActOnKeys } from './use-keys.ts';

const KEYS = [
  ['/', 'find'],
  ['j', 'next row'],
  ['k', 'row before'],
  ['Enter', 'open the row'],
  ['x', 'select the row'],
  ['Esc', 'close what is open'],
  ['.', 'pause or resume what is live'],
  ['t', 'theme'],
  ['?', 'this list'],
] as const;

/** The list of keys. The browser keeps the focus inside, and gives it back at the end. */
export const Help = () => {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      class="card help"
      aria-labelledby="help-title"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <form method="dialog" class="body">
        <div class="head">
          <h2 id="help-title" class="grow">
            Keys
          </h2>
          <button class="btn s" type="submit">
            Close
          </button>
        </div>
        <div class="cols even">
          <dl class="keys">
            {KEYS.map(([key, does]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <dl class="keys">
            {Object.entries(GO).map(([key, { name }]) => (
              <div key={key}>
                <dt>
                  <kbd>g</kbd> <kbd>{key}</kbd>
                </dt>
                <dd>{name}</dd>
              </div>
            ))}
          </dl>
        </div>
        <label class="kind">
          <input
            type="checkbox"
            checked={actOnKeys.value}
            onChange={({ currentTarget }) => setActOnKeys(currentTarget.checked)}
          />
          Single keys act
        </label>
      </form>
    </dialog>
  );
};
