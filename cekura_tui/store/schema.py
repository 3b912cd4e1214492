"""The tables, as a list of migrations: entry n brings a file from `user_version` n to n + 1."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

    -- each text once, by the hash of its exact bytes
    CREATE TABLE prompts (sha256 TEXT PRIMARY KEY, text BLOB NOT NULL, kept_at REAL NOT NULL) WITHOUT ROWID;

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
    );
    CREATE INDEX jobs_by_pair ON jobs (origin, key_id, state);

    CREATE TABLE job_changes (
        job INTEGER NOT NULL REFERENCES jobs(number),
        at REAL NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE INDEX job_changes_by_job ON job_changes (job, at);

    -- every distinct raw answer of a job, with when it first and last came
    CREATE TABLE job_answers (
        job INTEGER NOT NULL REFERENCES jobs(number),
        raw TEXT NOT NULL,
        first_at REAL NOT NULL,
        last_at REAL NOT NULL,
        PRIMARY KEY (job, raw)
    );

    -- list rows in a form that the first frame can show, and opened runs whole
    CREATE TABLE run_rows (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        id INTEGER NOT NULL,
        row TEXT NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, scope, id)
    ) WITHOUT ROWID;
    CREATE TABLE scopes_seen (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        count INTEGER NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, scope)
    ) WITHOUT ROWID;
    CREATE TABLE opened_runs (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        id INTEGER NOT NULL,
        source TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        got_at REAL NOT NULL,
        opened_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, id)
    );

    -- the project or agent chosen last for a key at a server
    CREATE TABLE chosen (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        id INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE jobs ADD COLUMN again_of INTEGER;
    ALTER TABLE jobs ADD COLUMN took REAL;
    ALTER TABLE jobs ADD COLUMN looked_at REAL;
    UPDATE jobs SET looked_at = coalesce(finished_at, launched_at, created_at);

    ALTER TABLE job_answers ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    UPDATE job_answers SET bytes = length(CAST(raw AS BLOB));

    -- which process asks the server about the jobs of an account; `beat` grows while it lives
    CREATE TABLE leases (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        holder TEXT NOT NULL,
        beat INTEGER NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;

    -- when somebody last sat before the jobs of an account
    CREATE TABLE looked (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;
    """,
    """
    -- what somebody wrote about a run; the server never sees it
    CREATE TABLE notes (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        text TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;

    -- filters with a name
    CREATE TABLE views (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        name TEXT NOT NULL,
        filter TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, name)
    ) WITHOUT ROWID;

    -- filters that were used, and which one a list was left with; the rowid tells which was left last
    CREATE TABLE filters_used (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        filter TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, filter)
    ) WITHOUT ROWID;
    CREATE TABLE filters_left (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        filter TEXT NOT NULL,
        PRIMARY KEY (origin, key_id, scope)
    );

    -- why runs failed, as JSON [[verdict, explanation], ...], of runs that may not be kept whole
    CREATE TABLE findings (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        told TEXT NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;
    CREATE INDEX findings_by_age ON findings (got_at, run_id);

    -- the list row of an opened run, so that nobody reads it whole for that; earlier versions did not write it
    ALTER TABLE opened_runs ADD COLUMN row TEXT;
    """,
    """
    -- what was said in opened runs, taken in at a search; `kept` is 0 once the run was opened anew or is gone.
    -- The index over it (FTS5) is made where SQLite has one; numbers are not used twice, so nothing of it misleads.
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
    CREATE INDEX said_runs_by_run ON said_runs (origin, key_id, run_id, kept);
    CREATE TABLE said_turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run INTEGER NOT NULL REFERENCES said_runs(id),
        n INTEGER NOT NULL,
        speaker TEXT NOT NULL,
        start REAL,
        text TEXT NOT NULL,
        folded TEXT NOT NULL
    );
    CREATE INDEX said_turns_by_run ON said_turns (run, n);
    CREATE TRIGGER opened_run_came AFTER INSERT ON opened_runs BEGIN
        UPDATE said_runs SET kept = 0
        WHERE origin = new.origin AND key_id = new.key_id AND run_id = new.id AND kept;
    END;
    CREATE TRIGGER opened_run_left AFTER DELETE ON opened_runs BEGIN
        UPDATE said_runs SET kept = 0
        WHERE origin = old.origin AND key_id = old.key_id AND run_id = old.id AND kept;
    END;
    """,
    """
    -- what was chosen of a suggestion's hunks, step by step: the last step of a hunk tells what it is ('' is undecided)
    CREATE TABLE stagings (
        job INTEGER NOT NULL REFERENCES jobs(number),
        step INTEGER NOT NULL,
        hunk TEXT NOT NULL,
        what TEXT NOT NULL,
        text BLOB NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (job, step, hunk)
    ) WITHOUT ROWID;

    -- what is being typed into a hunk, by its key, as long as it is not taken; into a conflict, until it is written
    CREATE TABLE typed (
        job INTEGER NOT NULL REFERENCES jobs(number),
        hunk TEXT NOT NULL,
        text BLOB NOT NULL,
        PRIMARY KEY (job, hunk)
    ) WITHOUT ROWID;

    -- the text that these choices make, as a whole
    CREATE TABLE staged (
        job INTEGER PRIMARY KEY REFERENCES jobs(number),
        sha256 TEXT NOT NULL REFERENCES prompts(sha256),
        at REAL NOT NULL
    );
    CREATE INDEX staged_by_prompt ON staged (sha256);

    -- where a prompt was met, each use once with its latest time; the rowid tells which was noted last
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
    CREATE INDEX prompt_uses_by_prompt ON prompt_uses (sha256);
    CREATE INDEX prompt_uses_by_job ON prompt_uses (job);
    INSERT OR REPLACE INTO prompt_uses
    SELECT origin, key_id, agent_id, sha256, how, at, job FROM (
        SELECT origin, key_id, agent_id, prompt_sha256 AS sha256, 'sent' AS how, launched_at AS at, number AS job
        FROM jobs WHERE launched_at IS NOT NULL AND state NOT IN ('draft', 'forgotten')
        UNION ALL
        SELECT origin, key_id, agent_id, improved_sha256, 'proposed', coalesce(finished_at, created_at), number
        FROM jobs WHERE improved_sha256 IS NOT NULL AND state != 'forgotten'
    ) WHERE agent_id IS NOT NULL ORDER BY at, job;
    """,
    """
    -- which kind of job it is, and, as JSON, what its kind sends and brings beside what all have; before there was one
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'improve_prompt';
    ALTER TABLE jobs ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE jobs ADD COLUMN result TEXT;
    """,
    """
    -- which window chose it, named as the owner of a launch is; '' of versions that did not tell
    ALTER TABLE stagings ADD COLUMN window TEXT NOT NULL DEFAULT '';
    """,
    """
    -- when a job came into the state that it is in
    ALTER TABLE jobs ADD COLUMN since REAL;
    UPDATE jobs SET since = (SELECT at FROM job_changes WHERE job = number ORDER BY job_changes.rowid DESC LIMIT 1);
    """,
    """
    -- which columns the run list has under a filter, as JSON; '' is for the filters that have none of their own
    CREATE TABLE run_columns (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        filter TEXT NOT NULL,
        columns TEXT NOT NULL,
        PRIMARY KEY (origin, key_id, filter)
    ) WITHOUT ROWID;
    """,
    """
    -- each write to an agent is an event of its own, also where a prompt is written a second time
    CREATE TABLE prompt_events (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        agent_id INTEGER NOT NULL,
        sha256 TEXT NOT NULL REFERENCES prompts(sha256),
        how TEXT NOT NULL,
        at REAL NOT NULL,
        job INTEGER REFERENCES jobs(number),
        PRIMARY KEY (origin, key_id, agent_id, sha256, how, at)
    );
    INSERT INTO prompt_events SELECT * FROM prompt_uses ORDER BY rowid;
    DROP TABLE prompt_uses;
    ALTER TABLE prompt_events RENAME TO prompt_uses;
    CREATE INDEX prompt_uses_by_prompt ON prompt_uses (sha256);
    CREATE INDEX prompt_uses_by_job ON prompt_uses (job);
    """,
    """
    -- the salt once more, on a page of its own: without it nobody knows whose the jobs are
    CREATE TABLE salt_copy (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    """,
    """
    -- what is being typed as the note of a run, in place of the former one, until it is saved or discarded
    CREATE TABLE note_drafts (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        text TEXT NOT NULL,
        former TEXT NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;
    """,
    """
    -- when any process polled a running job last: two windows so poll it no more often than one. A table of its own,
    -- and `leases` stays: a window of the version before that is still open lives on with the columns that it knows.
    CREATE TABLE polls (job INTEGER PRIMARY KEY, asked_at REAL NOT NULL);
    """,
    "CREATE TABLE IF NOT EXISTS polls (job INTEGER PRIMARY KEY, asked_at REAL NOT NULL);",  # 13 was once another one
)
VERSION = len(MIGRATIONS)
