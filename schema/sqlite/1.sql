-- The event log of one trial: docs/methods/event_log.md. Version 1 (PRAGMA user_version), PRAGMA application_id 0x4571706F, "Eqpo".

-- Rows are only ever added at the end, so an act of any trial touches the last page of this table and no other.
CREATE TABLE event (
  sequence INTEGER PRIMARY KEY,  -- 1, 2, 3, ... without a gap
  bytes    BLOB NOT NULL,        -- the encoded event, which holds its sequence and the digest of the event before
  digest   TEXT NOT NULL         -- SHA-256 of the bytes, hexadecimal
) STRICT;

-- Which command was done, so that it is not done again when it is sent again.
CREATE TABLE act (
  key     TEXT PRIMARY KEY,
  request TEXT NOT NULL,     -- digest of the command
  first   INTEGER NOT NULL,  -- its events; last = first - 1 when it has none
  last    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What may happen once: an allocation number, a participant's randomisation, a kit.
CREATE TABLE once (
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  PRIMARY KEY (kind, what)
) STRICT, WITHOUT ROWID;

-- Free texts. A row is added at the end and never moves, and to destroy it is to write zeros over it where it stands: a b-tree whose
-- rows come in any order copies them when its pages split, and leaves copies in the unused parts of pages (measured: ADR 15).
CREATE TABLE text (
  number  INTEGER PRIMARY KEY,
  id      TEXT NOT NULL UNIQUE,  -- HMAC-SHA-256 of the text under the key
  present INTEGER NOT NULL,      -- 0: destroyed
  key     BLOB NOT NULL,
  text    BLOB NOT NULL
) STRICT;

-- Protocol files.
CREATE TABLE document (
  digest TEXT PRIMARY KEY,  -- SHA-256 of the bytes
  bytes  BLOB NOT NULL
) STRICT;

-- Who may write: the fencing number of the instance that took the lease last.
CREATE TABLE lease (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL
) STRICT;
INSERT INTO lease VALUES (1, 0);

-- Nothing in a log is changed or removed, whoever asks.
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'an event is never removed'); END;
CREATE TRIGGER act_is_not_changed BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'an act is never changed'); END;
CREATE TRIGGER act_is_not_removed BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'an act is never removed'); END;
CREATE TRIGGER once_is_not_changed BEFORE UPDATE ON once BEGIN SELECT RAISE(ABORT, 'what happened once has happened'); END;
CREATE TRIGGER once_is_not_removed BEFORE DELETE ON once BEGIN SELECT RAISE(ABORT, 'what happened once has happened'); END;
CREATE TRIGGER text_is_not_removed BEFORE DELETE ON text BEGIN SELECT RAISE(ABORT, 'a text is destroyed where it stands'); END;
CREATE TRIGGER text_is_only_destroyed BEFORE UPDATE ON text
  WHEN NEW.number <> OLD.number OR NEW.id <> OLD.id OR NEW.present <> 0 OR length(NEW.key) <> length(OLD.key) OR length(NEW.text) <> length(OLD.text)
  BEGIN SELECT RAISE(ABORT, 'a text is destroyed where it stands'); END;
CREATE TRIGGER document_is_not_changed BEFORE UPDATE ON document BEGIN SELECT RAISE(ABORT, 'a document is never changed'); END;
CREATE TRIGGER document_is_not_removed BEFORE DELETE ON document BEGIN SELECT RAISE(ABORT, 'a document is never removed'); END;
CREATE TRIGGER lease_only_grows BEFORE UPDATE ON lease WHEN NEW.number <= OLD.number BEGIN SELECT RAISE(ABORT, 'a lease only grows'); END;
