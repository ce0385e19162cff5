//! Fills both databases with as many messages as are asked for, the same ones in every run, by statements that make
//! the rows inside the database: ten million take minutes.
//!
//! Half of the messages are in a few busy rooms, so that the smallest filling has whole pages too; the other half goes
//! round through all others. They are written in the order of time, as they come in life: what is read together was
//! not written together.

use crate::figures::Benched;
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use hubbub::app;
use hubbub::config::Config;
use hubbub::db::{Access, Conn, Manager, Url, Which};
use sha2::{Digest as _, Sha256};

/// The number of the first room.
pub const FIRST: i64 = 1000;
/// Somebody in many rooms who hasn't been here since the first day.
pub const AWAY: i64 = 2;
/// When the first message was posted, ms.
const START: i64 = 1_700_000_000_000;
/// Messages in one statement.
const AT_ONCE: i64 = 100_000;
/// What texts are cut from.
const WORDS: &str = "The beam is back since noon and the rate holds at ten. Who has the key of the cabinet? I left \
    the notes on the board, have a look when you are there. 下午的會議改到三點，地點不變。 The pump makes that noise again; \
    Ben says that it did so last week, and that it went away by itself. Could somebody bring the long cable, please. ";

/// How much there is.
#[derive(Clone, Copy)]
pub struct Size {
    pub people: i64,
    /// The first of them are in about a thousand rooms each, or in a ninth of all.
    pub heavy: i64,
    pub rooms: i64,
    /// The first of them have half of the messages.
    pub busy: i64,
}

impl Size {
    /// Messages in each busy room, of so many in all.
    pub fn of_a_busy_room(&self, messages: i64) -> i64 {
        messages / 2 / self.busy
    }
}

/// What one of the heavy people shows for a token.
pub fn token(person: i64) -> String {
    format!("hubbub_growth-{person}")
}

/// Makes the two databases of a server that has never run, and fills them.
pub fn fill(config: &Config, size: Size, messages: i64) -> Benched {
    // Migrates, and makes what else a data folder has.
    app::start(config.clone())?.stop()?;
    let accounts = Filling::open(Which::Accounts, config.accounts_url(), size)?;
    accounts.finish(Filling::people)?;
    let talk = Filling::open(Which::Messages, config.messages_url(), size)?;
    talk.finish(|filling| filling.talk(messages))
}

/// A database that is being filled.
struct Filling {
    conn: Conn,
    size: Size,
}

impl Filling {
    fn open(which: Which, url: Url, size: Size) -> Benched<Self> {
        let mut conn = Manager { url, which, access: Access::Write }.open()?;
        match &mut conn {
            // Who pulls the plug now begins again.
            Conn::Sqlite(sqlite) => sqlite.batch_execute(
                "PRAGMA foreign_keys = OFF; PRAGMA wal_autocheckpoint = 10000; PRAGMA synchronous = OFF; PRAGMA cache_size = -800000;",
            )?,
            Conn::Postgres(postgres) => {
                postgres.batch_execute("SET synchronous_commit = off; SET work_mem = '64MB'")?;
                // Rows that name rooms needn't be looked up one by one; only a superuser may say so.
                let _ = postgres.batch_execute("SET session_replication_role = replica");
            }
        }
        Ok(Self { conn, size })
    }

    fn finish(mut self, work: impl FnOnce(&mut Self) -> Benched) -> Benched {
        work(&mut self)?;
        self.run(match self.conn {
            Conn::Sqlite(_) => "PRAGMA journal_mode = WAL",
            // As the background process would within the hour.
            Conn::Postgres(_) => "VACUUM (ANALYZE)",
        })
    }

    fn run(&mut self, statement: &str) -> Benched {
        Ok(self.conn.batch_execute(statement)?)
    }

    /// The numbers from one to another, as `n` of something to select from.
    fn numbers(&self, from: i64, to: i64) -> String {
        match self.conn {
            Conn::Sqlite(_) => format!(
                "(WITH RECURSIVE s (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n FROM s)"
            ),
            Conn::Postgres(_) => format!("(SELECT generate_series({from}::bigint, {to}::bigint) AS n)"),
        }
    }

    fn people(&mut self) -> Benched {
        let everybody = self.numbers(1, self.size.people);
        self.run(&format!(
            "INSERT INTO users (id, username, username_key, display_name, role, created_at)
             SELECT n, 'person-' || n, 'person-' || n, 'Person ' || n, CASE n WHEN 1 THEN 'owner' ELSE 'member' END, {START}
             FROM {everybody} AS p"
        ))?;
        self.run(&format!(
            "INSERT INTO sessions (key_hash, user_id, state, created_at, seen_at, expires_at)
             SELECT 'growth-' || n, n, '{{}}', {START}, {START}, 4000000000000 FROM {everybody} AS p"
        ))?;
        for person in 1..=self.size.heavy {
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(token(person)));
            self.run(&format!(
                "INSERT INTO tokens (user_id, token_hash, label, created_at) VALUES ({person}, '{hash}', 'growth', {START})"
            ))?;
        }
        Ok(())
    }

    fn talk(&mut self, messages: i64) -> Benched {
        self.rooms()?;
        for from in (0..messages).step_by(usize::try_from(AT_ONCE)?) {
            self.messages(from, messages.min(from + AT_ONCE) - 1)?;
        }
        // The search has a bench of its own: here nobody is to index beside what is measured.
        self.run("UPDATE rooms SET last_seq = coalesce((SELECT max(seq) FROM messages WHERE room_id = rooms.id), 0)")?;
        self.run(&format!(
            "UPDATE rooms SET rev = last_seq, indexed_rev = last_seq, active_at = {START} + last_seq * 1000 + id"
        ))?;
        self.memberships()
    }

    /// Half of them channels, then groups, then private conversations of the heavy people.
    fn rooms(&mut self) -> Benched {
        let Size { rooms, busy, heavy, .. } = self.size;
        let all = self.numbers(0, rooms - 1);
        self.run(&format!(
            "INSERT INTO rooms (id, kind, name, name_key, owner_id, created_at, active_at, peers)
             SELECT {FIRST} + n, kind, CASE kind WHEN 'direct' THEN '' ELSE 'room ' || n END,
                CASE kind WHEN 'channel' THEN 'room ' || n END, CASE WHEN kind <> 'direct' THEN 1 END, {START}, {START},
                CASE kind WHEN 'direct' THEN (1 + n / 10 % {heavy}) || '-' || ({heavy} + 1 + n) END
             FROM (SELECT n, CASE WHEN n < {busy} OR n % 10 < 5 THEN 'channel' WHEN n % 10 < 9 THEN 'group' ELSE 'direct' END
                   AS kind FROM {all} AS n) AS r"
        ))
    }

    /// One in five is a reply, one in forty calls a heavy person, one in two hundred everybody, one in a thousand is pinned.
    fn messages(&mut self, from: i64, to: i64) -> Benched {
        let Size { people, heavy, rooms, busy } = self.size;
        let (others, some) = (rooms - busy, self.numbers(from, to));
        // 7919 is a prime: its steps come by every room before they begin again.
        let placed = format!(
            "(SELECT n,
                CASE n % 2 WHEN 0 THEN {FIRST} + n / 2 % {busy} ELSE {FIRST} + {busy} + n / 2 * 7919 % {others} END AS room,
                CASE n % 2 WHEN 0 THEN n / 2 / {busy} ELSE n / 2 / {others} END + 1 AS seq
              FROM {some} AS s) AS m"
        );
        self.conn.transaction::<_, diesel::result::Error, _>(|conn| {
            // Ten people talk in a room.
            conn.batch_execute(&format!(
                "INSERT INTO messages (room_id, seq, rev, first_rev, author_id, author_name, author_guest, nonce, posted_at, text,
                    reply_to, thread, pinned, to_all, reactions)
                 SELECT room, seq, seq, seq, 1 + (room * 10 + seq * 7 % 10) % {people},
                    'Person ' || (1 + (room * 10 + seq * 7 % 10) % {people}), FALSE,
                    'growth-' || (1000000000000000 + n), {START} + n * 1000,
                    substr('{WORDS}', CAST(1 + n * 7919 % 300 AS INTEGER), CAST(20 + n * 31 % 140 AS INTEGER)),
                    CASE WHEN seq % 5 = 0 THEN seq - 1 END, CASE WHEN seq % 5 = 0 THEN seq - 1 END, seq % 1000 = 7,
                    seq % 200 = 0, CASE WHEN seq % 20 = 1 THEN '{{\"👍\":{{\"n\":2,\"users\":[1,2]}}}}' END
                 FROM {placed}"
            ))?;
            conn.batch_execute(&format!(
                "INSERT INTO mentions (user_id, room_id, seq)
                 SELECT 1 + (room + seq / 40) % {heavy}, room, seq FROM {placed} WHERE seq % 40 = 3"
            ))
        })?;
        Ok(())
    }

    /// The heavy people have read all but the last few messages of each room; others are in five rooms.
    fn memberships(&mut self) -> Benched {
        let Size { people, heavy, rooms, busy } = self.size;
        let (few, many, others) = (self.numbers(1, heavy), self.numbers(heavy + 1, people), rooms - busy);
        let read = "CASE WHEN last_seq > r.id % 20 THEN last_seq - r.id % 20 ELSE 0 END";
        self.run(&format!(
            "INSERT INTO memberships (user_id, room_id, joined_at, read_seq)
             SELECT p.n, r.id, {START}, CASE p.n WHEN {AWAY} THEN 0 ELSE {read} END
             FROM {few} AS p, rooms AS r WHERE r.id >= {FIRST} AND (r.id < {FIRST} + {busy}
                OR r.kind <> 'direct' AND (r.id / 10 + p.n) % 9 = 0
                OR r.kind = 'direct' AND 1 + (r.id - {FIRST}) / 10 % {heavy} = p.n)"
        ))?;
        self.run(&format!(
            "INSERT INTO memberships (user_id, room_id, joined_at, read_seq)
             SELECT p.n, r.id, {START}, {read} FROM {many} AS p
             JOIN {} AS j ON TRUE
             JOIN rooms AS r ON r.id = CASE j.n WHEN 0 THEN {FIRST} + p.n % {busy}
                ELSE {FIRST} + {busy} + (p.n * 31 + j.n * 2503) % {others} END
             WHERE r.kind <> 'direct' ON CONFLICT DO NOTHING",
            self.numbers(0, 4)
        ))?;
        self.run(&format!(
            "INSERT INTO memberships (user_id, room_id, joined_at, read_seq)
             SELECT {heavy} + 1 + r.id - {FIRST}, r.id, {START}, r.last_seq FROM rooms AS r WHERE r.kind = 'direct'"
        ))?;
        self.run("UPDATE rooms SET members = (SELECT count(*) FROM memberships WHERE room_id = rooms.id)")
    }
}
