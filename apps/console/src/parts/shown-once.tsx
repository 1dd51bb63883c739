import { Copy } from './copy.tsx';

/** A secret that no later answer shows. */
export const ShownOnce = ({ text, label }: { text: string; label: string }) => (
  <div role="status">
    <p class="small">This {label} is shown once. Copy it now:</p>
    <div class="paste">
      <code class="grow breaks">{text}</code>
      <Copy text={text} label={label} />
    </div>
  </div>
);
