"use strict";
// Without this script the page is complete; the script adds the filter. Its state is in the address: #outcome=failed&text=web
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const checks = [...document.querySelectorAll(".check")].map((element) => ({
    element,
    outcome: element.dataset.outcome,
    opened: element.open,
    words: element.dataset.words.toLowerCase(),
    folds: [...element.querySelectorAll(".fold")].map((fold) => ({
      element: fold, summary: fold.querySelector("summary"), said: fold.querySelector("summary").textContent,
    })),
    findings: [...element.querySelectorAll(".finding")].map((finding) => ({
      element: finding, namespace: finding.dataset.namespace, words: null,
    })),
  }));
  const groups = [...document.querySelectorAll(".group")];
  const boxes = [...form.querySelectorAll("input[name=outcome]")];

  const wordsOf = (finding) => (finding.words ??= finding.element.textContent.toLowerCase());

  function wanted() {
    return {
      outcomes: new Set(boxes.filter((box) => box.checked).map((box) => box.value)),
      namespace: form.elements.namespace.value,
      text: form.elements.text.value.trim().toLowerCase(),
    };
  }

  function filterCheck(check, want) {
    const narrowed = Boolean(want.namespace || want.text);
    const named = !want.text || check.words.includes(want.text);
    let matching = 0;
    for (const finding of check.findings) {
      const here = !want.namespace || finding.namespace === want.namespace;
      const fits = here && (named || wordsOf(finding).includes(want.text));
      finding.element.hidden = !fits;
      matching += fits;
    }
    const visible = (!want.outcomes.size || want.outcomes.has(check.outcome))
      && (matching > 0 || (named && !want.namespace));
    check.element.hidden = !visible;
    check.element.open = narrowed ? visible && matching > 0 : check.opened;
    for (const fold of check.folds) showFold(fold, narrowed);
    return visible ? matching : -1;
  }

  function showFold(fold, narrowed) {
    const all = fold.element.querySelectorAll(".finding");
    const fitting = fold.element.querySelectorAll(".finding:not([hidden])").length;
    fold.element.hidden = fitting === 0;
    fold.element.open = narrowed;
    fold.summary.textContent = fitting === all.length ? fold.said : `${fold.said} (${fitting} shown)`;
  }

  function apply() {
    const want = wanted();
    const matches = checks.map((check) => filterCheck(check, want)).filter((found) => found >= 0);
    for (const group of groups) group.hidden = !group.querySelector(".check:not([hidden])");
    const findings = matches.reduce((sum, found) => sum + found, 0);
    shown.textContent = `Shown: ${matches.length} of ${checks.length} checks, ${findings} ${findings === 1 ? "finding" : "findings"}`;
  }

  function save() {
    const state = new URLSearchParams();
    const outcomes = boxes.filter((box) => box.checked).map((box) => box.value);
    if (outcomes.length) state.set("outcome", outcomes.join(","));
    for (const name of ["namespace", "text"]) if (form.elements[name].value) state.set(name, form.elements[name].value);
    history.replaceState(null, "", `#${state}`);
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    const outcomes = (state.get("outcome") ?? "").split(",");
    for (const box of boxes) box.checked = outcomes.includes(box.value);
    for (const name of ["namespace", "text"]) form.elements[name].value = state.get(name) ?? "";
    if (form.elements.namespace.selectedIndex < 0) form.elements.namespace.value = "";
  }

  // A link to one check shows that check, whatever the filter says; any other hash is the filter's state.
  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) restore();
    else if (target.closest("[hidden]")) form.reset();
    apply();
    if (target?.matches(".check")) reveal(target);
  }

  function reveal(check) {
    check.open = true;
    check.scrollIntoView({ block: "start" });
    check.querySelector("summary").focus({ preventScroll: true });
  }

  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { apply(); save(); }, 120);
  });
  form.addEventListener("reset", () => setTimeout(() => { apply(); save(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  form.hidden = false;
  follow();
})();
