"""The kinds of findings in the order in which they are told, and what each is in a few words."""

from __future__ import annotations

from fairtrial.audit.finding import FindingKind

TITLES: dict[FindingKind, str] = {
    "reshuffled-split": "The validation data are trained on",
    "test-as-validation": "The test data steer",
    "fit-before-split": "Something is fitted on all data before the split",
    "contradicted": "The text contradicts the file's own figures",
    "confounded": "Several settings change at once",
    "wrong-default": "A stated default is not the library's",
    "best-epoch": "The best epoch is reported as the result",
    "not-shown": "Text and output are of different runs",
    "hidden-model": "A model was built and is not shown",
    "epochs-with-batch-size": "The batch size changes and the epochs do not",
    "one-run": "Each setting was trained once",
    "no-seed": "No seed is set",
}
