/** What the bundler puts in for JSX: preact's plain factory, whose calls come out shorter than the automatic runtime's. */
export { Fragment, h } from 'preact'
