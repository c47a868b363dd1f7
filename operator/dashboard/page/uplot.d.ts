/** The module that browsers load has no types beside it. */
declare module 'uplot/dist/uPlot.esm.js' {
  import uPlot from 'uplot';
  export default uPlot;
}
