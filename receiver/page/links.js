// Links that lead out of the page.

import { h, icon } from "./dom.js";
import { foreign } from "./text.js";

/** Return a link out of the page that says where it leads. */
export function externalLink(name, url) {
  return h(
    "a.out",
    { href: url.href, target: "_blank", rel: "noopener noreferrer" },
    h("b", {}, name),
    " ",
    foreign(url.host, { limit: 60 }),
    icon("out"),
    h("span.unseen", {}, "(new tab)"),
  );
}
