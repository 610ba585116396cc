-- What happened: every trial's outcome, every attempt that ended without one, and who trains what now.
-- A fresh store is made from this file; migrations.py brings older ones to the same shape.
-- Keys are 64 hex digits (trial.py). Times are UTC in ISO 8601. Accuracies are in [0, 1].

CREATE TABLE arms (
    arm_key          TEXT PRIMARY KEY,
    name             TEXT NOT NULL,  -- the name it was first trained under; a study may call it otherwise
    settings         TEXT NOT NULL,  -- canonical JSON of everything that can change a number
    data_fingerprint TEXT NOT NULL,
    precision        TEXT NOT NULL,
    first_seen       TEXT NOT NULL
) STRICT;

-- Where outcomes came from: package, torch, processor, ... One row for all trials that share it.
CREATE TABLE provenance (
    id   INTEGER PRIMARY KEY,
    json TEXT NOT NULL UNIQUE
) STRICT;

-- One row per final outcome, never changed once written. A metric or phase is NULL where it was not measured.
CREATE TABLE trials (
    key                            TEXT PRIMARY KEY,
    arm_key                        TEXT NOT NULL REFERENCES arms,
    seed                           INTEGER NOT NULL,
    engine_version                 INTEGER NOT NULL,
    state                          TEXT NOT NULL CHECK (state IN ('finished', 'diverged')),
    reason                         TEXT NOT NULL,
    epochs                         INTEGER NOT NULL,
    train_accuracy                 REAL,
    train_loss                     REAL,
    validation_accuracy            REAL,
    validation_loss                REAL,
    test_accuracy                  REAL,
    test_loss                      REAL,
    validation_accuracy_last_epoch REAL,
    validation_loss_last_epoch     REAL,
    test_accuracy_last_epoch       REAL,
    test_loss_last_epoch           REAL,
    validation_seen                REAL,
    setup_seconds                  REAL,
    train_seconds                  REAL,
    validation_seconds             REAL,
    last_epoch_seconds             REAL,
    test_seconds                   REAL,
    fit_seconds                    REAL,
    weights_sha256                 TEXT NOT NULL,
    weights_saved                  INTEGER NOT NULL CHECK (weights_saved IN (0, 1)),
    provenance_id                  INTEGER NOT NULL REFERENCES provenance,
    recorded_at                    TEXT NOT NULL
) STRICT;

CREATE INDEX trials_by_arm ON trials (arm_key, seed, engine_version);

-- A NULL here is a NaN, which SQLite cannot hold.
CREATE TABLE epochs (
    key                 TEXT NOT NULL REFERENCES trials ON DELETE CASCADE,
    epoch               INTEGER NOT NULL,
    train_accuracy      REAL,
    train_loss          REAL,
    validation_accuracy REAL,
    validation_loss     REAL,
    train_seconds       REAL,
    validation_seconds  REAL,
    PRIMARY KEY (key, epoch)
) STRICT, WITHOUT ROWID;

-- Per test image, compressed; predictions.py says how the blobs are packed.
CREATE TABLE predictions (
    key           TEXT PRIMARY KEY REFERENCES trials ON DELETE CASCADE,
    images        INTEGER NOT NULL,
    evaluations   INTEGER NOT NULL,
    classes       BLOB NOT NULL,
    probabilities BLOB NOT NULL,
    right_counts  BLOB NOT NULL
) STRICT;

-- Trainings that ended without an outcome. They stay when the trial is finished later.
CREATE TABLE attempts (
    key            TEXT NOT NULL,
    number         INTEGER NOT NULL,  -- from 1
    arm_key        TEXT NOT NULL REFERENCES arms,
    seed           INTEGER NOT NULL,
    engine_version INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('failed', 'stopped')),
    reason         TEXT NOT NULL,
    began          TEXT NOT NULL,
    ended          TEXT NOT NULL,
    host           TEXT NOT NULL,
    pid            INTEGER NOT NULL,
    PRIMARY KEY (key, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_arm ON attempts (arm_key, seed, engine_version);

-- Who trains what now. A row goes when its trial is recorded, lost or released; a dead owner's is taken over.
CREATE TABLE claims (
    key           TEXT PRIMARY KEY,
    token         TEXT NOT NULL,
    host          TEXT NOT NULL,
    boot_id       TEXT NOT NULL,
    pid_namespace TEXT NOT NULL,  -- two containers may share host name and boot, and not their pids
    pid           INTEGER NOT NULL,
    started       TEXT NOT NULL,  -- when the process started, as the system tells it; '' if it does not
    claimed_at    TEXT NOT NULL,
    heartbeat     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a study set out to ask, written before its first trial: one row whenever `run` meets a plan that is not
-- in force already. Never changed once written.
CREATE TABLE plans (
    id            INTEGER PRIMARY KEY,
    study         TEXT NOT NULL,
    sha256        TEXT NOT NULL,  -- of the column plan
    plan          TEXT NOT NULL,  -- canonical JSON of everything that can change a verdict, and nothing else
    seen          TEXT NOT NULL,  -- JSON: trials stored by then, by arm key; arms without any are left out
    registered_at TEXT NOT NULL
) STRICT;

CREATE INDEX plans_by_study ON plans (study, id);

-- Trials from before plans were kept: nobody can say which plan came first, so they are held against none.
CREATE TABLE unplanned (
    key TEXT PRIMARY KEY REFERENCES trials ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What was judged, on which terms: the looks of one row share horizon, margin and error.
CREATE TABLE verdicts (
    sha256   TEXT PRIMARY KEY,  -- of the column terms
    study    TEXT NOT NULL,
    question TEXT NOT NULL,     -- the name it was first asked under; a study may call it otherwise
    terms    TEXT NOT NULL      -- canonical JSON: arm keys, metric, margin, alpha, horizon, engine version, ...
) STRICT, WITHOUT ROWID;

CREATE INDEX verdicts_by_study ON verdicts (study);

-- Every look at every verdict, in seed order, never changed once written. In the contrasts' unit; a NULL bound
-- is an infinite one.
CREATE TABLE looks (
    terms_sha256      TEXT NOT NULL REFERENCES verdicts,
    n                 INTEGER NOT NULL,  -- seeds looked at, diverged ones included
    seeds             TEXT NOT NULL,     -- JSON: which ones
    estimate          REAL,
    sd                REAL,
    margin            REAL NOT NULL,
    sign_level        REAL NOT NULL,     -- p* of low and high
    low               REAL,
    high              REAL,
    equivalence_level REAL NOT NULL,     -- p* of equivalence_low and equivalence_high
    equivalence_low   REAL,
    equivalence_high  REAL,
    alone             TEXT NOT NULL,     -- what this look settles by itself
    verdict           TEXT NOT NULL,     -- what stands after it and all before it
    recorded_at       TEXT NOT NULL,
    PRIMARY KEY (terms_sha256, n)
) STRICT, WITHOUT ROWID;
-- Two arms timed in turn (first, second, second, first) for questions about time: one row per pair, in the
-- order of their ids. Seconds are those of a whole training, scaled from the timed ones.
CREATE TABLE pairs (
    id                     INTEGER PRIMARY KEY,
    first_arm_key          TEXT NOT NULL REFERENCES arms,
    second_arm_key         TEXT NOT NULL REFERENCES arms,
    seed                   INTEGER NOT NULL,
    engine_version         INTEGER NOT NULL,
    machine                TEXT NOT NULL,
    processor              TEXT NOT NULL,
    device                 TEXT NOT NULL,
    first_train_seconds    REAL NOT NULL,
    first_fit_seconds      REAL NOT NULL,
    first_process_seconds  REAL NOT NULL,
    first_timed_steps      INTEGER NOT NULL,
    first_timed_seconds    REAL NOT NULL,
    second_train_seconds   REAL NOT NULL,
    second_fit_seconds     REAL NOT NULL,
    second_process_seconds REAL NOT NULL,
    second_timed_steps     INTEGER NOT NULL,
    second_timed_seconds   REAL NOT NULL,
    load_average           REAL,  -- of the last minute, when the pair began; NULL where the system keeps none
    other_load             REAL,  -- processor cores that anything but this pair kept busy; NULL if unknown
    seconds                REAL NOT NULL,  -- the whole pair, warm-up included
    provenance_id          INTEGER NOT NULL REFERENCES provenance,
    recorded_at            TEXT NOT NULL
) STRICT;

CREATE INDEX pairs_by_arms ON pairs (first_arm_key, second_arm_key);

-- What searches proposed, and what was selected by a search, a tuning or a combination: never changed afterwards, but
-- for the scores of a proposal that was stopped.
CREATE TABLE proposals (
    search      TEXT NOT NULL,     -- SHA-256 of what is searched: baseline, space, metric, way of proposing
    number      INTEGER NOT NULL,  -- from 0, in the order of proposing
    parameters  TEXT NOT NULL,     -- JSON: each parameter's value by its name
    arm_key     TEXT NOT NULL,
    scores      TEXT NOT NULL,     -- JSON: of one that was stopped, the score after each epoch; else null
    proposed_at TEXT NOT NULL,
    PRIMARY KEY (search, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE selections (
    study       TEXT NOT NULL,
    question    TEXT NOT NULL,
    basis       TEXT NOT NULL,     -- SHA-256 of what was selected from
    selected    TEXT NOT NULL,     -- JSON: what
    block       INTEGER NOT NULL,  -- where the seeds begin on which it is judged
    selected_at TEXT NOT NULL,
    PRIMARY KEY (study, question, basis)
) STRICT, WITHOUT ROWID;
