"""The shapes of study: topics, questions, quizzes, explanations, reviews.

What would give a question away (`correct_choice`, `explanation`, `ai_explanation`) is null until it was answered.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt

from services.study.quiz import MOST_QUESTIONS
from services.web.wire import MAX_ID, Label, Shape, Text

MAX_TEXT_CHARS, MAX_CHOICE_CHARS, MAX_EXPLANATION_CHARS = 10_000, 2000, 20_000
"""The CHECKs of study_questions, so that a caller hears it of the field."""
MAX_DESCRIPTION_CHARS = 2000
MAX_ROUND = 300


def _filled(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


Filled = AfterValidator(_filled)
Scheduler = Literal["steps", "fsrs"]
Mode = Literal["quiz", "wrong_only", "review", "cram"]
State = Literal["unattempted", "unsure", "chronic_wrong", "regressed", "recovered", "stable", "unstable"]
Tab = Literal["due_today", "pending_review", "chronic", "regressed", "mastered"]
ExplanationStatus = Literal["none", "pending", "ready", "failed", "skipped", "stale"]
Number = Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
QuestionText = Annotated[Text, Field(max_length=MAX_TEXT_CHARS), Filled]
Choice = Annotated[Text, Field(max_length=MAX_CHOICE_CHARS), Filled]
ChoiceList = Annotated[list[Choice], Field(min_length=2, max_length=5)]
ChoiceNumber = Annotated[StrictInt, Field(ge=1, le=5)]
Explanation = Annotated[Text, Field(max_length=MAX_EXPLANATION_CHARS)]
Tags = Annotated[list[Annotated[Label, Filled]], Field(max_length=50)]
ExamNumber = Annotated[StrictInt, Field(ge=1, le=MAX_ROUND)]


class TopicIn(Shape):
    """A topic: `scheduler` plans its reviews."""

    name: Annotated[Label, Filled]
    description: Annotated[Text, Field(max_length=MAX_DESCRIPTION_CHARS)] = ""
    scheduler: Scheduler = "steps"


class TopicPatch(Shape):
    """What is to be changed of a topic."""

    name: Annotated[Label, Filled] | None = None
    description: Annotated[Text, Field(max_length=MAX_DESCRIPTION_CHARS)] | None = None
    scheduler: Scheduler | None = None


class TiedOut(BaseModel):
    """A document that a topic's explanations are made of."""

    id: int
    title: str
    url: str


class TopicOut(BaseModel):
    """A topic; `documents` is null in a list, which has the count only."""

    id: int
    name: str
    description: str
    scheduler: str
    note_status: str
    created_at: datetime
    question_count: int
    document_count: int
    url: str
    documents: list[TiedOut] | None = None


class TopicsOut(BaseModel):
    """Topics by name."""

    topics: list[TopicOut]


class QuestionIn(Shape):
    """A question; with `exam_round` and without `exam_number` it takes the lowest free number of that round."""

    topic_id: Number
    text: QuestionText
    choices: ChoiceList
    correct_choice: ChoiceNumber
    explanation: Explanation | None = None
    exam_name: Annotated[Label, Filled] | None = None
    exam_round: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None
    exam_number: ExamNumber | None = None
    tags: Tags = Field([])
    source_key: Annotated[Label, Filled] | None = None


class QuestionPatch(Shape):
    """What is to be changed of a question; a change of text, choices or right choice makes its explanation stale."""

    text: QuestionText | None = None
    choices: ChoiceList | None = None
    correct_choice: ChoiceNumber | None = None
    explanation: Explanation | None = None
    exam_name: Annotated[Label, Filled] | None = None
    exam_round: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None
    exam_number: ExamNumber | None = None
    tags: Tags | None = None


class QuestionOut(BaseModel):
    """A question; `revealed` says whether what would give it away is there."""

    id: int
    topic_id: int
    text: str
    choices: list[str]
    revealed: bool
    correct_choice: int | None
    explanation: str | None
    ai_explanation: str | None
    ai_explanation_status: str
    exam_name: str | None
    exam_round: int | None
    exam_number: int | None
    tags: list[str]
    state: str
    attempts: int
    last_outcome: str | None
    created_at: datetime
    updated_at: datetime
    url: str


class QuestionsOut(BaseModel):
    """A page of questions, newest first; `next` is the value of `before` for the following one, null at the end."""

    questions: list[QuestionOut]
    next: int | None


class ExplanationIn(Shape):
    """`again` has one made anew."""

    again: StrictBool = False


class ExplanationOut(BaseModel):
    """An explanation with its evidence, or how far it is: while `pending`, `url` is where to look again."""

    question_id: int
    status: str
    explanation: str | None
    evidence: list[dict[str, Any]]
    confidence: str | None
    model: str | None
    prompt_version: str | None
    generated_at: datetime | None
    job_id: int | None
    error_code: str | None
    error_message: str | None
    url: str


class QuizIn(Shape):
    """A quiz of a topic, of several, or of all; `count` null takes the settings' number."""

    topic_id: Number | None = None
    topic_ids: Annotated[list[Number], Field(max_length=100)] = Field([])
    mode: Mode = "quiz"
    count: Annotated[StrictInt, Field(ge=1, le=MOST_QUESTIONS)] | None = None
    wrong_only: StrictBool = False

    def topics(self) -> list[int]:
        """Give every topic once, none for all of them."""
        return list(dict.fromkeys([*([] if self.topic_id is None else [self.topic_id]), *self.topic_ids]))


class AnswerIn(Shape):
    """An answer: the number of a choice, "unsure" or "dont_know"; `unsure` with a number says that it was a guess."""

    question_id: Number
    choice: ChoiceNumber | Literal["unsure", "dont_know"]
    unsure: StrictBool = False


class AnswerOut(BaseModel):
    """An answer as it was kept, and what was right; the explanations as far as there are any."""

    question_id: int
    outcome: str
    choice: int | None
    was_right: bool
    correct_choice: int
    answered: int
    question_count: int


class QuizItemOut(BaseModel):
    """A question of a quiz; hidden until it was answered there, or the quiz is finished."""

    position: int
    question_id: int
    topic_id: int
    text: str
    choices: list[str]
    outcome: str | None
    choice: int | None
    was_right: bool | None
    correct_choice: int | None
    explanation: str | None
    ai_explanation: str | None
    ai_explanation_status: str
    explanation_url: str


class QuizOut(BaseModel):
    """A quiz with its counts; `questions` is null in a list."""

    id: int
    topic_id: int | None
    topic: str | None
    mode: str
    status: str
    question_count: int
    answered: int
    right: int
    wrong: int
    unsure: int
    dont_know: int
    created_at: datetime
    finished_at: datetime | None
    url: str
    questions: list[QuizItemOut] | None = None


class QuizzesOut(BaseModel):
    """A page of quizzes, newest first; `next` as for questions."""

    quizzes: list[QuizOut]
    next: int | None


class RatingIn(Shape):
    """How well a card was known."""

    rating: Literal["again", "hard", "good", "easy"]


class CardOut(BaseModel):
    """When a card comes again; `due_at` is null once it has graduated."""

    question_id: int
    rating: str
    scheduler: str
    step: int
    lapses: int
    due_at: datetime | None
    graduated_at: datetime | None


class ReviewCardOut(BaseModel):
    """A question to review, without what would give it away."""

    question_id: int
    text: str
    choices: list[str]
    state: str
    due_at: datetime | None
    url: str


class ReviewTopicOut(BaseModel):
    """The cards of one topic."""

    topic_id: int
    topic: str
    scheduler: str
    cards: list[ReviewCardOut]


class ReviewOut(BaseModel):
    """How many questions stand in each tab, and those of one of them by topic."""

    tabs: dict[str, int]
    tab: str
    topics: list[ReviewTopicOut]
