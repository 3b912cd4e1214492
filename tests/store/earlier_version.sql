BEGIN TRANSACTION;
CREATE TABLE chosen (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        id INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;
INSERT INTO "chosen" VALUES('https://api.example','b97a5d334e094339','project',1,'One');
CREATE TABLE filters_left (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        filter TEXT NOT NULL,
        PRIMARY KEY (origin, key_id, scope)
    );
CREATE TABLE filters_used (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        filter TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, filter)
    ) WITHOUT ROWID;
CREATE TABLE findings (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        told TEXT NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;
INSERT INTO "findings" VALUES('https://api.example','b97a5d334e094339',102,'[]',1760000040.0);
CREATE TABLE job_answers (
        job INTEGER NOT NULL REFERENCES jobs(number),
        raw TEXT NOT NULL,
        first_at REAL NOT NULL,
        last_at REAL NOT NULL, bytes INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (job, raw)
    );
INSERT INTO "job_answers" VALUES(2,'{"progress_id": "p-2"}',1760000201.0,1760000201.0,22);
INSERT INTO "job_answers" VALUES(2,'{"status": "running", "output": null, "error": null}',1760000205.0,1760000205.0,52);
INSERT INTO "job_answers" VALUES(2,'{"status": "completed", "output": {"improved_prompt": "\ufeffBe kind.\r\nAsk for the name, and spell it back.\n", "summary_of_changes": ["Spells names back"]}}',1760000210.0,1760000210.0,159);
INSERT INTO "job_answers" VALUES(3,'{"progress_id": "p-3"}',1760000301.0,1760000301.0,22);
INSERT INTO "job_answers" VALUES(3,'{"status": "running", "output": null, "error": null}',1760000305.0,1760000305.0,52);
INSERT INTO "job_answers" VALUES(3,'{"status": "failed", "error": "No issues found in the selected runs"}',1760000310.0,1760000310.0,69);
INSERT INTO "job_answers" VALUES(4,'{"progress_id": "p-4"}',1760000401.0,1760000401.0,22);
INSERT INTO "job_answers" VALUES(4,'{"status": "failed", "error": "The model gave up."}',1760000405.0,1760000405.0,51);
INSERT INTO "job_answers" VALUES(5,'{"progress_id": "p-5"}',1760000501.0,1760000501.0,22);
INSERT INTO "job_answers" VALUES(5,'{"status": "running", "output": null, "error": null}',1760000505.0,1760000505.0,52);
INSERT INTO "job_answers" VALUES(6,'{"progress_id": "p-6"}',1760000601.0,1760000601.0,22);
INSERT INTO "job_answers" VALUES(6,'{"status": "running", "output": null, "error": null}',1760000605.0,1760000605.0,52);
INSERT INTO "job_answers" VALUES(7,'{"progress_id": "p-7"}',1760000701.0,1760000701.0,22);
INSERT INTO "job_answers" VALUES(7,'{"status": "running", "output": null, "error": null}',1760000705.0,1760000705.0,52);
INSERT INTO "job_answers" VALUES(7,'{"detail": "Not found."}',1760000720.0,1760000720.0,24);
INSERT INTO "job_answers" VALUES(11,'{"progress_id": "p-11"}',1760001201.0,1760001201.0,23);
INSERT INTO "job_answers" VALUES(11,'{"status": "completed", "output": {"improved_prompt": "\ufeffBe kind.\r\nAsk for the name, and spell it back.\n", "summary_of_changes": ["Spells names back"]}}',1760001230.0,1760001230.0,159);
CREATE TABLE job_changes (
        job INTEGER NOT NULL REFERENCES jobs(number),
        at REAL NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL
    );
INSERT INTO "job_changes" VALUES(1,1760000000.0,'draft','');
INSERT INTO "job_changes" VALUES(2,1760000200.0,'launching','');
INSERT INTO "job_changes" VALUES(2,1760000201.0,'running','');
INSERT INTO "job_changes" VALUES(2,1760000210.0,'succeeded','');
INSERT INTO "job_changes" VALUES(3,1760000300.0,'launching','');
INSERT INTO "job_changes" VALUES(3,1760000301.0,'running','');
INSERT INTO "job_changes" VALUES(3,1760000310.0,'no_issues','No issues found in the selected runs');
INSERT INTO "job_changes" VALUES(4,1760000400.0,'launching','');
INSERT INTO "job_changes" VALUES(4,1760000401.0,'running','');
INSERT INTO "job_changes" VALUES(4,1760000405.0,'failed','The model gave up.');
INSERT INTO "job_changes" VALUES(5,1760000500.0,'launching','');
INSERT INTO "job_changes" VALUES(5,1760000501.0,'running','');
INSERT INTO "job_changes" VALUES(6,1760000600.0,'launching','');
INSERT INTO "job_changes" VALUES(6,1760000601.0,'running','');
INSERT INTO "job_changes" VALUES(6,1760000620.0,'stopped','It is not asked about any more, and may go on at the server.');
INSERT INTO "job_changes" VALUES(7,1760000700.0,'launching','');
INSERT INTO "job_changes" VALUES(7,1760000701.0,'running','');
INSERT INTO "job_changes" VALUES(7,1760000720.0,'lost','Not found.');
INSERT INTO "job_changes" VALUES(8,1760000800.0,'launching','');
INSERT INTO "job_changes" VALUES(8,1760000820.0,'unconfirmed','The connection broke.');
INSERT INTO "job_changes" VALUES(9,1760000900.0,'launching','');
INSERT INTO "job_changes" VALUES(10,1760001000.0,'launching','');
INSERT INTO "job_changes" VALUES(10,1760001001.0,'running','');
INSERT INTO "job_changes" VALUES(10,1760001005.0,'succeeded','');
INSERT INTO "job_changes" VALUES(10,1760001100.0,'forgotten','');
INSERT INTO "job_changes" VALUES(11,1760001200.0,'launching','');
INSERT INTO "job_changes" VALUES(11,1760001201.0,'running','');
INSERT INTO "job_changes" VALUES(11,1760001230.0,'succeeded','');
CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        profile TEXT NOT NULL,
        run_ids TEXT NOT NULL,
        agent_id INTEGER,
        agent_name TEXT NOT NULL DEFAULT '',
        category_ids TEXT NOT NULL DEFAULT '[]',
        workflow_metric_ids TEXT NOT NULL DEFAULT '[]',
        prompt_sha256 TEXT NOT NULL REFERENCES prompts(sha256),
        prompt_source TEXT NOT NULL DEFAULT '',
        progress_id TEXT,
        last_status TEXT,
        improved_sha256 TEXT REFERENCES prompts(sha256),
        summary_of_changes TEXT,
        error TEXT,
        created_at REAL NOT NULL,
        launched_at REAL,
        finished_at REAL,
        answered_at REAL,
        stale_since REAL,
        owner TEXT NOT NULL DEFAULT ''
    , again_of INTEGER, took REAL, looked_at REAL);
INSERT INTO "jobs" VALUES(1,'draft','','https://api.example','b97a5d334e094339','default','[101]',7,'Front desk','[]','[]','55768c4238992f5aead66dd55a4c94e5898b4e420e5ae4fc4fb9805310541b72','',NULL,NULL,NULL,NULL,NULL,1760000000.0,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(2,'succeeded','','https://api.example','b97a5d334e094339','default','[102, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-2','completed','f0c402e1a6b8ae9cc02ef770f91cf9162ca00c2388f58b8d559c274fdb61c70c','- Spells names back',NULL,1760000200.0,1760000200.0,1760000210.0,1760000210.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,10.0,1760000300.0);
INSERT INTO "jobs" VALUES(3,'no_issues','No issues found in the selected runs','https://api.example','b97a5d334e094339','default','[103, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-3','failed',NULL,NULL,'No issues found in the selected runs',1760000300.0,1760000300.0,1760000310.0,1760000310.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,10.0,NULL);
INSERT INTO "jobs" VALUES(4,'failed','The model gave up.','https://api.example','b97a5d334e094339','default','[104, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-4','failed',NULL,NULL,'The model gave up.',1760000400.0,1760000400.0,1760000405.0,1760000405.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,5.0,NULL);
INSERT INTO "jobs" VALUES(5,'running','','https://api.example','b97a5d334e094339','default','[105, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-5','running',NULL,NULL,NULL,1760000500.0,1760000500.0,NULL,1760000505.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(6,'stopped','It is not asked about any more, and may go on at the server.','https://api.example','b97a5d334e094339','default','[106, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-6','running',NULL,NULL,NULL,1760000600.0,1760000600.0,NULL,1760000605.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(7,'lost','Not found.','https://api.example','b97a5d334e094339','default','[107, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-7','running',NULL,NULL,NULL,1760000700.0,1760000700.0,NULL,1760000705.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(8,'unconfirmed','The connection broke.','https://api.example','b97a5d334e094339','default','[108, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited',NULL,NULL,NULL,NULL,NULL,1760000800.0,1760000800.0,NULL,NULL,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(9,'launching','','https://api.example','b97a5d334e094339','default','[109, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited',NULL,NULL,NULL,NULL,NULL,1760000900.0,1760000900.0,NULL,NULL,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(10,'forgotten','','https://api.example','b97a5d334e094339','default','[110, 200]',7,'Front desk','[9]','[5, 6]','e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855','agent, edited','p-10','completed',NULL,NULL,NULL,1760001000.0,1760001000.0,1760001005.0,1760001005.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',NULL,5.0,1760001100.0);
INSERT INTO "jobs" VALUES(11,'succeeded','','https://api.example','b97a5d334e094339','default','[108, 200]',7,'Front desk','[9]','[5, 6]','7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','agent, edited','p-11','completed','f0c402e1a6b8ae9cc02ef770f91cf9162ca00c2388f58b8d559c274fdb61c70c','- Spells names back',NULL,1760001200.0,1760001200.0,1760001230.0,1760001230.0,NULL,'{"host": "another-host", "pid": 4711, "start": "boot:1", "token": "0011"}',8,30.0,NULL);
CREATE TABLE leases (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        holder TEXT NOT NULL,
        beat INTEGER NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;
CREATE TABLE looked (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;
INSERT INTO "looked" VALUES('https://api.example','b97a5d334e094339',1760001300.0);
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('salt',X'73616C74206F66207468652076657273696F6E206265666F7265');
CREATE TABLE notes (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        text TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;
INSERT INTO "notes" VALUES('https://api.example','b97a5d334e094339',102,'Asked twice for the name.',1760000050.0);
CREATE TABLE opened_runs (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        id INTEGER NOT NULL,
        source TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        got_at REAL NOT NULL,
        opened_at REAL NOT NULL, row TEXT,
        PRIMARY KEY (origin, key_id, id)
    );
INSERT INTO "opened_runs" VALUES('https://api.example','b97a5d334e094339',102,'{"id": 102, "agent": 7, "agent_name": "Front desk", "status": "completed", "evaluation_status": "failure", "scenario_name": "Books a table"}',140,1760000040.0,1760000040.0,'[102, "Books a table", "", 7, "Front desk", ["failed", "failed"], "", null, "completed", null, null, null, null, null, false, []]');
CREATE TABLE prompt_uses (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        agent_id INTEGER NOT NULL,
        sha256 TEXT NOT NULL REFERENCES prompts(sha256),
        how TEXT NOT NULL,
        at REAL NOT NULL,
        job INTEGER REFERENCES jobs(number),
        PRIMARY KEY (origin, key_id, agent_id, sha256, how)
    );
INSERT INTO "prompt_uses" VALUES('https://api.example','b97a5d334e094339',7,'7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','sent',1760001200.0,11);
INSERT INTO "prompt_uses" VALUES('https://api.example','b97a5d334e094339',7,'f0c402e1a6b8ae9cc02ef770f91cf9162ca00c2388f58b8d559c274fdb61c70c','proposed',1760001230.0,11);
INSERT INTO "prompt_uses" VALUES('https://api.example','b97a5d334e094339',7,'f0c402e1a6b8ae9cc02ef770f91cf9162ca00c2388f58b8d559c274fdb61c70c','staged',1760000310.0,2);
INSERT INTO "prompt_uses" VALUES('https://api.example','b97a5d334e094339',7,'7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7','seen',1760000090.0,NULL);
CREATE TABLE prompts (sha256 TEXT PRIMARY KEY, text BLOB NOT NULL, kept_at REAL NOT NULL) WITHOUT ROWID;
INSERT INTO "prompts" VALUES('55768c4238992f5aead66dd55a4c94e5898b4e420e5ae4fc4fb9805310541b72',X'412064726166742E0A',1760000000.0);
INSERT INTO "prompts" VALUES('7a8dc3239f16022f4e85e5e3c40751a6b686493ac73cb923ac1c92f279b41bc7',X'EFBBBF4265206B696E642E0D0A41736B20666F7220746865206E616D652E0A',1760000200.0);
INSERT INTO "prompts" VALUES('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',X'',0.0);
INSERT INTO "prompts" VALUES('f0c402e1a6b8ae9cc02ef770f91cf9162ca00c2388f58b8d559c274fdb61c70c',X'EFBBBF4265206B696E642E0D0A41736B20666F7220746865206E616D652C20616E64207370656C6C206974206261636B2E0A',1760000210.0);
CREATE TABLE run_rows (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        id INTEGER NOT NULL,
        row TEXT NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, scope, id)
    ) WITHOUT ROWID;
CREATE TABLE said_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        scenario TEXT NOT NULL,
        at REAL,
        kept INTEGER NOT NULL DEFAULT 1,
        indexed INTEGER NOT NULL DEFAULT 0
    );
CREATE TABLE said_turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES said_runs(id),
        n INTEGER NOT NULL,
        speaker TEXT NOT NULL,
        start REAL,
        text TEXT NOT NULL,
        folded TEXT NOT NULL
    );
CREATE TABLE scopes_seen (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        count INTEGER NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, scope)
    ) WITHOUT ROWID;
CREATE TABLE staged (
        job INTEGER PRIMARY KEY REFERENCES jobs(number),
        sha256 TEXT NOT NULL REFERENCES prompts(sha256),
        at REAL NOT NULL
    );
INSERT INTO "staged" VALUES(2,'f0c402e1a6b8ae9cc02ef770f91cf9162ca00c2388f58b8d559c274fdb61c70c',1760000310.0);
CREATE TABLE stagings (
        job INTEGER NOT NULL REFERENCES jobs(number),
        step INTEGER NOT NULL,
        hunk TEXT NOT NULL,
        what TEXT NOT NULL,
        text BLOB NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (job, step, hunk)
    ) WITHOUT ROWID;
INSERT INTO "stagings" VALUES(2,1,'5a237b097d7ded7973db','accepted',X'',1760000310.0);
CREATE TABLE typed (
        job INTEGER NOT NULL REFERENCES jobs(number),
        hunk TEXT NOT NULL,
        text BLOB NOT NULL,
        PRIMARY KEY (job, hunk)
    ) WITHOUT ROWID;
INSERT INTO "typed" VALUES(2,'5a237b097d7ded7973db',X'41736B20666F7220746865206E61');
CREATE TABLE views (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        name TEXT NOT NULL,
        filter TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, name)
    ) WITHOUT ROWID;
INSERT INTO "views" VALUES('https://api.example','b97a5d334e094339','failed ones','status:failed',1760000060.0);
CREATE INDEX jobs_by_pair ON jobs (origin, key_id, state);
CREATE INDEX job_changes_by_job ON job_changes (job, at);
CREATE INDEX findings_by_age ON findings (got_at, run_id);
CREATE INDEX said_runs_by_run ON said_runs (origin, key_id, run_id, kept);
CREATE INDEX said_turns_by_run ON said_turns (run, n);
CREATE TRIGGER opened_run_came AFTER INSERT ON opened_runs BEGIN
        UPDATE said_runs SET kept = 0
        WHERE origin = new.origin AND key_id = new.key_id AND run_id = new.id AND kept;
    END;
CREATE TRIGGER opened_run_left AFTER DELETE ON opened_runs BEGIN
        UPDATE said_runs SET kept = 0
        WHERE origin = old.origin AND key_id = old.key_id AND run_id = old.id AND kept;
    END;
CREATE INDEX staged_by_prompt ON staged (sha256);
CREATE INDEX prompt_uses_by_prompt ON prompt_uses (sha256);
CREATE INDEX prompt_uses_by_job ON prompt_uses (job);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',11);
COMMIT;
PRAGMA user_version = 5;
