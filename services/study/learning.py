"""The words for how well a question is known, and for the tabs of the review; the rules are views of the database.

A question's state follows from its last three answers (view study_learning_state, migration 0022).
"""

STATES = ("unattempted", "unsure", "chronic_wrong", "regressed", "recovered", "stable", "unstable")
TABS = ("due_today", "pending_review", "chronic", "regressed", "mastered")
"""Tabs of view study_review_tabs; a question may stand in several."""
OUTCOMES = ("right", "wrong", "unsure", "dont_know")
