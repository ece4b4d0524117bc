/** The script of a report page: draws the JSON that stands in the page. Bundled by the build. */
import { h, render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './page.css';
import './parts.css';
import { Page, type PageData } from './page';

const source = document.getElementById('report-data');
const place = document.getElementById('page');
if (source?.textContent && place) {
  place.replaceChildren();
  const data: PageData = JSON.parse(source.textContent);
  render(h(Page, { data }), place);
}
