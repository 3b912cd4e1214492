"""The database schema as a list of migrations: entry n migrates from `user_version` n to n + 1."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

    -- each text is stored once, by the hash of its exact bytes
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

    -- every distinct raw answer about a job, and when it first and last arrived
    CREATE TABLE job_answers (
        job INTEGER NOT NULL REFERENCES jobs(number),
        raw TEXT NOT NULL,
        first_at REAL NOT NULL,
        last_at REAL NOT NULL,
        PRIMARY KEY (job, raw)
    );

    -- list rows as the first frame shows them, and opened runs in full
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

    -- the project or agent chosen last, per server and key
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

    -- which process polls the jobs of an account; `beat` grows while the process is alive
    CREATE TABLE leases (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        holder TEXT NOT NULL,
        beat INTEGER NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;

    -- when the user last had the jobs of an account on screen
    CREATE TABLE looked (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id)
    ) WITHOUT ROWID;
    """,
    """
    -- the user's note about a run; never sent to the server
    CREATE TABLE notes (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        text TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;

    -- saved filters
    CREATE TABLE views (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        name TEXT NOT NULL,
        filter TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, name)
    ) WITHOUT ROWID;

    -- used filters, and the last filter of each list in order of rowid
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

    -- why runs failed, as JSON [[verdict, explanation], ...]; also of runs that are not in opened_runs
    CREATE TABLE findings (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        told TEXT NOT NULL,
        got_at REAL NOT NULL,
        PRIMARY KEY (origin, key_id, run_id)
    ) WITHOUT ROWID;
    CREATE INDEX findings_by_age ON findings (got_at, run_id);

    -- the list row of an opened run, so that its source need not be parsed; NULL if an earlier version wrote it
    ALTER TABLE opened_runs ADD COLUMN row TEXT;
    """,
    """
    -- transcripts of opened runs, added at the next search; `kept` is 0 once the run is reloaded or dropped.
    -- The FTS5 index is created where SQLite has FTS5; ids are not reused, so a stale index entry matches no other run.
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
    -- the choices for a suggestion's hunks, step by step: the last step of a hunk counts ('' is undecided)
    CREATE TABLE stagings (
        job INTEGER NOT NULL REFERENCES jobs(number),
        step INTEGER NOT NULL,
        hunk TEXT NOT NULL,
        what TEXT NOT NULL,
        text BLOB NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (job, step, hunk)
    ) WITHOUT ROWID;

    -- texts being typed, by hunk key, until accepted; in a conflict, until the prompt is written
    CREATE TABLE typed (
        job INTEGER NOT NULL REFERENCES jobs(number),
        hunk TEXT NOT NULL,
        text BLOB NOT NULL,
        PRIMARY KEY (job, hunk)
    ) WITHOUT ROWID;

    -- the whole text that results from the choices
    CREATE TABLE staged (
        job INTEGER PRIMARY KEY REFERENCES jobs(number),
        sha256 TEXT NOT NULL REFERENCES prompts(sha256),
        at REAL NOT NULL
    );
    CREATE INDEX staged_by_prompt ON staged (sha256);

    -- uses of a prompt, each once with its latest time, in order of rowid
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
    -- the kind of a job, and as JSON what only this kind sends and returns; earlier versions had one kind
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'improve_prompt';
    ALTER TABLE jobs ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE jobs ADD COLUMN result TEXT;
    """,
    """
    -- the window that made the choice, in the form of jobs.owner; '' if an earlier version wrote it
    ALTER TABLE stagings ADD COLUMN window TEXT NOT NULL DEFAULT '';
    """,
    """
    -- when a job entered its current state
    ALTER TABLE jobs ADD COLUMN since REAL;
    UPDATE jobs SET since = (SELECT at FROM job_changes WHERE job = number ORDER BY job_changes.rowid DESC LIMIT 1);
    """,
    """
    -- the columns of the run list by filter, as JSON; '' is the default for all other filters
    CREATE TABLE run_columns (
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        filter TEXT NOT NULL,
        columns TEXT NOT NULL,
        PRIMARY KEY (origin, key_id, filter)
    ) WITHOUT ROWID;
    """,
    """
    -- each write to an agent is a separate row, even if the same prompt is written again
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
    -- a copy of the salt on another page: if it is lost, no job can be attributed to a key
    CREATE TABLE salt_copy (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    """,
    """
    -- the text being typed as a run's note, until it is saved or discarded
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
    -- when any process last polled a running job, so that two windows poll no more often than one. A separate table,
    -- and `leases` is kept, so that an open window of the previous version finds the columns it knows.
    CREATE TABLE polls (job INTEGER PRIMARY KEY, asked_at REAL NOT NULL);
    """,
    "CREATE TABLE IF NOT EXISTS polls (job INTEGER PRIMARY KEY, asked_at REAL NOT NULL);",  # 13 once was another table
    """
    -- transcripts of all runs read in full are searched, with the run's list row as JSON ('' if unreadable) and the
    -- number of characters of the turns. All are added again at the next search.
    ALTER TABLE said_runs RENAME COLUMN scenario TO row;
    ALTER TABLE said_runs RENAME COLUMN at TO size;
    UPDATE said_runs SET kept = 0;
    """,
    """
    -- who last proposed a prompt for an agent: the kind of job, and its command. The kind 'not offered' says that the
    -- server proposes no prompts.
    CREATE TABLE proposers (
        agent_id INTEGER NOT NULL,
        origin TEXT NOT NULL,
        key_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        command TEXT NOT NULL,
        PRIMARY KEY (agent_id, origin, key_id, kind)
    ) WITHOUT ROWID;
    """,
)
VERSION = len(MIGRATIONS)
