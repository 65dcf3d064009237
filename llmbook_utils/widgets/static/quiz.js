// Brings a quiz to life. The questions and explanations are already in the page.
(function () {
  "use strict";

  function mountQuestion(question, onCheck) {
    const inputs = [...question.querySelectorAll("input")];
    const whys = [...question.querySelectorAll(".lb-why")];
    const button = question.querySelector(".lb-check");
    const feedback = question.querySelector(".lb-feedback");
    const answers = question.querySelector(".lb-answers");
    const group = LLMBook.freshId("lb-quiz"); // the same quiz may stand here twice
    let firstTry = null;

    function clearMarks() {
      feedback.textContent = "";
      feedback.className = "lb-feedback";
      for (const input of inputs) {
        input.closest(".lb-choice").classList.remove("is-right", "is-wrong");
      }
    }

    function check() {
      clearMarks();
      const chosen = inputs.filter((input) => input.checked);
      if (!chosen.length) {
        feedback.textContent = "Choose an answer first.";
        return;
      }
      const isRight = inputs.every(
        (input) => input.checked === (input.dataset.right === "1"));
      if (firstTry === null) firstTry = isRight;
      for (const input of chosen) {
        const mark = input.dataset.right === "1" ? "is-right" : "is-wrong";
        input.closest(".lb-choice").classList.add(mark);
      }
      feedback.classList.add(isRight ? "is-right" : "is-wrong");
      const verdict = LLMBook.make("strong", {}, isRight ? "Right. " : "Not yet. ");
      feedback.append(verdict);
      for (const input of chosen) {
        feedback.append(...whys[inputs.indexOf(input)].cloneNode(true).childNodes, " ");
      }
      if (isRight) answers.hidden = false;
      onCheck();
    }

    function reset() {
      clearMarks();
      firstTry = null;
      for (const input of inputs) input.checked = false;
      answers.hidden = true;
      answers.open = false;
    }

    for (const input of inputs) {
      input.name = group;
      input.addEventListener("change", clearMarks);
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        check();
      });
    }
    button.addEventListener("click", check);
    button.hidden = false;
    reset();
    return { reset, score: () => firstTry };
  }

  function mount(element) {
    const score = element.querySelector(".lb-quiz-score");
    const questions = [...element.querySelectorAll(".lb-question")].map(
      (question) => mountQuestion(question, showScore));

    function showScore() {
      const tried = questions.filter((question) => question.score() !== null);
      const right = tried.filter((question) => question.score()).length;
      score.textContent = tried.length
        ? `${right} of ${questions.length} right at the first try` +
          (tried.length < questions.length
            ? `, ${questions.length - tried.length} to go.` : ".")
        : `${questions.length} questions. Choose, then check.`;
    }

    element.querySelector(".lb-quiz-foot").hidden = false;
    element.querySelector(".lb-quiz-again").addEventListener("click", () => {
      for (const question of questions) question.reset();
      showScore();
      element.querySelector("input").focus();
    });
    showScore();
  }

  LLMBook.register("quiz", mount);
})();
