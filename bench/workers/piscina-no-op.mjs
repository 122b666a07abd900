// piscina calls the default export of a module; the house has none of its own.
export default () => 1;
