"use strict";
// Without this script the page is complete; the script adds the filter and the copy buttons. The filter's state is in the
// address: #outcome=failed&text=web. The parts of the pictures are links to such addresses.
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const choose = document.getElementById("choose");
  const FIELDS = ["namespace", "subject", "known", "text"];
  const checks = [...document.querySelectorAll(".check")].map((element) => ({
    element,
    outcome: element.dataset.outcome,
    subject: element.dataset.subject,
    words: element.dataset.words.toLowerCase(),
    folds: [...element.querySelectorAll(".fold")].map((fold) => ({
      element: fold, summary: fold.querySelector("summary"), said: fold.querySelector("summary").textContent,
    })),
    findings: [...element.querySelectorAll(".finding")].map((finding) => ({
      element: finding, namespace: finding.dataset.namespace, known: finding.dataset.known, words: null,
    })),
  }));
  const causes = [...document.querySelectorAll(".cause")].map((element) => ({
    element, known: element.dataset.known, words: null,
    // Its own and those of its consequences.
    namespaces: element.dataset.namespace.split(" "), subjects: element.dataset.subject.split(" "),
    outcome: [...element.classList].find((name) => name !== "cause"),
  }));
  const moreCauses = document.querySelector(".more-causes");
  const groups = [...document.querySelectorAll(".group")];
  const boxes = [...form.querySelectorAll("input[name=outcome]")];

  const wordsOf = (part) => (part.words ??= part.element.textContent.toLowerCase());

  function wanted() {
    const want = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value]));
    want.text = want.text.trim().toLowerCase();
    want.outcomes = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    want.narrowed = Boolean(want.namespace || want.text || want.known || want.subject);
    return want;
  }

  function filterCheck(check, want) {
    const named = !want.text || check.words.includes(want.text);
    let matching = 0;
    for (const finding of check.findings) {
      const here = !want.namespace || (finding.namespace || "-") === want.namespace;
      const fits = here && (!want.known || finding.known === want.known) && (named || wordsOf(finding).includes(want.text));
      finding.element.hidden = !fits;
      matching += fits;
    }
    const visible = (!want.outcomes.size || want.outcomes.has(check.outcome))
      && (!want.subject || check.subject === want.subject)
      && (matching > 0 || (named && !want.namespace && !want.known));
    check.element.hidden = !visible;
    check.element.open = want.narrowed && visible && matching > 0;
    for (const fold of check.folds) showFold(fold, want.narrowed);
    return visible ? matching : -1;
  }

  function showFold(fold, narrowed) {
    const all = fold.element.querySelectorAll(".finding");
    const fitting = fold.element.querySelectorAll(".finding:not([hidden])").length;
    fold.element.hidden = fitting === 0;
    fold.element.open = narrowed;
    fold.summary.textContent = fitting === all.length ? fold.said : `${fold.said} (${fitting} shown)`;
  }

  function filterCause(cause, want) {
    const fits = (!want.outcomes.size || want.outcomes.has(cause.outcome))
      && (!want.namespace || cause.namespaces.includes(want.namespace))
      && (!want.subject || cause.subjects.includes(want.subject))
      && (!want.known || cause.known === want.known)
      && (!want.text || wordsOf(cause).includes(want.text));
    cause.element.hidden = !fits;
  }

  function apply() {
    const want = wanted();
    const matches = checks.map((check) => filterCheck(check, want)).filter((found) => found >= 0);
    for (const cause of causes) filterCause(cause, want);
    if (moreCauses) moreCauses.open = want.narrowed;
    for (const group of groups) group.hidden = !group.querySelector(".check:not([hidden])");
    const findings = matches.reduce((sum, found) => sum + found, 0);
    const left = causes.filter((cause) => !cause.element.hidden).length;
    if (want.narrowed || want.outcomes.size) choose.open = true;
    shown.textContent = `Shown: ${left} of ${causes.length} causes, ${matches.length} of ${checks.length} checks, ${findings} ${findings === 1 ? "finding" : "findings"}`;
  }

  function save() {
    const state = new URLSearchParams();
    const outcomes = boxes.filter((box) => box.checked).map((box) => box.value);
    if (outcomes.length) state.set("outcome", outcomes.join(","));
    for (const name of FIELDS) if (form.elements[name].value) state.set(name, form.elements[name].value);
    history.replaceState(null, "", `#${state}`);
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    const outcomes = (state.get("outcome") ?? "").split(",");
    for (const box of boxes) box.checked = outcomes.includes(box.value);
    for (const name of FIELDS) form.elements[name].value = state.get(name) ?? "";
    for (const name of ["namespace", "subject", "known"]) {
      if (form.elements[name].selectedIndex < 0) form.elements[name].value = "";
    }
  }

  // A link to a check or a finding shows it, whatever the filter says; any other hash is the filter's state.
  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) restore();
    else if (target.closest("[hidden]")) form.reset();
    apply();
    if (target?.matches(".check, .finding")) reveal(target);
    else if (!target && location.hash.includes("=")) form.scrollIntoView({ block: "start" });
  }

  function reveal(target) {
    for (let each = target.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
    target.scrollIntoView({ block: "start" });
    const focused = target.matches(".check") ? target.querySelector("summary") : target;
    if (focused === target) target.tabIndex = -1;
    focused.focus({ preventScroll: true });
  }

  function addCopyButtons() {
    for (const code of document.querySelectorAll("main code")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", `Copy the command: ${code.textContent.slice(0, 80)}`);
      code.before(button);
    }
  }

  async function copy(button) {
    const code = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { apply(); save(); }, 120);
  });
  form.addEventListener("reset", () => setTimeout(() => { apply(); save(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    if (event.target.matches(".copy")) copy(event.target);
    // The same link once more changes no address, and so makes no hashchange.
    else if (event.target.closest("a[href^='#']")?.hash === location.hash) follow();
  });
  addEventListener("hashchange", follow);
  addCopyButtons();
  choose.open = innerWidth > 800;
  form.hidden = false;
  follow();
})();
