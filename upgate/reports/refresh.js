"use strict";
// Loads the page again each minute, unless somebody reads in it: a part is opened, text is selected, or the tab is hidden.
setInterval(() => {
  const read = document.querySelector("details[open]") || String(getSelection());
  if (!document.hidden && !read) location.reload();
}, 60_000);
