"use strict";
// Without this script the page is complete; the script says when it has not been written for too long.
(() => {
  const late = document.getElementById("late");
  const written = Date.parse(late.dataset.written);

  function span(seconds) {
    const minutes = Math.floor(seconds / 60);
    if (minutes < 120) return `${minutes} minutes`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
  }

  function judge() {
    const age = (Date.now() - written) / 1000;
    const text = `This page is ${span(age)} old: either it was not loaded again, or no new rounds have run.`;
    if (age > Number(late.dataset.late) && late.textContent !== text) late.textContent = text;
    late.hidden = age <= Number(late.dataset.late);
  }

  judge();
  setInterval(judge, 30_000);
})();
