// Without this script the timeline is complete; the script zooms, and shows what is pointed at.
for (const ut of document.querySelectorAll(".ut")) {
  const scroll = ut.querySelector(".ut-scroll"), body = ut.querySelector(".ut-body"), shown = ut.querySelector(".ut-shown");
  const start = Number(ut.dataset.start), length = Number(ut.dataset.seconds), outages = [...ut.querySelectorAll("[tabindex].ut-down")];
  let zoom = 1;
  const label = () => ut.querySelector(".ut-axis .ut-label").offsetWidth;
  const lane = () => scroll.clientWidth - label();
  const most = Math.max(1, Math.min(5000, length));
  function zoomTo(wanted, at = lane() / 2) {
    const place = (scroll.scrollLeft + at) / zoom;
    zoom = Math.min(most, Math.max(1, wanted));
    body.style.width = zoom === 1 ? "" : `${label() + lane() * zoom}px`;
    scroll.scrollLeft = place * zoom - at;
    ticks();
  }
  function ticks() {
    const axis = ut.querySelector(".ut-axis svg"), first = scroll.scrollLeft / zoom / lane(), width = 1 / zoom;
    const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400].find((each) => length * width / each <= Math.max(2, lane() / 110)) ?? 86400;
    const from = Math.floor((start + first * length) / step) * step, until = start + (first + width) * length;
    let marks = "";
    for (let second = from; second <= until + step; second += step) {
      const place = (second - start) / length * 100;
      if (place < 0 || place > 100) continue;
      marks += `<line x1="${place}%" x2="${place}%" y1="0" y2="100%"></line><text x="${place}%" dx="3" y="15">${new Date(second * 1000).toISOString().slice(11, 19)}</text>`;
    }
    axis.innerHTML = marks;
  }
  function reveal(mark) {
    const box = mark.getBoundingClientRect(), around = scroll.getBoundingClientRect();
    scroll.scrollLeft += box.left - around.left - label() - lane() / 2;
  }
  function step(by) {
    const now = outages.indexOf(document.activeElement), next = outages[(now + by + outages.length) % outages.length];
    if (next) { next.focus({ preventScroll: false }); reveal(next); }
  }
  const tell = (event) => {
    const title = event.target.closest?.("[data-says], rect, circle")?.querySelector("title");
    if (title) shown.textContent = title.textContent;
  };
  body.addEventListener("pointerover", tell);
  body.addEventListener("focusin", tell);
  body.addEventListener("click", tell);
  ut.querySelector(".ut-in").addEventListener("click", () => zoomTo(zoom * 2));
  ut.querySelector(".ut-out").addEventListener("click", () => zoomTo(zoom / 2));
  ut.querySelector(".ut-fit").addEventListener("click", () => zoomTo(1));
  ut.querySelector(".ut-next").addEventListener("click", () => step(1));
  scroll.addEventListener("keydown", (event) => {
    const does = { "+": () => zoomTo(zoom * 2), "=": () => zoomTo(zoom * 2), "-": () => zoomTo(zoom / 2), "0": () => zoomTo(1), n: () => step(1), p: () => step(-1) }[event.key];
    if (does && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); does(); }
  });
  scroll.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomTo(zoom * (event.deltaY < 0 ? 1.3 : 1 / 1.3), event.clientX - scroll.getBoundingClientRect().left - label());
  }, { passive: false });
  scroll.addEventListener("scroll", () => requestAnimationFrame(ticks), { passive: true });
  addEventListener("resize", () => zoomTo(zoom));
  ut.querySelector(".ut-bar").hidden = false;
  ticks();
}
