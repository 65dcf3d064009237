// Brings a quiz to life. The questions and explanations are already in the page.
(function () {
  "use strict";

  class Question {
    constructor(element, onCheck) {
      this.onCheck = onCheck;
      this.inputs = [...element.querySelectorAll("input")];
      this.whys = [...element.querySelectorAll(".lb-why")];
      this.feedback = element.querySelector(".lb-feedback");
      this.answers = element.querySelector(".lb-answers");
      const button = element.querySelector(".lb-check");
      const group = LLMBook.freshId("lb-quiz"); // the same quiz may stand here twice
      for (const input of this.inputs) this.listen(input, group);
      button.addEventListener("click", () => this.check());
      button.hidden = false;
      this.reset();
    }

    listen(input, group) {
      input.name = group;
      input.addEventListener("change", () => this.clearMarks());
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        this.check();
      });
    }

    clearMarks() {
      this.feedback.textContent = "";
      this.feedback.className = "lb-feedback";
      for (const input of this.inputs) {
        input.closest(".lb-choice").classList.remove("is-right", "is-wrong");
      }
    }

    check() {
      this.clearMarks();
      const chosen = this.inputs.filter((input) => input.checked);
      if (!chosen.length) {
        this.feedback.textContent = "Choose an answer first.";
        return;
      }
      const isRight = this.inputs.every(
        (input) => input.checked === (input.dataset.right === "1"));
      if (this.firstTry === null) this.firstTry = isRight;
      for (const input of chosen) {
        const mark = input.dataset.right === "1" ? "is-right" : "is-wrong";
        input.closest(".lb-choice").classList.add(mark);
      }
      this.explain(chosen, isRight);
      this.onCheck();
    }

    explain(chosen, isRight) {
      this.feedback.classList.add(isRight ? "is-right" : "is-wrong");
      const verdict = isRight ? "Right. " : "Not yet. ";
      this.feedback.append(LLMBook.make("strong", {}, verdict));
      for (const input of chosen) {
        const why = this.whys[this.inputs.indexOf(input)].cloneNode(true);
        this.feedback.append(...why.childNodes, " ");
      }
      if (isRight) this.answers.hidden = false;
    }

    reset() {
      this.clearMarks();
      this.firstTry = null;
      for (const input of this.inputs) input.checked = false;
      this.answers.hidden = true;
      this.answers.open = false;
    }
  }

  function scoreText(questions) {
    const tried = questions.filter((question) => question.firstTry !== null);
    if (!tried.length) return `${questions.length} questions. Choose, then check.`;
    const right = tried.filter((question) => question.firstTry).length;
    const left = questions.length - tried.length;
    return `${right} of ${questions.length} right at the first try` +
      (left ? `, ${left} to go.` : ".");
  }

  function mount(element) {
    const score = element.querySelector(".lb-quiz-score");
    const showScore = () => { score.textContent = scoreText(questions); };
    const questions = [...element.querySelectorAll(".lb-question")].map(
      (question) => new Question(question, showScore));
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
