import { render } from 'preact';
import { App } from './app.tsx';
import './styles/index.css';
import { applyTheme } from './theme.ts';

applyTheme();
render(<App />, document.querySelector('#app') as HTMLElement);
