BEGIN TRANSACTION;
CREATE TABLE arms (
    arm_key          TEXT PRIMARY KEY,
    name             TEXT NOT NULL,  -- the name it was first trained under; a study may call it otherwise
    settings         TEXT NOT NULL,  -- canonical JSON of everything that can change a number
    data_fingerprint TEXT NOT NULL,
    precision        TEXT NOT NULL,
    first_seen       TEXT NOT NULL
) STRICT;
INSERT INTO "arms" VALUES('233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339','width-50','{"batch_size":100,"data":{"dataset":"mnist"},"epochs":5,"network":[{"kind":"flatten"},{"activation":"relu","kind":"dense","units":50},{"activation":"relu","kind":"dense","units":50},{"kind":"dense","units":10}],"optimizer":{"name":"adam"}}','0f1e754767044c74facb5b5e56218228d1f9405ad68e1c6b80a583d171e6e53c','float32','2026-01-02T03:04:05.000+00:00');
INSERT INTO "arms" VALUES('e76da7ad6b4f585bdeb1902714417514437ac6dd5d711a644fffb32769b076a2','width-100','{"batch_size":100,"data":{"dataset":"mnist"},"epochs":5,"network":[{"kind":"flatten"},{"activation":"relu","kind":"dense","units":100},{"activation":"relu","kind":"dense","units":100},{"kind":"dense","units":10}],"optimizer":{"name":"adam"}}','0f1e754767044c74facb5b5e56218228d1f9405ad68e1c6b80a583d171e6e53c','float32','2026-01-02T03:04:05.000+00:00');
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
INSERT INTO "attempts" VALUES('2d014283072744770b6c68cfd7e3ed52038e0921347e1515e81c99e2be24ef0d',1,'233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339',3,1,'stopped','','2026-01-02T03:04:05.000+00:00','2026-01-02T03:04:05.000+00:00','a-host',1234);
INSERT INTO "attempts" VALUES('bf8aaa69e90e9bd0e9883dcf4e9574e55c2c610f819862fe7dec2d192948c223',1,'233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339',2,1,'failed','out of memory','2026-01-02T03:04:05.000+00:00','2026-01-02T03:04:05.000+00:00','a-host',1234);
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
INSERT INTO "claims" VALUES('6dc63b7a9ee4ea316521a9bc55d8f8fb5795fe614bffd805b91cde03b7a23077','cb2423efd973838842fe907bbec1526a','a-host','a-boot','pid:[1]',1234,'5678','2026-01-02T03:04:05.000+00:00','2026-01-02T03:04:05.000+00:00');
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
INSERT INTO "epochs" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7',1,5.11821624700256716522e-01,9.50463696325935303299e-01,1.44159612719633734023e-01,9.48649447137243861938e-01,3.11831452010485454806e-01,4.23326448972575652973e-01);
INSERT INTO "epochs" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7',2,8.27702593820441756555e-01,4.09199136369161275972e-01,5.49593687673059494436e-01,2.75591132430683671827e-02,7.53513108674806586506e-01,5.38143313219278218717e-01);
INSERT INTO "epochs" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7',3,3.29731716499092164518e-01,7.88428703428404320519e-01,0.303194829291645,4.53497889480651505955e-01,1.34041697247164748318e-01,4.03112986447129229006e-01);
INSERT INTO "epochs" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7',4,2.03455240676149617939e-01,2.62313340441849507378e-01,7.50364672630052575996e-01,2.80408757986039924858e-01,4.85190974431635058117e-01,9.80737199801238634933e-01);
INSERT INTO "epochs" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7',5,9.61657193663786769022e-01,7.24789940773533647444e-01,5.41226855547434215765e-01,2.76891204045370820097e-01,1.60652008775126864392e-01,9.69925413216132570326e-01);
INSERT INTO "epochs" VALUES('93167f5d0f5bf5b0491f8d5d0979980a7ba01769ba3249de541ab2f450eba78c',1,5.11821624700256716522e-01,9.50463696325935303299e-01,1.44159612719633734023e-01,9.48649447137243861938e-01,3.11831452010485454806e-01,4.23326448972575652973e-01);
INSERT INTO "epochs" VALUES('93167f5d0f5bf5b0491f8d5d0979980a7ba01769ba3249de541ab2f450eba78c',2,8.27702593820441756555e-01,4.09199136369161275972e-01,5.49593687673059494436e-01,2.75591132430683671827e-02,7.53513108674806586506e-01,5.38143313219278218717e-01);
INSERT INTO "epochs" VALUES('bf8aaa69e90e9bd0e9883dcf4e9574e55c2c610f819862fe7dec2d192948c223',1,2.61612134249316397038e-01,2.98491143414123305532e-01,8.14225740594280322781e-01,0.0919159421350969,0.600100525965654,7.28560526811794617607e-01);
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
INSERT INTO "looks" VALUES('4596462e5045b59743304ccca14d45e1745ab14790d8107f84d141ac6d705667',3,'[1, 2, 3]',0.01,0.001,0.001,0.01,0.005,0.015,0.02,NULL,NULL,'undecided','undecided','2026-01-02T03:04:05.000+00:00');
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
INSERT INTO "pairs" VALUES(1,'233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339','e76da7ad6b4f585bdeb1902714417514437ac6dd5d711a644fffb32769b076a2',1,1,'a-machine','a processor','cpu',2.0,2.2,1.8,200,0.5,3.0,3.30000000000000026645e+00,2.7,200,0.5,NULL,0.25,2.0,1,'2026-01-02T03:04:05.000+00:00');
INSERT INTO "pairs" VALUES(2,'233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339','e76da7ad6b4f585bdeb1902714417514437ac6dd5d711a644fffb32769b076a2',2,1,'a-machine','a processor','cpu',3.0,3.30000000000000026645e+00,2.7,200,0.5,4.0,4.4,3.6,200,0.5,NULL,0.25,2.0,1,'2026-01-02T03:04:05.000+00:00');
CREATE TABLE plans (
    id            INTEGER PRIMARY KEY,
    study         TEXT NOT NULL,
    sha256        TEXT NOT NULL,  -- of the column plan
    plan          TEXT NOT NULL,  -- canonical JSON of everything that can change a verdict, and nothing else
    seen          TEXT NOT NULL,  -- JSON: trials stored by then, by arm key; arms without any are left out
    registered_at TEXT NOT NULL
) STRICT;
INSERT INTO "plans" VALUES(1,'width','c88ca2a4fdc752369338e4ca24cd9a7a31fbfb11a50241dbd8bc1d05d169976c','{"first":3,"horizon":50}','{}','2026-01-02T03:04:05.000+00:00');
CREATE TABLE predictions (
    key           TEXT PRIMARY KEY REFERENCES trials ON DELETE CASCADE,
    images        INTEGER NOT NULL,
    evaluations   INTEGER NOT NULL,
    classes       BLOB NOT NULL,
    probabilities BLOB NOT NULL,
    right_counts  BLOB NOT NULL
) STRICT;
INSERT INTO "predictions" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7',100,5,X'78DA0D8C3112003008C20429E2FF3F5C8F214BC206DAA9D7EE99D75B372F22C7CE5A34D29442B4CE3D24C32139C2C605BFBE0CA8225EC08CADDC1D1F43EA035F9B01C7',X'78DA01C80037FFC94D7422673443C0477CFBF6B98A4629F8841D9FC69CEA0A87750FA4DA9742D78282C025D1AEC931CD3014DADCE0784601A5B8D54837A3CEF6267BE56C9606ACEBD3E2A93EC436D410D32A6051B02D6501436B1BA261B9A76EDEA1CF578B32FF3E411241D69E185032152717C935112E8B8DE2204C1DA99CD4EDD3235197F62D45CA95026EC9C6DED2EB7E0E67FAE1EF7C64CF28D14D4BE72918AB17B289720B37E9456748AAB10CDCBD30CE0E521D0915FBB7717E33D31E1663AC636408D36D802D400243C2BDFF47ED6110',X'78DA1D8C510E005110C14671FF2BAFB7890FD5844905A1279D235F941E1D9D78C366B802F2AA93A007BF31751B3751D3CEDF646ED9EDF8032FD40101');
INSERT INTO "predictions" VALUES('93167f5d0f5bf5b0491f8d5d0979980a7ba01769ba3249de541ab2f450eba78c',100,5,X'78DA0D8C3112003008C20429E2FF3F5C8F214BC206DAA9D7EE99D75B372F22C7CE5A34D29442B4CE3D24C32139C2C605BFBE0CA8225EC08CADDC1D1F43EA035F9B01C7',X'78DA01C80037FFC94D7422673443C0477CFBF6B98A4629F8841D9FC69CEA0A87750FA4DA9742D78282C025D1AEC931CD3014DADCE0784601A5B8D54837A3CEF6267BE56C9606ACEBD3E2A93EC436D410D32A6051B02D6501436B1BA261B9A76EDEA1CF578B32FF3E411241D69E185032152717C935112E8B8DE2204C1DA99CD4EDD3235197F62D45CA95026EC9C6DED2EB7E0E67FAE1EF7C64CF28D14D4BE72918AB17B289720B37E9456748AAB10CDCBD30CE0E521D0915FBB7717E33D31E1663AC636408D36D802D400243C2BDFF47ED6110',X'78DA1D8C510E005110C14671FF2BAFB7890FD5844905A1279D235F941E1D9D78C366B802F2AA93A007BF31751B3751D3CEDF646ED9EDF8032FD40101');
CREATE TABLE provenance (
    id   INTEGER PRIMARY KEY,
    json TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "provenance" VALUES(1,'{"fairtrial":"0.1.0","processor":"a processor \u2014 of some kind","torch":"2.13.0"}');
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
INSERT INTO "trials" VALUES('3cb1c88ea387f16054d3943fd0855ea8d55fd2bdb33a52c13877f67aa455ddc7','233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339',1,1,'finished','',5,5.11821624700256716522e-01,9.50463696325935303299e-01,1.44159612719633734023e-01,9.48649447137243861938e-01,3.11831452010485454806e-01,4.23326448972575652973e-01,8.27702593820441756555e-01,4.09199136369161275972e-01,5.49593687673059494436e-01,2.75591132430683671827e-02,7.53513108674806586506e-01,5.38143313219278218717e-01,3.29731716499092164518e-01,7.88428703428404320519e-01,0.303194829291645,4.53497889480651505955e-01,1.34041697247164748318e-01,'0000000000000000000000000000000000000000000000000000000000000001',1,1,'2026-01-02T03:04:05.000+00:00');
INSERT INTO "trials" VALUES('bf8aaa69e90e9bd0e9883dcf4e9574e55c2c610f819862fe7dec2d192948c223','233e46e0ce2dea68b6556395393e6bb7ef5c7c7e8c9cfdf8eb1140000ff69339',2,1,'diverged','training loss became nan in epoch 2',1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0.5,NULL,NULL,NULL,NULL,'',0,1,'2026-01-02T03:04:05.000+00:00');
INSERT INTO "trials" VALUES('93167f5d0f5bf5b0491f8d5d0979980a7ba01769ba3249de541ab2f450eba78c','e76da7ad6b4f585bdeb1902714417514437ac6dd5d711a644fffb32769b076a2',1,1,'finished','',2,5.11821624700256716522e-01,9.50463696325935303299e-01,1.44159612719633734023e-01,9.48649447137243861938e-01,3.11831452010485454806e-01,4.23326448972575652973e-01,8.27702593820441756555e-01,4.09199136369161275972e-01,5.49593687673059494436e-01,2.75591132430683671827e-02,7.53513108674806586506e-01,5.38143313219278218717e-01,3.29731716499092164518e-01,7.88428703428404320519e-01,0.303194829291645,4.53497889480651505955e-01,1.34041697247164748318e-01,'0000000000000000000000000000000000000000000000000000000000000001',0,1,'2026-01-02T03:04:05.000+00:00');
CREATE TABLE unplanned (
    key TEXT PRIMARY KEY REFERENCES trials ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE verdicts (
    sha256   TEXT PRIMARY KEY,  -- of the column terms
    study    TEXT NOT NULL,
    question TEXT NOT NULL,     -- the name it was first asked under; a study may call it otherwise
    terms    TEXT NOT NULL      -- canonical JSON: arm keys, metric, margin, alpha, horizon, engine version, ...
) STRICT, WITHOUT ROWID;
INSERT INTO "verdicts" VALUES('4596462e5045b59743304ccca14d45e1745ab14790d8107f84d141ac6d705667','width','Q1','{"alpha":0.05,"study":"width"}');
CREATE INDEX trials_by_arm ON trials (arm_key, seed, engine_version);
CREATE INDEX attempts_by_arm ON attempts (arm_key, seed, engine_version);
CREATE INDEX plans_by_study ON plans (study, id);
CREATE INDEX verdicts_by_study ON verdicts (study);
CREATE INDEX pairs_by_arms ON pairs (first_arm_key, second_arm_key);
COMMIT;
PRAGMA application_id = 1718907441;
PRAGMA user_version = 3;
